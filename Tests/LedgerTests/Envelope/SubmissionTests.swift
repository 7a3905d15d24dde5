import Ledger
import Testing

/// Positions in the tree of a submission: ContentInfo / [0] / SignedData / its fields.
private enum Place {
    static let signedData = [1, 0]
    static let version = signedData + [0]
    static let digestAlgorithms = signedData + [1]
    static let encapsulated = signedData + [2]
    static let signerInfos = signedData + [3]
    static let signer = signerInfos + [0]
    static let signerVersion = signer + [0]
    static let keyIdentifier = signer + [1]
    static let digestAlgorithm = signer + [2]
    static let attributes = signer + [3]
    static let signatureAlgorithm = signer + [4]
    static let signature = signer + [5]
}

/// A change that leaves OpenSSL content, and what we make of it.
private struct Variant: CustomTestStringConvertible, Sendable {
    enum Outcome: Sendable { case same, refused }
    let name: String
    let outcome: Outcome
    let change: @Sendable (inout DERTree) -> Void
    var testDescription: String { name }

    init(_ name: String, _ outcome: Outcome, _ change: @escaping @Sendable (inout DERTree) -> Void) {
        self.name = name
        self.outcome = outcome
        self.change = change
    }

    static let sha512 = DERTree.oid([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03])
    static let someAttribute = DERTree(
        tag: 0x30,
        children: [
            .oid([0x2A, 0x03, 0x04]), DERTree(tag: 0x31, children: [DERTree(tag: 0x04, content: [1, 2, 3])]),
        ])

    static let all: [Variant] = [
        Variant("an extra certificate", .same) { tree in
            tree.change(at: Place.signedData) { data in
                data.children?.insert(
                    DERTree(tag: 0xA0, children: [DERTree(tag: 0x30, children: [.null])]), at: 3)
            }
        },
        Variant("a revocation list", .same) { tree in
            tree.change(at: Place.signedData) { data in
                data.children?.insert(
                    DERTree(tag: 0xA1, children: [DERTree(tag: 0x30, children: [.null])]), at: 3)
            }
        },
        Variant("an unsigned attribute", .same) { tree in
            tree.change(at: Place.signer) {
                $0.children?.append(DERTree(tag: 0xA1, children: [Variant.someAttribute]))
            }
        },
        Variant("digest parameters NULL in the message", .same) { tree in
            tree.change(at: Place.digestAlgorithms + [0]) { $0.children?.append(.null) }
        },
        Variant("digest parameters NULL at the signer", .same) { tree in
            tree.change(at: Place.digestAlgorithm) { $0.children?.append(.null) }
        },
        Variant("digest parameters of another kind", .refused) { tree in
            tree.change(at: Place.digestAlgorithm) { $0.children?.append(DERTree(tag: 0x04, content: [])) }
        },
        Variant("another digest algorithm in the message", .refused) { tree in
            tree.change(at: Place.digestAlgorithms + [0, 0]) { $0 = Variant.sha512 }
        },
        Variant("a second digest algorithm in the message", .refused) { tree in
            tree.change(at: Place.digestAlgorithms) {
                $0.children?.append(DERTree(tag: 0x30, children: [Variant.sha512]))
            }
        },
        Variant("no digest algorithm in the message", .refused) { tree in
            tree.change(at: Place.digestAlgorithms) { $0.children = [] }
        },
        Variant("another digest algorithm at the signer", .refused) { tree in
            tree.change(at: Place.digestAlgorithm + [0]) { $0 = Variant.sha512 }
        },
        Variant("version 1 of the message", .refused) { tree in
            tree.change(at: Place.version) { $0.content = [1] }
        },
        Variant("version 1 of the signer", .refused) { tree in
            tree.change(at: Place.signerVersion) { $0.content = [1] }
        },
        Variant("a second signer of the same", .refused) { tree in
            tree.change(at: Place.signerInfos) { set in
                set.children = (set.children ?? []) + (set.children ?? [])
            }
        },
        Variant("no signer", .refused) { tree in tree.change(at: Place.signerInfos) { $0.children = [] } },
        Variant("an algorithm named sha256WithRSAEncryption or its like", .refused) { tree in
            tree.change(at: Place.signatureAlgorithm + [0]) {
                $0 = .oid([0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04])
            }
        },
        Variant("an indefinite length outside", .refused) { $0.length = .indefinite },
        Variant("an indefinite length of the signer infos", .refused) { tree in
            tree.change(at: Place.signerInfos) { $0.length = .indefinite }
        },
        Variant("a long length outside", .refused) { $0.length = .long },
        Variant("a long length of the key identifier", .refused) { tree in
            tree.change(at: Place.keyIdentifier) { $0.length = .long }
        },
        Variant("a long length of the signed attributes", .refused) { tree in
            tree.change(at: Place.attributes) { $0.length = .long }
        },
        Variant("content in constructed pieces", .refused) { tree in
            tree.change(at: Place.encapsulated + [1, 0]) { content in
                let half = content.content.count / 2
                content = DERTree(
                    tag: 0x24,
                    children: [
                        DERTree(tag: 0x04, content: Array(content.content.prefix(half))),
                        DERTree(tag: 0x04, content: Array(content.content.dropFirst(half))),
                    ])
            }
        },
        Variant("reordered attributes", .refused) { tree in
            tree.change(at: Place.attributes) { $0.children?.swapAt(0, 1) }
        },
        Variant("no signed attributes", .refused) { tree in
            tree.change(at: Place.signer) { _ = $0.children?.remove(at: 3) }
        },
        Variant("a signed attribute more", .refused) { tree in
            tree.change(at: Place.attributes) { $0.children?.insert(Variant.someAttribute, at: 0) }
        },
        Variant("a signed attribute less", .refused) { tree in
            tree.change(at: Place.attributes) { _ = $0.children?.remove(at: 1) }
        },
        Variant("a signed attribute twice", .refused) { tree in
            tree.change(at: Place.attributes) { attributes in
                guard let first = attributes.children?.first else { return }
                attributes.children?.insert(first, at: 0)
            }
        },
        Variant("a content type that was not signed", .refused) { tree in
            tree.change(at: Place.encapsulated + [0]) {
                $0 = .oid([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01])
            }
        },
        Variant("another content", .refused) { tree in
            tree.change(at: Place.encapsulated + [1, 0]) { $0.content[40] ^= 1 }
        },
        Variant("detached content", .refused) { tree in
            tree.change(at: Place.encapsulated) { _ = $0.children?.removeLast() }
        },
        Variant("a field more in the message", .refused) { tree in
            tree.change(at: Place.signedData) { $0.children?.append(.null) }
        },
        Variant("a field more at the signer", .refused) { tree in
            tree.change(at: Place.signer) { $0.children?.append(.null) }
        },
        Variant("a high tag", .refused) { tree in
            tree.change(at: Place.keyIdentifier) { $0.tag = 0x9F }
        },
    ]
}

