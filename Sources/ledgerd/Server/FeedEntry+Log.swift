import Ledger
import Query

extension FeedEntry {
    /// An entry as the query store and the readers of feeds take it.
    ///
    /// The log itself says which entry a correction replaces, so the answer is the same for a node that follows the
    /// newest block and for one that reads its log from the beginning, whatever was erased in between: an erased
    /// document keeps its id.
    ///
    /// - Parameter entry: `nil` where nothing is left of it.
    init(
        _ entry: CheckedEntry?, at index: EntryIndex, _ height: BlockHeight, _ time: Timestamp,
        in log: LogStore
    ) throws(StoreError) {
        var document: KPIDocument?
        var replaces: EntryIndex?
        var erases: [EntryIndex] = []
        switch entry?.content {
        case .document(.kpis(let kpis)):
            document = kpis
            replaces = try Self.replaced(by: kpis, at: index, in: log)
        case .document(.session), .erased, nil: break
        case .governance(let record):
            if case .erase(let erased, _) = record.action { erases = [erased] }
        }
        self.init(
            index: index, blockHeight: height, blockTime: time, document: document, replaces: replaces,
            erases: erases)
    }

    /// The same of an entry that was read back.
    init(reading entry: LogEntry, in log: LogStore) throws(StoreError) {
        try self.init(
            try CheckedEntry(reading: entry), at: entry.index, entry.height, entry.blockTime, in: log)
    }

    /// Only what stands before a document can be corrected by it: a document of that id that comes later, and was
    /// perhaps never on this node's chain for good, is not meant.
    private static func replaced(
        by document: KPIDocument, at index: EntryIndex, in log: LogStore
    ) throws(StoreError) -> EntryIndex? {
        guard let id = document.replaces else { return nil }
        let identity = DocumentIdentity(submitter: document.submitter, id: id)
        guard let replaced = try log.index(of: identity), replaced < index else { return nil }
        return replaced
    }
}
