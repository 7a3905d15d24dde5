extension SessionDocument {
    /// The length of an AES-256 key.
    static let keyBytes = 32

    /// - Parameter root: `<session>`, valid by the schema.
    init(_ root: XMLElement) throws(DocumentError) {
        self.init(
            ledger: try root.line("ledger"),
            submitter: try root.line("submitter", limitBytes: Limits.identityBytes),
            id: try root.line("id", limitBytes: Limits.documentIDBytes),
            key: try root.child("key").onlyBytes(Self.keyBytes...Self.keyBytes),
            expires: try root.time("expires"))
    }

    /// The document as `session.xsd` has it; it reads back as an equal value. It holds the key: seal it.
    public var xml: String {
        var writer = XMLWriter()
        let attributes: [(String, String?)] = [
            ("xmlns", XMLVocabulary.session.namespace), ("ledger", ledger), ("submitter", submitter),
            ("id", id),
            ("expires", expires.description),
        ]
        writer.element("session", attributes) { $0.element("key", text: Base64.encode(key)) }
        return writer.text
    }
}