@Suite struct `A submission` {
    private let identities: TestIdentities
    private let payload =
        Array("not sealed, but nobody looks in here".utf8) + [UInt8](repeating: 7, count: 300)

    init() throws { identities = try TestIdentities.shared() }

    private func sign(_ author: TestIdentities.Identity) throws -> Submission {
        try Submission.sign(
            payload, as: .sealed, with: try author.signingKey(), certificate: author.certificate,
            at: try #require(Timestamp(milliseconds: 1_795_000_000_000)))
    }

    @Test(arguments: Variant.all)
    private func `makes one leaf however it is dressed up`(variant: Variant) throws {
        for author in [identities.rsa, identities.p256] {
            let original = try sign(author)
            var tree = DERTree(original.bytes)
            #expect(tree.bytes == original.bytes)
            variant.change(&tree)
            let bytes = tree.bytes
            #expect(bytes != original.bytes)
            switch variant.outcome {
            case .same: #expect(try Submission(bytes) == original)
            case .refused: #expect(throws: EnvelopeError.self) { try Submission(bytes) }
            }
        }
    }

    /// The same changes to the leaf itself: a block that holds any other form is invalid.
    @Test(arguments: Variant.all)
    private func `has a statement of one form only`(variant: Variant) throws {
        for author in [identities.rsa, identities.p256] {
            let original = try sign(author)
            #expect(throws: EnvelopeError.self) { try Statement(canonical: original.bytes) }
            var tree = DERTree(original.statement.bytes)
            // What concerns the content has nothing to change here.
            guard !variant.name.contains("content") else { continue }
            variant.change(&tree)
            #expect(throws: EnvelopeError.self) { try Statement(canonical: tree.bytes) }
        }
    }

    @Test func `may call its RSA signature by either of two names`() throws {
        let original = try sign(identities.rsa)
        var tree = DERTree(original.bytes)
        tree.change(at: Place.signatureAlgorithm) { algorithm in
            algorithm.children?[0] = .oid([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B])
        }
        #expect(try Submission(tree.bytes) == original)
        tree.change(at: Place.signatureAlgorithm) { _ = $0.children?.removeLast() }
        #expect(try Submission(tree.bytes) == original)
    }

    @Test func `is refused when bytes follow it`() throws {
        let original = try sign(identities.rsa)
        #expect(throws: EnvelopeError.self) { try Submission(original.bytes + [0]) }
        #expect(throws: EnvelopeError.self) { try Submission(original.bytes + original.bytes) }
        #expect(throws: EnvelopeError.self) { try Statement(canonical: original.statement.bytes + [0]) }
    }

    @Test func `makes the same leaf of both values of s`() throws {
        for _ in 0..<8 {
            let original = try sign(identities.p256)
            var tree = DERTree(original.bytes)
            tree.change(at: Place.signature) { signature in
                var scalars = DERTree(signature.content)
                scalars.change(at: [1]) { $0.content = Self.orderMinus($0.content) }
                signature.content = scalars.bytes
            }
            #expect(tree.bytes != original.bytes)
            #expect(try Submission(tree.bytes) == original)

            var statement = DERTree(original.statement.bytes)
            statement.change(at: Place.signature) { $0 = tree[1, 0, 3, 0, 5] }
            #expect(throws: EnvelopeError.self) { try Statement(canonical: statement.bytes) }
        }
    }

    @Test func `is refused with scalars outside the group`() throws {
        let original = try sign(identities.p256)
        let order = Self.order
        for content: [UInt8] in [[0], [], [0, 1], [0x80], [0] + order, [1] + order, [0xFF] + order] {
            for scalar in [0, 1] {
                var tree = DERTree(original.bytes)
                tree.change(at: Place.signature) { signature in
                    var scalars = DERTree(signature.content)
                    scalars.change(at: [scalar]) { $0.content = content }
                    signature.content = scalars.bytes
                }
                #expect(throws: EnvelopeError.self) { try Submission(tree.bytes) }
            }
        }
    }

    @Test func `is put together from its halves, if they belong together`() throws {
        let original = try sign(identities.rsa)
        #expect(try Submission(statement: original.statement, payload: payload) == original)
        #expect(throws: EnvelopeError.self) { try Submission(statement: original.statement, payload: nil) }
        #expect(throws: EnvelopeError.self) {
            try Submission(statement: original.statement, payload: payload + [0])
        }
    }

