/// What this node must remember of its votes: in the log together with the blocks that it speaks of, or, where it
/// changes alone, in the vote slots (docs/decisions/0008-votes-beside-the-log.md).
extension LogStore {
    private static let safetyKey = Array("safety".utf8)
    private static let safetyNumberKey = Array("safety number".utf8)

    /// What `Change.safety` last held.
    public func safety() throws(StoreError) -> [UInt8]? {
        if let latest = votes?.latest { return latest.state }
        // Of a log that was written before there were vote slots.
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            try transaction.value(tables.state, Self.safetyKey)
        }
    }

    /// Finds the newest state, in the log or beside it.
    func restoreSafety() throws(StoreError) {
        guard let votes else { return }
        let kept = try keptRecord()
        guard kept == nil || !votes.isNew else {
            throw .damaged(place: directory + "/votes", reason: "it is not there any more")
        }
        let beside = try votes.newest()
        // A number that is in both places was written to the log when the slot had failed.
        let isBeside = (beside?.number ?? 0) > (kept?.number ?? 0)
        votes.note(isBeside ? beside : kept)
    }

    private func keptRecord() throws(StoreError) -> VoteSlots.Record? {
        let tables = self.tables
        let (number, state) = try store.read { transaction throws(StoreError) in
            (
                try transaction.value(tables.state, Self.safetyNumberKey),
                try transaction.value(tables.state, Self.safetyKey)
            )
        }
        guard let number, let state else { return nil }
        do { return VoteSlots.Record(number: try UInt64(valueBytes: number), state: state) } catch {
            throw .damaged(place: "table state, safety number", reason: error.description)
        }
    }

    /// The record of the newest state among changes; `nil` where none has one.
    func nextRecord(_ changes: [Change]) -> VoteSlots.Record? {
        guard let state = changes.last(where: { $0.safety != nil })?.safety else { return nil }
        return VoteSlots.Record(number: (votes?.latest?.number ?? 0) + 1, state: state)
    }

    /// Writes a state to the vote slots, where nothing but the state changes and it fits.
    ///
    /// - Returns: Whether it did.
    func saveAlone(_ record: VoteSlots.Record?, of changes: [Change]) throws(StoreError) -> Bool {
        guard let votes, let record, record.state.count <= VoteSlots.stateBytes,
            changes.allSatisfy(\.isSafetyAlone)
        else { return false }
        try votes.write(record)
        votes.note(record)
        return true
    }

    /// Each transaction takes the newest state along, so that the log's is older than the slots' only while nothing
    /// else has changed.
    static func put(
        _ record: VoteSlots.Record, _ tables: LogTables, in transaction: inout WriteTransaction
    ) throws(StoreError) {
        try transaction.put(tables.state, safetyKey, record.state)
        try transaction.put(tables.state, safetyNumberKey, record.number.valueBytes)
    }
}

extension LogStore.Change {
    /// Whether it changes no block and no certificate.
    public var isSafetyAlone: Bool { truncateTo == nil && append.isEmpty && certificates.isEmpty }
}
