import Ledger
import Testing

@Suite struct `A governance statement` {
    private let identities: TestIdentities
    private let record = Array("<enrol/>".utf8)

    init() throws { identities = try TestIdentities.shared() }

    private func sign(_ authors: [TestIdentities.Identity]) throws -> Submission {
        let time = try #require(Timestamp(milliseconds: 1_795_000_000_000))
        var submission = try Submission.sign(
            record, as: .governance, with: try authors[0].signingKey(), certificate: authors[0].certificate,
            at: time)
        for author in authors.dropFirst() {
            submission = try submission.cosigned(
                with: try author.signingKey(), certificate: author.certificate, at: time)
        }
        return submission
    }

    @Test func `holds its record and stands in one order of signers`() throws {
        // RSA signatures are the same each time, so the two orders of signing must give one statement.
        let there = try sign([identities.rsa, identities.otherRSA])
        let back = try sign([identities.otherRSA, identities.rsa])
        #expect(there == back)
        #expect(there.payload == nil)
        #expect(there.statement.content == record)
        #expect(there.bytes == there.statement.bytes)
        #expect(try Submission(there.bytes) == there)

        var tree = DERTree(there.bytes)
        tree.change(at: [1, 0, 3]) { $0.children?.swapAt(0, 1) }
        #expect(try Submission(tree.bytes) == there)
        let error = #expect(throws: EnvelopeError.self) { try Statement(canonical: tree.bytes) }
        #expect(error?.code == .notCanonical)
    }

    @Test func `is signed by each signer at its place alone`() throws {
        let statement = try sign([identities.p256, identities.rsa, identities.otherP256]).statement
        for identity in identities.signers {
            for position in -1...3 {
                let isThere =
                    (0..<3).contains(position)
                    && statement.signers[position].keyIdentifier == identity.certificate.keyIdentifier
                #expect(statement.isSigned(by: identity.certificate, signer: position) == isThere)
            }
        }
    }

    @Test func `is refused when one key signs twice or signers signed different things`() throws {
        let one = try sign([identities.p256])
        #expect(throws: EnvelopeError.self) {
            try one.cosigned(
                with: try identities.p256.signingKey(), certificate: identities.p256.certificate,
                at: try #require(Timestamp(milliseconds: 5000)))
        }
        let time = try #require(Timestamp(milliseconds: 0))
        let other = try Submission.sign(
            record + [32], as: .governance, with: try identities.rsa.signingKey(),
            certificate: identities.rsa.certificate, at: time)
        var tree = DERTree(one.bytes)
        tree.change(at: [1, 0, 3]) { $0.children?.append(DERTree(other.bytes)[1, 0, 3, 0]) }
        #expect(throws: EnvelopeError.self) { try Submission(tree.bytes) }
    }

    @Test func `is refused without its record or with too many signers`() throws {
        let one = try sign([identities.p256])
        var tree = DERTree(one.bytes)
        tree.change(at: [1, 0, 2]) { _ = $0.children?.removeLast() }
        #expect(throws: EnvelopeError.self) { try Submission(tree.bytes) }
        #expect(throws: EnvelopeError.self) { try Statement(canonical: tree.bytes) }

        tree = DERTree(one.bytes)
        tree.change(at: [1, 0, 3]) { set in
            let signer = set.children?.first ?? .null
            set.children = (0...UInt8(Limits.governanceSigners)).map { number in
                var copy = signer
                copy.change(at: [1]) { $0.content[0] = number }
                return copy
            }
        }
        #expect(throws: EnvelopeError.self) { try Submission(tree.bytes) }
    }

    @Test func `cannot be made of an entry`() throws {
        let time = try #require(Timestamp(milliseconds: 0))
        let entry = try Submission.sign(
            record, as: .sealed, with: try identities.p256.signingKey(),
            certificate: identities.p256.certificate,
            at: time)
        #expect(throws: EnvelopeError.self) {
            try entry.cosigned(
                with: try identities.rsa.signingKey(), certificate: identities.rsa.certificate, at: time)
        }
    }

    @Test func `states the time of its signer to the second, in every century`() throws {
        for text in [
            "1949-12-31T23:59:59Z", "1950-01-01T00:00:00Z", "1970-01-01T00:00:00.999Z",
            "2049-12-31T23:59:59Z",
            "2050-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        ] {
            let time = try #require(Timestamp(rfc3339: text))
            let author = identities.p256
            let submission = try Submission.sign(
                record, as: .governance, with: try author.signingKey(), certificate: author.certificate,
                at: time)
            #expect(try Submission(submission.bytes) == submission)
            #expect(submission.statement.signers[0].signingTime.seconds == time.seconds)
            #expect(submission.statement.isSigned(by: author.certificate))
        }
    }

    @Test func `is signed with the certificate's own key or not at all`() throws {
        let error = #expect(throws: EnvelopeError.self) {
            try Submission.sign(
                record, as: .governance, with: try identities.rsa.signingKey(),
                certificate: identities.otherRSA.certificate, at: try #require(Timestamp(milliseconds: 0)))
        }
        #expect(error?.code == .badKey)
    }
}
