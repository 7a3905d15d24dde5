public import Ledger
internal import Synchronization

/// Samples and what they amount to, computed from the log and kept in a directory of their own.
///
/// Everything here can be computed again: a store that is deleted, damaged, of another format or of another ledger
/// starts empty, and the follower begins at entry 0. A batch is one transaction that also notes how far the log was
/// followed, so a crash at any moment neither loses nor counts twice. Commits are ordered but do not wait for the last
/// flush: a loss of power may undo the last batches, which are then followed again.
///
/// One writer at a time, any number of readers: a reader sees one state. The series are in memory; the index is
/// changed before the commit that it belongs to, so a reader may meet series without samples, never the reverse.
public final class QueryStore: Sendable {
    let store: Store
    let tables: QueryTables
    let index: Mutex<SeriesIndex>
    private let ledger: Digest
    private let kinds: [[String]]
    /// Continuous aggregates, in the order of the configuration.
    let windows: [WindowDefinition]
    private let found = Mutex(Damage())
    /// `nil` where it is to be read from the store.
    let windowGroups = Mutex<WindowGroups?>(nil)

    /// Opens the store in `directory`, making it first where there is none.
    ///
    /// - Parameters:
    ///   - ledger: the ledger id; the store of another one is emptied.
    ///   - aggregates: those across series that are kept; a store with others is emptied.
    ///   - windows: continuous aggregates; a store with others is emptied, since what they said follows from the log.
    /// - Returns: The store, and why it was emptied, to be logged.
    public static func open(
        directory: String, ledger: Digest, aggregates: AggregateKinds = .standard,
        windows: [WindowDefinition] = []
    ) throws(StoreError) -> (store: QueryStore, rebuilt: RebuildReason?) {
        let kinds = aggregates.labels
        do {
            return try QueryStore(directory: directory, ledger: ledger, kinds: kinds, windows: windows)
                .checked()
        } catch {
            let reason: RebuildReason
            switch error {
            case .otherFormat(_, let found, let expected):
                reason = .otherFormat(found: found, expected: expected)
            case .damaged(let place, let why): reason = .damaged(reason: "\(place): \(why)")
            case .full, .locked, .missing, .system: throw error
            }
            try Store.remove(directory: directory)
            let store = try QueryStore(
                directory: directory, ledger: ledger, kinds: kinds, windows: windows)
            return (try store.checked().store, reason)
        }
    }

    private init(
        directory: String, ledger: Digest, kinds: [[String]], windows: [WindowDefinition]
    ) throws(StoreError) {
        store = try Store(
            directory: directory, schema: QueryTables.schema, access: .writing(.lastCommitMayBeLost))
        tables = QueryTables(store)
        index = Mutex(SeriesIndex(kinds: kinds))
        self.ledger = ledger
        self.kinds = kinds
        self.windows = windows
    }

    private func checked() throws(StoreError) -> (store: QueryStore, rebuilt: RebuildReason?) {
        let tables = tables
        let (found, foundKinds, foundWindows) = try store.read { transaction throws(StoreError) in
            (
                try transaction.value(tables.state, QueryTables.ledgerKey),
                try transaction.value(tables.state, QueryTables.kindsKey),
                try transaction.value(tables.state, QueryTables.windowsKey)
            )
        }
        guard found == ledger.bytes, foundKinds == kindsBytes, foundWindows == windowsBytes else {
            try reset()
            guard let found else { return (self, nil) }
            guard found == ledger.bytes else { return (self, .otherLedger) }
            return (self, foundKinds == kindsBytes ? .otherWindows : .otherAggregates)
        }
        var loaded = SeriesIndex(kinds: kinds)
        try store.read { transaction throws(StoreError) in
            try transaction.scan(tables.series) { id, record throws(StoreError) in
                loaded.insert(Series(id: id, name: record.name, unit: record.unit, labels: record.labels))
                return .next
            }
            try transaction.scan(tables.aggregates) { tree, record throws(StoreError) in
                loaded.aggregates.setTree(tree, of: record)
                return .next
            }
        }
        let complete = loaded
        index.withLock { $0 = complete }
        return (self, nil)
    }

