/// The ledger on one disk: the log in its store, with what this node must remember of its votes, and the keys of its
/// payloads in their slots.
///
/// Writing belongs to one thread, the ordering's; reading to any. Nothing here decides what is true: callers hand in
/// blocks that were checked, and readers are told which block is final.
public final class LogStore: Sendable {
    public let directory: String
    let store: Store
    let tables: LogTables
    let slots: KeySlots

    private static let nextSlotKey = Array("next slot".utf8)

    /// Opens the log in `directory`: `log/`, `journal` and `keys` in it.
    ///
    /// - Parameter genesis: the block that the chain begins with; an empty log is given it.
    /// - Throws: `.damaged` where the directory belongs to another ledger.
    public convenience init(directory: String, genesis: BlockHeader, access: Store.Access) throws(StoreError)
    {
        try self.init(directory: directory, genesis: genesis, access: access, schema: LogTables.schema)
    }

    /// - Parameter schema: the tables of the log; how far the map may grow is a test's to choose.
    init(
        directory: String, genesis: BlockHeader, access: Store.Access, schema: Store.Schema
    ) throws(StoreError) {
        self.directory = directory
        let writing: Bool
        switch access {
        case .writing: writing = true
        case .reading: writing = false
        }
        slots = try KeySlots(path: directory + "/keys", writing: writing)
        store = try Store(
            directory: directory + "/log", schema: schema, access: access, journal: directory + "/journal",
            companion: slots)
        tables = LogTables(store)

        let tables = self.tables
        let first = try store.read { transaction throws(StoreError) in
            try transaction.value(tables.chain, .genesis)
        }
        if let first {
            guard first == genesis.hash else {
                throw .damaged(
                    place: directory, reason: "it holds another ledger, whose first block is \(first)")
            }
        } else if writing {
            // A new log begins with its first block before any key is written.
            guard try slots.isEmpty else {
                throw .damaged(
                    place: directory + "/log", reason: "it is empty, while the keys beside it are not")
            }
            try store.write { transaction throws(StoreError) in
                try transaction.put(tables.blocks, BlockKey(height: .genesis, hash: genesis.hash), genesis)
                try transaction.append(tables.chain, .genesis, genesis.hash)
            }
        } else {
            throw .missing(directory: directory)
        }
        if writing { try checkNewestKeys() }
    }

    /// What one flush makes durable.
    public struct Change: Sendable {
        /// Blocks above this height leave the tip's chain first.
        public var truncateTo: BlockHeight?
        /// The tip's new blocks, parent before child.
        public var append: [AppendedBlock] = []
        public var certificates: [CommitCertificate] = []
        /// What this node must remember of its votes; opaque here.
        public var safety: [UInt8]?

        public init() {}

        public var isEmpty: Bool {
            truncateTo == nil && append.isEmpty && certificates.isEmpty && safety == nil
        }
    }

    /// A block with what its rows need beside it.
    public struct AppendedBlock: Sendable {
        public let block: Block
        /// One for each entry, in order.
        public let facts: [EntryFacts]
        /// The subtrees that its leaves complete.
        public let completed: [TileHash]

        /// - Precondition: one fact for each entry.
        public init(block: Block, facts: [EntryFacts], completed: [TileHash]) {
            precondition(facts.count == block.entries.count, "each entry comes with its facts")
            self.block = block
            self.facts = facts
            self.completed = completed
        }
    }

    /// What is known of an entry from having opened it.
    public struct EntryFacts: Hashable, Sendable {
        /// `nil` for a governance record.
        public let identity: DocumentIdentity?
        public let changesRules: Bool

        public init(identity: DocumentIdentity?, changesRules: Bool) {
            self.identity = identity
            self.changesRules = changesRules
        }
    }

    /// Writes a change; when it returns, everything in it is on the disk, log and keys.
    public func save(_ change: Change) throws(StoreError) { try save([change]) }

