import Ledger
import TestSupport
import Testing

/// Whatever bytes arrive: no trap, and no second leaf with a valid signature.
@Suite struct `Damaged envelopes` {
    private let identities: TestIdentities
    private let document = Array("<kpis/>".utf8)

    init() throws { identities = try TestIdentities.shared() }

    private func submission(_ author: TestIdentities.Identity) throws -> Submission {
        let sealed = try SealedPayload.seal(document, to: [identities.nodes[0].certificate])
        return try Submission.sign(
            sealed.bytes, as: .sealed, with: try author.signingKey(), certificate: author.certificate,
            at: try #require(Timestamp(milliseconds: 1_795_000_000_000)))
    }

    @Test func `are refused when cut short at any length`() throws {
        for author in [identities.rsa, identities.p256] {
            let whole = try submission(author)
            for count in whole.bytes.indices {
                #expect(throws: EnvelopeError.self) { try Submission(Array(whole.bytes.prefix(count))) }
            }
            for count in whole.statement.bytes.indices {
                #expect(throws: EnvelopeError.self) {
                    try Statement(canonical: Array(whole.statement.bytes.prefix(count)))
                }
            }
            let payload = try #require(whole.payload)
            for count in payload.indices {
                #expect(throws: EnvelopeError.self) { try SealedPayload(Array(payload.prefix(count))) }
            }
        }
    }

    @Test func `make no second leaf that is signed`() throws {
        var generator = SeededGenerator(seed: 1)
        for author in [identities.rsa, identities.p256] {
            let whole = try submission(author)
            for _ in 0..<2500 {
                let bytes = whole.bytes.damaged(by: &generator)
                guard let damaged = try? Submission(bytes), damaged != whole else { continue }
                #expect(!damaged.statement.isSigned(by: author.certificate))
            }
            // Around the payload, where most changes would only break its digest.
            for _ in 0..<2500 {
                let bytes = whole.statement.bytes.damaged(by: &generator)
                guard bytes != whole.statement.bytes, let damaged = try? Statement(canonical: bytes) else {
                    continue
                }
                #expect(damaged.bytes == bytes)
                #expect(!damaged.isSigned(by: author.certificate))
            }
        }
    }

    @Test func `of governance make no second leaf with all signatures`() throws {
        var generator = SeededGenerator(seed: 2)
        let time = try #require(Timestamp(milliseconds: 1_795_000_000_000))
        let whole = try Submission.sign(
            document, as: .governance, with: try identities.rsa.signingKey(),
            certificate: identities.rsa.certificate, at: time
        ).cosigned(
            with: try identities.p256.signingKey(), certificate: identities.p256.certificate, at: time)
        for _ in 0..<2500 {
            let bytes = whole.bytes.damaged(by: &generator)
            guard let damaged = try? Submission(bytes), damaged != whole else { continue }
            let certificates = [identities.rsa.certificate, identities.p256.certificate]
            let valid = damaged.statement.signers.indices.filter { position in
                certificates.contains { damaged.statement.isSigned(by: $0, signer: position) }
            }
            #expect(valid.count < 2)
        }
    }

    @Test func `open to their own content or not at all`() throws {
        var generator = SeededGenerator(seed: 4)
        let node = identities.nodes[0]
        let sealed = try SealedPayload.seal(document, to: [node.certificate])
        let key = try node.decryptionKey()
        let opened = try sealed.open(with: key, certificate: node.certificate)
        for round in 0..<2500 {
            let bytes = sealed.bytes.damaged(by: &generator)
            guard bytes != sealed.bytes, let damaged = try? SealedPayload(bytes) else { continue }
            #expect(damaged.digest != sealed.digest)
            if let content = try? damaged.open(contentKey: opened.contentKey) { #expect(content == opened) }
            // RSA is slow: every tenth.
            if round % 10 == 0, let content = try? damaged.open(with: key, certificate: node.certificate) {
                #expect(content == opened)
            }
        }
    }

    @Test func `of pure noise are refused`() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            let count = Int.random(in: 0..<64, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 2, Bool.random(using: &generator) { (bytes[0], bytes[1]) = (0x30, UInt8(count - 2)) }
            #expect((try? Submission(bytes)) == nil)
            #expect((try? Statement(canonical: bytes)) == nil)
            #expect((try? SealedPayload(bytes)) == nil)
        }
    }
}
