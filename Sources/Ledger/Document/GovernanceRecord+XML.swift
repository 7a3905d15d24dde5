extension GovernanceRecord {
    /// - Throws: as `DocumentParser.parse`; `<configure>` is `.invalid`, since this version knows it by
    ///   name only.
    public static func parse(_ bytes: [UInt8]) throws(DocumentError) -> GovernanceRecord {
        try XMLReaderPool.shared.read(bytes, as: [.governance]) { (_, root) throws(DocumentError) in
            let action = try Action(root)
            let sequence = try root.count("sequence")
            guard sequence >= 1 else { throw .invalid(root, "the first sequence number is 1") }
            return GovernanceRecord(ledger: try root.line("ledger"), sequence: sequence, action: action)
        }
    }

    /// The record as `governance.xsd` has it; it reads back as an equal value.
    public var xml: String {
        let record: [(String, String?)] = [
            ("xmlns", XMLVocabulary.governance.namespace), ("ledger", ledger), ("sequence", String(sequence)),
        ]
        var writer = XMLWriter()
        switch action {
        case .enrol(let enrolment):
            writer.element("enrol", record + [("identity", enrolment.identity)]) { writer in
                enrolment.writeRolesAndCertificate(to: &writer)
            }
        case .revoke(let identity, let keyIdentifier, let reason):
            writer.element("revoke", record + [("identity", identity)]) { writer in
                writer.element("keyIdentifier", text: Base64.encode(keyIdentifier))
                writer.element("reason", text: reason)
            }
        case .erase(let index, let reason):
            writer.element("erase", record + [("entry", index.description)]) { writer in
                writer.element("reason", text: reason)
            }
        case .evidence(let member, let contradiction):
            writer.element("evidence", record + [("member", member)]) { writer in
                for statement in [contradiction.first, contradiction.second] {
                    writer.element(
                        "statement", [("signature", Base64.encode(statement.signature))],
                        text: Base64.encode(statement.bytes))
                }
            }
        }
        return writer.text
    }
}

extension GovernanceRecord.Action {
    fileprivate init(_ root: XMLElement) throws(DocumentError) {
        switch root.name {
        case "enrol":
            self = .enrol(try Enrolment(root, identityAttribute: "identity"))
        case "revoke":
            self = .revoke(
                identity: try root.line("identity", limitBytes: Limits.identityBytes),
                keyIdentifier: try root.child("keyIdentifier").onlyBytes(1...Limits.keyIdentifierBytes),
                reason: try Self.reason(root))
        case "erase":
            self = .erase(EntryIndex(try root.count("entry")), reason: try Self.reason(root))
        case "evidence":
            let statements = try root.children("statement").map {
                (element) throws(DocumentError) -> Contradiction.Statement in
                let bytes = try element.onlyBytes(1...Limits.evidenceBytes)
                let signature = try element.line("signature")
                guard let signature = Base64.decode(signature),
                    signature.count == SigningKey.signatureByteCount
                else { throw .invalid(element, "the signature is not base64 of 64 bytes") }
                return Contradiction.Statement(bytes: bytes, signature: signature)
            }
            guard statements.count == 2 else { throw .invalid(root, "evidence is two statements") }
            self = .evidence(
                member: try root.line("member"), Contradiction(statements[0], statements[1]))
        case "configure":
            throw .invalid(root, "this version does not accept <\(root.name)> records")
        default:
            throw .invalid(root, "this is no governance record")
        }
    }

    private static func reason(_ root: XMLElement) throws(DocumentError) -> String {
        try root.child("reason").onlyLine(limitBytes: Limits.labelValueBytes)
    }
}

extension Enrolment {
    /// - Parameter element: holds `role` elements and a `certificate`.
    init(_ element: XMLElement, identityAttribute: StaticString) throws(DocumentError) {
        var roles: [Role] = []
        for child in element.children("role") {
            let text = try child.onlyText()
            guard let role = Role(rawValue: text) else {
                throw .invalid(child, "\"\(DocumentError.excerpt(text))\" is not a role")
            }
            guard !roles.contains(role) else {
                throw .invalid(child, "the role \"\(role.rawValue)\" occurs twice")
            }
            roles.append(role)
        }
        guard !roles.isEmpty else { throw .invalid(element, "there is no role") }
        self.init(
            identity: try element.line(identityAttribute, limitBytes: Limits.identityBytes),
            roles: roles,
            certificate: try element.child("certificate").onlyBytes(1...Limits.certificateBytes))
    }

    func writeRolesAndCertificate(to writer: inout XMLWriter) {
        for role in roles { writer.element("role", text: role.rawValue) }
        writer.element("certificate", text: Base64.encode(certificate))
    }
}