    /// Writes changes one after the other, all or none; when it returns, they are on the disk, log and keys.
    public func save(_ changes: [Change]) throws(StoreError) {
        let tables = self.tables
        let firstSlot = try nextSlot()
        var keys: [KeySlots.Keys] = []
        keys.reserveCapacity(changes.reduce(0) { $0 + $1.append.reduce(0) { $0 + $1.block.entries.count } })
        var rows: [Digest: [StoredEntry]] = [:]
        for appended in changes.lazy.flatMap(\.append) {
            let hash = appended.block.header.hash
            guard rows[hash] == nil else { continue }
            rows[hash] = try keptRows(of: appended.block, hash)
            guard rows[hash] == nil else { continue }
            var placed: [StoredEntry] = []
            placed.reserveCapacity(appended.block.entries.count)
            do {
                let sealer = try PayloadAtRest.Sealer()
                var dataKeys = try DataKeys(for: appended.block.entries)
                for (entry, facts) in zip(appended.block.entries, appended.facts) {
                    placed.append(
                        try Self.place(entry, facts, firstSlot: firstSlot, sealer, &dataKeys, &keys))
                }
            } catch {
                throw .system(operation: "seal a payload at rest", code: 0, reason: error.reason)
            }
            rows[hash] = placed
        }
        let slot = firstSlot + UInt64(keys.count)
        try slots.write(keys, from: firstSlot)
        if changes.allSatisfy({ $0.truncateTo == nil }) {
            var batch = RowBatch()
            for change in changes { try tables.put(change, rows, in: &batch) }
            if !keys.isEmpty { batch.put(tables.state, Self.nextSlotKey, slot.valueBytes) }
            for (position, keys) in keys.enumerated() {
                batch.putBeside(slots, firstSlot + UInt64(position), keys.dataKey, keys.contentKey)
            }
            return try store.put(batch)
        }
        // Keys come before the rows that name them.
        if !keys.isEmpty { try slots.flush() }
        try store.write { transaction throws(StoreError) in
            for change in changes {
                if let height = change.truncateTo {
                    try tables.truncate(to: height, in: &transaction)
                    try Self.noteBranches(above: height, tables, in: &transaction)
                }
                try tables.put(change, rows, in: &transaction)
            }
            if !keys.isEmpty { try transaction.put(tables.state, Self.nextSlotKey, slot.valueBytes) }
        }
    }

    /// Whether a change without `truncateTo` goes to the journal alone, whatever its size: the tables, which take longer,
    /// have time.
    public var isJournalRoomy: Bool { store.isJournalRoomy }

    /// Gives the tables what the journal holds: a directory at rest is read with LMDB alone.
    public func settle() throws(StoreError) { try store.write { _ throws(StoreError) in } }

    /// What `Change.safety` last held.
    public func safety() throws(StoreError) -> [UInt8]? {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            try transaction.value(tables.state, LogTables.safetyKey)
        }
    }

    /// An entry's row; the keys of its payload join `keys`, which go to the slots from `firstSlot` on.
    private static func place(
        _ entry: Entry, _ facts: EntryFacts, firstSlot: UInt64, _ sealer: borrowing PayloadAtRest.Sealer,
        _ dataKeys: inout DataKeys, _ keys: inout [KeySlots.Keys]
    ) throws(EnvelopeError) -> StoredEntry {
        guard let sealed = entry.sealed else {
            return StoredEntry(
                slot: StoredEntry.noSlot, commitment: entry.keyCommitment, identity: facts.identity,
                statement: entry.statement.bytes, payload: [])
        }
        let dataKey = dataKeys.next()
        keys.append(.init(dataKey: dataKey, contentKey: sealed.contentKey))
        return StoredEntry(
            slot: firstSlot + UInt64(keys.count - 1), commitment: entry.keyCommitment,
            identity: facts.identity,
            statement: entry.statement.bytes,
            payload: try sealer.seal(
                sealed.payload, dataKey: dataKey, statementDigest: entry.statement.digest))
    }

    private func nextSlot() throws(StoreError) -> UInt64 {
        let tables = self.tables
        let bytes = try store.read { transaction throws(StoreError) in
            try transaction.value(tables.state, Self.nextSlotKey)
        }
        guard let bytes else { return 0 }
        let slot: UInt64
        do { slot = try UInt64(valueBytes: bytes) } catch {
            throw .damaged(place: "table state, next slot", reason: error.description)
        }
        guard slot < KeySlots.slotLimit else {
            throw .damaged(place: "table state, next slot", reason: "there were never \(slot) slots")
        }
        return slot
    }

    /// Keys are on the disk before the rows that name them: a file that was cut short, or taken from an older copy, lacks
    /// the newest.
    private func checkNewestKeys() throws(StoreError) {
        let tables = self.tables
        let slots = self.slots
        let lost = try store.read { transaction throws(StoreError) -> BlockHeight? in
            var height = try transaction.last(tables.chain)?.key ?? .genesis
            for _ in 0..<64 where height > .genesis {
                defer { height = height.previous }
                guard let hash = try transaction.value(tables.chain, height) else { return nil }
                let stored = try tables.storedEntries(of: height, hash, in: transaction)
                guard let newest = stored.last(where: { $0.slot != StoredEntry.noSlot }) else { continue }
                return try slots.read(newest.slot) == .absent ? height : nil
            }
            return nil
        }
        guard let lost else { return }
        throw .damaged(
            place: directory + "/keys", reason: "the keys of block \(lost) are not there any more")
    }
}

/// Fresh data keys for the payloads of a block, drawn at once: a draw of the generator costs more than its bytes.
private struct DataKeys {
    private var bytes: ArraySlice<UInt8>

    init(for entries: [Entry]) throws(EnvelopeError) {
        let count = entries.count { $0.sealed != nil }
        bytes = try RandomBytes.make(count * PayloadAtRest.dataKeyBytes)[...]
    }

    /// - Precondition: called once for each payload.
    mutating func next() -> [UInt8] {
        defer { bytes = bytes.dropFirst(PayloadAtRest.dataKeyBytes) }
        return Array(bytes.prefix(PayloadAtRest.dataKeyBytes))
    }
}