    @Test func `is not larger than its limit`() throws {
        let key = try identities.p256.signingKey()
        let time = try #require(Timestamp(milliseconds: 0))
        for (count, contentType) in [
            (Limits.submissionBytes, Statement.ContentType.sealed), (Limits.leafBytes, .governance),
        ] {
            let content = [UInt8](repeating: 1, count: count)
            let error = #expect(throws: EnvelopeError.self) {
                try Submission.sign(
                    content, as: contentType, with: key, certificate: identities.p256.certificate, at: time)
            }
            #expect(error?.code == .tooLarge)
        }
        let error = #expect(throws: EnvelopeError.self) {
            try Submission([UInt8](repeating: 0x30, count: Limits.submissionBytes + 1))
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func `may be as large as its limit`() throws {
        let author = identities.p256
        let time = try #require(Timestamp(milliseconds: 0))
        let room = Limits.submissionBytes - (try sign(author).bytes.count - payload.count) - 40
        let content = [UInt8](repeating: 1, count: room)
        let submission = try Submission.sign(
            content, as: .sealed, with: try author.signingKey(), certificate: author.certificate, at: time)
        #expect(try Submission(submission.bytes) == submission)
        #expect(submission.statement.isSigned(by: author.certificate))
        let node = identities.nodes[0]
        let document = Array(content.dropLast(1000))
        let sealed = try SealedPayload.seal(document, to: [node.certificate])
        let opened = try sealed.open(with: try node.decryptionKey(), certificate: node.certificate)
        #expect(opened.content == document)
    }

    @Test func `is verified by many tasks at once`() async throws {
        for author in [identities.rsa, identities.p256] {
            let statement = try sign(author).statement
            let certificate = author.certificate
            let other =
                author.name == "ec" ? identities.otherP256.certificate : identities.otherRSA.certificate
            let counts = await withTaskGroup(of: (Int, Int).self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        (
                            (0..<100).filter { _ in statement.isSigned(by: certificate) }.count,
                            (0..<100).filter { _ in statement.isSigned(by: other) }.count
                        )
                    }
                }
                return await group.reduce(into: (0, 0)) { sum, next in sum = (sum.0 + next.0, sum.1 + next.1)
                }
            }
            #expect(counts == (800, 0))
        }
    }

    @Test func `of a million empty values is refused before it is parsed`() {
        let inside = [UInt8](repeating: 0, count: 500_000).flatMap { _ in [0x05, 0x00] as [UInt8] }
        let tree = DERTree(tag: 0x30, content: inside)
        let error = #expect(throws: EnvelopeError.self) { try Submission(tree.bytes) }
        #expect(error?.code == .tooLarge)
        let deep = [UInt8](repeating: 0x30, count: 4000).flatMap { [$0, 0x80] as [UInt8] }
        #expect(throws: EnvelopeError.self) { try Submission(deep) }
        var nested: [UInt8] = []
        for _ in 0..<4000 { nested = DERTree(tag: 0x30, content: nested).bytes }
        #expect(throws: EnvelopeError.self) { try Submission(nested) }
    }

    private static let order: [UInt8] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]

    /// The content of the INTEGER `n - s`, by schoolbook subtraction.
    private static func orderMinus(_ content: [UInt8]) -> [UInt8] {
        var result = order
        var borrow = 0
        let digits = [UInt8](repeating: 0, count: max(0, 32 - content.count)) + content.suffix(32)
        for position in (0..<32).reversed() {
            var digit = Int(result[position]) - Int(digits[position]) - borrow
            borrow = digit < 0 ? 1 : 0
            if digit < 0 { digit += 256 }
            result[position] = UInt8(digit)
        }
        let short = Array(result.drop { $0 == 0 })
        return short[0] >= 0x80 ? [0] + short : short
    }
}
