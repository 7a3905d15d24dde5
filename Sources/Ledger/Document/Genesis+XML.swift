extension Genesis {
    /// Reads a genesis document. The ledger id is the SHA-256 of the same bytes.
    ///
    /// - Throws: as `DocumentParser.parse`. Members with one name, vote key or TLS key in common are refused: one
    ///   node would vote twice.
    public static func parse(_ bytes: [UInt8]) throws(DocumentError) -> Genesis {
        try XMLReaderPool.shared.read(bytes, as: [.genesis]) { (_, root) throws(DocumentError) in
            try Genesis(root)
        }
    }

    private init(_ root: XMLElement) throws(DocumentError) {
        var members: [Member] = []
        for element in root.children("member") {
            let member = try Member(element)
            guard members.count < Limits.members else {
                throw .invalid(root, "more than \(Limits.members) members")
            }
            if let fault = members.lazy.compactMap({ $0.sharedWith(member) }).first {
                throw .invalid(element, "two members have the same \(fault)")
            }
            members.append(member)
        }
        guard !members.isEmpty else { throw .invalid(root, "there is no member") }
        var identities: [Enrolment] = []
        for element in root.children("identity") {
            identities.append(try Enrolment(element, identityAttribute: "name"))
        }
        self.init(
            origin: try root.noteName("origin"),
            created: try root.time("created"),
            ledgerKey: try root.child("ledgerKey").onlyBytes(32...32),
            tokenKey: try root.child("tokenKey").onlyBytes(1...Limits.certificateBytes),
            members: members, identities: identities)
    }

    /// The document as `genesis.xsd` has it; it reads back as an equal value.
    public var xml: String {
        var writer = XMLWriter()
        let attributes: [(String, String?)] = [
            ("xmlns", XMLVocabulary.genesis.namespace), ("origin", origin), ("created", created.description),
        ]
        writer.element("genesis", attributes) { writer in
            writer.element("ledgerKey", text: Base64.encode(ledgerKey))
            writer.element("tokenKey", text: Base64.encode(tokenKey))
            for member in members { member.write(to: &writer) }
            for identity in identities {
                writer.element("identity", [("name", identity.identity)]) { writer in
                    identity.writeRolesAndCertificate(to: &writer)
                }
            }
        }
        return writer.text
    }
}

extension Member {
    fileprivate init(_ element: XMLElement) throws(DocumentError) {
        self.init(
            name: try element.noteName("name"),
            url: try element.line("url"),
            peerAddress: try element.line("peerAddress"),
            voteKey: try element.child("voteKey").onlyBytes(32...32),
            sealingCertificate: try element.child("sealingCertificate").onlyBytes(
                1...Limits.certificateBytes),
            tlsKeyDigest: try element.child("tlsKeyDigest").onlyBytes(32...32))
    }

    /// What must not be shared between two members and is, by name.
    fileprivate func sharedWith(_ other: Member) -> String? {
        if name == other.name { return "name" }
        if voteKey == other.voteKey { return "vote key" }
        if tlsKeyDigest == other.tlsKeyDigest { return "TLS key" }
        return nil
    }

    fileprivate func write(to writer: inout XMLWriter) {
        let attributes: [(String, String?)] = [("name", name), ("url", url), ("peerAddress", peerAddress)]
        writer.element("member", attributes) { writer in
            writer.element("voteKey", text: Base64.encode(voteKey))
            writer.element("sealingCertificate", text: Base64.encode(sealingCertificate))
            writer.element("tlsKeyDigest", text: Base64.encode(tlsKeyDigest))
        }
    }
}

extension XMLElement {
    /// A name that can stand in a signed note's signature line: no spaces, no plus.
    /// Source: C2SP signed-note, Format.
    fileprivate func noteName(_ attribute: StaticString) throws(DocumentError) -> String {
        let name = try line(attribute)
        guard !name.unicodeScalars.contains(where: { $0.properties.isWhitespace || $0 == "+" }) else {
            throw .invalid(self, "the attribute \"\(attribute)\" holds a space or a plus sign")
        }
        return name
    }
}