    private var kindsBytes: [UInt8] {
        var writer = ByteWriter()
        for labels in kinds {
            writer.writeVarint(UInt64(labels.count))
            for label in labels { writer.writeSized(label) }
        }
        return writer.bytes
    }

    private var windowsBytes: [UInt8] {
        var writer = ByteWriter()
        for definition in windows { writer.writeSized(definition.identity) }
        return writer.bytes
    }

    /// What was met that cannot be: until the store is emptied, and filled again from the log, its answers are not to be
    /// trusted.
    public var damage: StoreError? { found.withLock { $0.error } }

    /// - Parameter body: called, by whoever asks or writes, when damage is met first.
    public func onDamage(_ body: @escaping @Sendable () -> Void) { found.withLock { $0.onFirst = body } }

    private struct Damage: Sendable {
        var error: StoreError?
        var onFirst: @Sendable () -> Void = {}
    }

    private func note(_ error: StoreError) {
        guard case .damaged = error else { return }
        let tell = found.withLock { found in
            defer { found.error = found.error ?? error }
            return found.error == nil ? found.onFirst : {}
        }
        tell()
    }

    /// Runs `body` on a snapshot, and takes note of damage.
    func read<Result>(
        _ body: (borrowing ReadTransaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        do throws(StoreError) { return try store.read(body) } catch {
            note(error)
            throw error
        }
    }

    /// Forgets everything: the follower begins at entry 0.
    public func reset() throws(StoreError) {
        let tables = tables
        let (ledger, kindsBytes, windowsBytes) = (ledger, kindsBytes, windowsBytes)
        try store.write { transaction throws(StoreError) in
            try tables.clear(&transaction)
            try transaction.put(tables.state, QueryTables.ledgerKey, ledger.bytes)
            try transaction.put(tables.state, QueryTables.kindsKey, kindsBytes)
            try transaction.put(tables.state, QueryTables.windowsKey, windowsBytes)
        }
        let kinds = kinds
        index.withLock { $0 = SeriesIndex(kinds: kinds) }
        windowGroups.withLock { $0 = nil }
        found.withLock { $0.error = nil }
    }

    /// The first entry that was not followed yet.
    public func nextIndex() throws(StoreError) -> EntryIndex {
        let tables = tables
        return try read { transaction throws(StoreError) in
            EntryIndex(try tables.value(of: .next, transaction))
        }
    }

    /// Follows a batch of entries in one transaction. What was followed before is skipped, a gap is refused.
    ///
    /// Blocks for the commit. A batch of up to about a thousand entries keeps the transaction small.
    public func apply(_ batch: [FeedEntry]) throws(QueryStoreError) -> ApplyOutcome {
        try write { writer, transaction throws(StoreError) in
            try writer.apply(batch, &transaction)
        }.get()
    }

    /// Takes out the samples that an entry brought, for ever; also of one that has not been followed yet.
    ///
    /// - Returns: How many samples went.
    @discardableResult
    public func erase(_ index: EntryIndex) throws(QueryStoreError) -> Int {
        try write { writer, transaction throws(StoreError) in try writer.erase(index, &transaction) }
    }

    private func write<Result>(
        _ body: (inout QueryWriter, inout WriteTransaction) throws(StoreError) -> Result
    ) throws(QueryStoreError) -> Result {
        // What the index has to take back if the transaction fails.
        var changes: [QueryWriter.IndexChange] = []
        do throws(StoreError) {
            return try store.write { transaction throws(StoreError) in
                var writer = try QueryWriter(store: self, transaction)
                defer { changes = writer.changes }
                let result = try body(&writer, &transaction)
                try writer.finish(&transaction)
                return result
            }
        } catch {
            index.withLock { index in
                for change in changes.reversed() { change.undo(in: &index) }
            }
            // Numbers that were undone are given again.
            windowGroups.withLock { $0 = nil }
            note(error)
            throw .store(error)
        }
    }
}
