import Ledger
import TestSupport
import Testing

/// Positions in the tree of a payload: ContentInfo / [0] / AuthEnvelopedData / its fields.
private enum Place {
    static let envelope = [1, 0]
    static let version = envelope + [0]
    static let recipients = envelope + [1]
    static let encrypted = envelope + [2]
    static let nonce = encrypted + [1, 1, 0]
    static let tagLength = encrypted + [1, 1, 1]
    static let ciphertext = encrypted + [2]
    static let tag = envelope + [3]
}

@Suite struct `A sealed payload` {
    private let identities: TestIdentities
    private let document = Array("<kpis/>".utf8)

    init() throws { identities = try TestIdentities.shared() }

    private var certificates: [KeyCertificate] { identities.nodes.map(\.certificate) }

    @Test func `opens for each of its nodes and for nobody else`() throws {
        let sealed = try SealedPayload.seal(document, to: Array(certificates.prefix(3)))
        for node in identities.nodes.prefix(3) {
            let opened = try sealed.open(with: try node.decryptionKey(), certificate: node.certificate)
            #expect(opened.content == document)
            #expect(try sealed.open(contentKey: opened.contentKey) == opened)
        }
        let stranger = identities.nodes[3]
        let error = #expect(throws: EnvelopeError.self) {
            try sealed.open(with: try stranger.decryptionKey(), certificate: stranger.certificate)
        }
        #expect(error?.code == .notARecipient)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 100_000])
    func `holds a document of any size`(count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let node = identities.nodes[0]
        let sealed = try SealedPayload.seal(content, to: [node.certificate])
        #expect(
            try sealed.open(with: try node.decryptionKey(), certificate: node.certificate).content == content)
    }

    @Test func `is sealed to exactly the nodes that are asked for`() throws {
        let sealed = try SealedPayload.seal(document, to: certificates)
        #expect(sealed.isSealed(exactlyTo: certificates))
        #expect(sealed.isSealed(exactlyTo: certificates.reversed()))
        #expect(!sealed.isSealed(exactlyTo: Array(certificates.dropLast())))
        #expect(!sealed.isSealed(exactlyTo: []))
        #expect(!sealed.isSealed(exactlyTo: certificates + [identities.rsa.certificate]))
        #expect(!sealed.isSealed(exactlyTo: certificates.dropLast() + [identities.rsa.certificate]))
        #expect(!sealed.isSealed(exactlyTo: certificates.dropLast() + [certificates[0]]))

        let twice = try SealedPayload.seal(document, to: [certificates[0], certificates[0]])
        #expect(!twice.isSealed(exactlyTo: [certificates[0]]))
        #expect(!twice.isSealed(exactlyTo: [certificates[0], certificates[1]]))
    }

    @Test func `fails alike whatever is wrong with it`() throws {
        let node = identities.nodes[0]
        let key = try node.decryptionKey()
        let sealed = try SealedPayload.seal(document, to: [node.certificate])
        let changes: [@Sendable (inout DERTree) -> Void] = [
            { tree in tree.change(at: Place.recipients + [0, 3]) { $0.content[100] ^= 1 } },
            { tree in tree.change(at: Place.recipients + [0, 3]) { $0.content.removeLast() } },
            { tree in tree.change(at: Place.recipients + [0, 3]) { $0.content = [] } },
            { tree in tree.change(at: Place.nonce) { $0.content[0] ^= 1 } },
            { tree in tree.change(at: Place.ciphertext) { $0.content[0] ^= 1 } },
            { tree in tree.change(at: Place.ciphertext) { $0.content.removeLast() } },
            { tree in tree.change(at: Place.tag) { $0.content[15] ^= 1 } },
        ]
        for change in changes {
            var tree = DERTree(sealed.bytes)
            change(&tree)
            let damaged = try SealedPayload(tree.bytes)
            let error = #expect(throws: EnvelopeError.self) {
                try damaged.open(with: key, certificate: node.certificate)
            }
            #expect(error == EnvelopeError(.decryptionFailed, "the payload does not open"))
        }
        // Another node's key, and a certificate that is not the key's.
        let error = #expect(throws: EnvelopeError.self) {
            try sealed.open(with: try identities.nodes[1].decryptionKey(), certificate: node.certificate)
        }
        #expect(error == EnvelopeError(.decryptionFailed, "the payload does not open"))
        #expect(throws: EnvelopeError.self) { try sealed.open(contentKey: [UInt8](repeating: 0, count: 32)) }
        #expect(throws: EnvelopeError.self) { try sealed.open(contentKey: []) }
    }

    @Test func `opens with its session's key alone`() throws {
        let key = try RandomBytes.make(32)
        let keyID = try #require(SessionKeyID(try RandomBytes.make(16)))
        let sealed = try SealedPayload.seal(document, sessionKey: key, keyID: keyID)
        #expect(sealed.recipients == .session(keyID: keyID))
        #expect(sealed.bytes.count < 350)
        let opened = try sealed.open(sessionKey: key)
        #expect(opened.content == document)
        #expect(opened.contentKey != key)
        #expect(try sealed.open(contentKey: opened.contentKey).content == document)
        let error = #expect(throws: EnvelopeError.self) {
            try sealed.open(sessionKey: try RandomBytes.make(32))
        }
        #expect(error?.code == .decryptionFailed)
        let badKey = #expect(throws: EnvelopeError.self) { try sealed.open(sessionKey: [1, 2, 3]) }
        #expect(badKey?.code == .badKey)
        let node = identities.nodes[0]
        let notANode = #expect(throws: EnvelopeError.self) {
            try sealed.open(with: try node.decryptionKey(), certificate: node.certificate)
        }
        #expect(notANode?.code == .notARecipient)
    }

    @Test func `never repeats a key or a nonce`() throws {
        let key = try RandomBytes.make(32)
        let keyID = try #require(SessionKeyID(try RandomBytes.make(16)))
        let sealed = try (0..<50).map { _ in try SealedPayload.seal(document, sessionKey: key, keyID: keyID) }
        #expect(Set(try sealed.map { try $0.open(sessionKey: key).contentKey }).count == 50)
        #expect(Set(sealed.map { DERTree($0.bytes)[1, 0, 2, 1, 1, 0].content }).count == 50)
    }

    @Test func `is refused with any other structure`() throws {
        let sealed = try SealedPayload.seal(document, to: certificates)
        let changes: [(String, @Sendable (inout DERTree) -> Void)] = [
            (
                "a tag of 4 bytes",
                { tree in
                    tree.change(at: Place.tagLength) { $0.content = [4] }
                    tree.change(at: Place.tag) { $0.content.removeLast(12) }
                }
            ),
            (
                "a tag of 4 bytes, unannounced",
                { tree in tree.change(at: Place.tag) { $0.content.removeLast(12) } }
            ),
            (
                "the tag's length left out",
                { tree in
                    tree.change(at: Place.encrypted + [1, 1]) { _ = $0.children?.removeLast() }
                }
            ),
            ("a nonce of 8 bytes", { tree in tree.change(at: Place.nonce) { $0.content.removeLast(4) } }),
            (
                "another cipher",
                { tree in tree.change(at: Place.encrypted + [1, 0]) { $0.content[8] = 0x2A } }
            ),
            ("another type inside", { tree in tree.change(at: Place.encrypted + [0]) { $0.content[8] = 2 } }),
            ("no ciphertext", { tree in tree.change(at: Place.encrypted) { _ = $0.children?.removeLast() } }),
            (
                "ciphertext in pieces",
                { tree in
                    tree.change(at: Place.ciphertext) { bytes in
                        bytes = DERTree(tag: 0xA0, children: [DERTree(tag: 0x04, content: bytes.content)])
                    }
                }
            ),
            ("another version", { tree in tree.change(at: Place.version) { $0.content = [2] } }),
            ("no recipients", { tree in tree.change(at: Place.recipients) { $0.children = [] } }),
            (
                "recipients out of order",
                { tree in tree.change(at: Place.recipients) { $0.children?.swapAt(0, 1) } }
            ),
            (
                "a recipient twice",
                { tree in
                    tree.change(at: Place.recipients) { set in
                        if let first = set.children?.first { set.children?.insert(first, at: 0) }
                    }
                }
            ),
            (
                "an originator",
                { tree in
                    tree.change(at: Place.envelope) {
                        $0.children?.insert(DERTree(tag: 0xA0, children: []), at: 1)
                    }
                }
            ),
            (
                "authenticated attributes",
                { tree in
                    tree.change(at: Place.envelope) {
                        $0.children?.insert(DERTree(tag: 0xA1, children: []), at: 3)
                    }
                }
            ),
            (
                "unauthenticated attributes",
                { tree in
                    tree.change(at: Place.envelope) { $0.children?.append(DERTree(tag: 0xA2, children: [])) }
                }
            ),
            (
                "PKCS #1 v1.5 for one recipient",
                { tree in
                    tree.change(at: Place.recipients + [2, 2]) { algorithm in
                        algorithm.children = [
                            .oid([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]), .null,
                        ]
                    }
                }
            ),
            (
                "OAEP with SHA-1",
                { tree in
                    tree.change(at: Place.recipients + [1, 2, 1]) { $0.children = [] }
                }
            ),
            (
                "MGF1 with SHA-1",
                { tree in
                    tree.change(at: Place.recipients + [1, 2, 1]) { _ = $0.children?.removeLast() }
                }
            ),
            (
                "a label",
                { tree in
                    tree.change(at: Place.recipients + [1, 2, 1]) {
                        $0.children?.append(DERTree(tag: 0xA2, children: [.null]))
                    }
                }
            ),
            (
                "a session beside the nodes",
                { tree in
                    tree.change(at: Place.recipients) {
                        $0.children?.append(DERTree(tag: 0xA2, children: [DERTree(tag: 2, content: [4])]))
                    }
                }
            ),
            ("a password recipient", { tree in tree.change(at: Place.recipients + [3]) { $0.tag = 0xA3 } }),
            ("a long length", { $0.length = .long }),
            ("an indefinite length", { $0.length = .indefinite }),
        ]
        for (name, change) in changes {
            var tree = DERTree(sealed.bytes)
            change(&tree)
            #expect(tree.bytes != sealed.bytes)
            #expect(throws: EnvelopeError.self, "\(name)") { try SealedPayload(tree.bytes) }
        }
        #expect(throws: EnvelopeError.self) { try SealedPayload(sealed.bytes + [0]) }
    }

    @Test func `is refused when openssl was called otherwise`() throws {
        let directory = try TemporaryDirectory()
        for node in identities.nodes.prefix(2) { try node.write(to: directory) }
        try directory.write(document, "kpi.xml")
        let oaep = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256"
        let encrypt = "openssl cms -encrypt -binary -outform DER -in kpi.xml -out sealed.der"
        let key = "-secretkey \(String(repeating: "ab", count: 32)) -secretkeyid"
        for line in [
            "\(encrypt) -aes-256-cbc -recip node1.crt \(oaep)",
            "\(encrypt) -aes-128-gcm -recip node1.crt \(oaep)",
            "\(encrypt) -aes-256-gcm -recip node1.crt",
            "\(encrypt) -aes-256-gcm -recip node1.crt \(oaep) -recip node2.crt",
            "\(encrypt) -aes-256-gcm -recip node1.crt -keyopt rsa_padding_mode:oaep",
            "\(encrypt) -aes-256-gcm -recip node1.crt \(oaep) -keyopt rsa_oaep_label:61",
            "\(encrypt) -aes-256-gcm -recip node1.crt \(oaep) -stream",
            "\(encrypt) -aes-256-gcm \(key) 0001",
            "\(encrypt) -aes-256-gcm \(key) \(String(repeating: "00", count: 16)) -recip node1.crt \(oaep)",
        ] {
            try directory.shell(line)
            let bytes = try directory.read("sealed.der")
            #expect(throws: EnvelopeError.self, "\(line)") { try SealedPayload(bytes) }
        }
    }

    @Test func `is sealed to RSA keys, to some and to no more than a configuration has`() throws {
        #expect(throws: EnvelopeError.self) { try SealedPayload.seal(document, to: []) }
        #expect(throws: EnvelopeError.self) {
            try SealedPayload.seal(document, to: [identities.p256.certificate])
        }
        #expect(throws: EnvelopeError.self) {
            try SealedPayload.seal(
                document, to: [KeyCertificate](repeating: certificates[0], count: Limits.members + 1))
        }
        let full = try SealedPayload.seal(
            document, to: [KeyCertificate](repeating: certificates[0], count: Limits.members))
        #expect(full.recipients == .nodes(count: Limits.members))
    }
}
