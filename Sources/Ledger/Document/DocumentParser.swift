import Synchronization

/// Reads what a sealed payload holds: a `<kpis>` or a `<session>` document.
///
/// Costs nothing to make and may be used from any thread: the expensive contexts come from a pool.
public struct DocumentParser: Sendable {
    private let limitBytes: Int

    /// - Parameter limitBytes: longer documents are refused unread.
    public init(limitBytes: Int = Limits.submissionBytes) { self.limitBytes = limitBytes }

    /// - Throws: `.malformed` for what is not XML as we read it, `.invalid` for what breaks the schema or a rule of
    ///   docs/interfaces.md. Whether ledger, submitter and times fit is for the ledger to say.
    public func parse(_ bytes: [UInt8]) throws(DocumentError) -> SealedDocument {
        try XMLReaderPool.shared.read(bytes, as: [.kpi, .session], limitBytes: limitBytes) {
            (vocabulary, root) throws(DocumentError) in
            switch vocabulary {
            case .kpi: .kpis(try KPIDocument(root))
            case .session: .session(try SessionDocument(root))
            case .governance, .genesis: throw .invalid(root, "this is no document for a payload")
            }
        }
    }
}

/// Readers that wait for work. Never more of them than threads have read at one time.
final class XMLReaderPool: Sendable {
    static let shared = XMLReaderPool()

    private let idle = Mutex<[XMLReader]>([])

    func read<Value>(
        _ bytes: [UInt8], as vocabularies: [XMLVocabulary], limitBytes: Int = Limits.submissionBytes,
        _ body: (XMLVocabulary, XMLElement) throws(DocumentError) -> Value
    ) throws(DocumentError) -> Value {
        let reader = idle.withLock { $0.popLast() } ?? XMLReader()
        defer { idle.withLock { $0.append(reader) } }
        return try reader.read(bytes, as: vocabularies, limitBytes: limitBytes, body)
    }
}
