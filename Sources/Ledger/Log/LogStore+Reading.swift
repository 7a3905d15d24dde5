/// An entry as the log has it.
public struct LogEntry: Sendable {
    public let index: EntryIndex
    /// Of the block that holds it.
    public let height: BlockHeight
    public let blockTime: Timestamp
    /// The leaf.
    public let statement: [UInt8]
    /// `nil` for a governance record.
    public let identity: DocumentIdentity?
    /// Its part of the header's key commitments (docs/formats.md 4.2); zero for a governance record. It outlives an
    /// erasure.
    public let keyCommitment: Digest
    public let payload: Payload

    public enum Payload: Sendable {
        /// A governance record has none.
        case none
        case erased
        case held(Entry.Sealed)
        /// The row is there, and its keys or its bytes are not what they were.
        case damaged(reason: String)
    }

    /// Bytes of the statement and of a payload that is held.
    public var byteCount: Int {
        guard case .held(let sealed) = payload else { return statement.count }
        return statement.count + sealed.payload.count
    }
}

extension LogStore {
    /// The height of the tip's chain. What is final may end below.
    public func tipHeight() throws(StoreError) -> BlockHeight {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            try transaction.last(tables.chain)?.key ?? .genesis
        }
    }

    /// The header at a height, or `nil` above the tip.
    public func header(at height: BlockHeight) throws(StoreError) -> BlockHeader? {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            guard try transaction.contains(tables.chain, height) else { return nil }
            return try tables.header(at: height, in: transaction)
        }
    }

    /// How many entries the log had after the last block of a time at or before `time`, of those up to `newest`.
    ///
    /// Of blocks of one time the last is meant; before the genesis block there was nothing.
    public func size(at time: Timestamp, through newest: BlockHeight) throws(StoreError) -> UInt64 {
        // Times do not fall along the chain, so half of what is left can be passed over with each look.
        var (size, low, beyond) = (UInt64(0), BlockHeight.genesis.value, newest.value + 1)
        while low < beyond {
            let middle = low + (beyond - low) / 2
            guard let header = try header(at: BlockHeight(middle)) else {
                throw .damaged(place: "block \(middle)", reason: "it is missing")
            }
            if header.time <= time {
                size = header.treeSize
                low = middle + 1
            } else {
                beyond = middle
            }
        }
        return size
    }

    /// Headers from a height on, at most `limit`, with the certificates that this node has.
    public func blocks(
        from height: BlockHeight, limit: Int
    ) throws(StoreError) -> [(header: BlockHeader, certificate: CommitCertificate?)] {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            var found: [(BlockHeader, CommitCertificate?)] = []
            try transaction.scan(tables.chain, from: height) { height, hash throws(StoreError) in
                guard found.count < limit else { return .stop }
                guard let header = try transaction.value(tables.blocks, BlockKey(height: height, hash: hash))
                else {
                    throw .damaged(place: "block \(height)", reason: "it is missing")
                }
                found.append((header, try transaction.value(tables.certificates, height)))
                return .next
            }
            return found
        }
    }

    /// The newest certificate on the disk: what is final for certain.
    public func lastCertificate() throws(StoreError) -> CommitCertificate? {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            try transaction.last(tables.certificates)?.value
        }
    }

    /// The certificate of the block after which the log had `size` entries, if this node has it.
    public func certificate(ofSize size: UInt64) throws(StoreError) -> CommitCertificate? {
        guard size > 0 else { return nil }
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            let height = try tables.height(of: EntryIndex(size - 1), in: transaction)
            guard let certificate = try transaction.value(tables.certificates, height) else { return nil }
            return certificate.header.treeSize == size ? certificate : nil
        }
    }

    /// The end of the chain at a height, from which it can be extended.
    public func chainTip(at height: BlockHeight) throws(StoreError) -> ChainTip {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            let header = try tables.header(at: height, in: transaction)
            return ChainTip(
                header: header, frontier: try tables.frontier(size: header.treeSize, in: transaction))
        }
    }

    /// The index of a document, if the tip's chain has it.
    public func index(of identity: DocumentIdentity) throws(StoreError) -> EntryIndex? {
        try indexes(of: [identity]).first ?? nil
    }

    /// The same of several, in order, from one state of the log.
    public func indexes(of identities: [DocumentIdentity]) throws(StoreError) -> [EntryIndex?] {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            var indexes: [EntryIndex?] = []
            indexes.reserveCapacity(identities.count)
            for identity in identities {
                indexes.append(
                    try transaction.value(tables.documents, DocumentKey(identity)).map(EntryIndex.init))
            }
            return indexes
        }
    }

    /// One entry, its payload opened from rest. The caller has compared the index with the final size.
    public func entry(_ index: EntryIndex) throws(StoreError) -> LogEntry {
        guard let entry = try entries(index..<EntryIndex(index.value + 1)).first else {
            throw LogTables.lost(index)
        }
        return entry
    }

    /// Entries of a range in order, payloads opened from rest. The caller bounds the range.
    public func entries(_ range: Range<EntryIndex>) throws(StoreError) -> [LogEntry] {
        let tables = self.tables
        var rows: [(EntryIndex, BlockHeight, Timestamp, StoredEntry)] = []
        try store.read { transaction throws(StoreError) in
            var index = range.lowerBound
            while index < range.upperBound {
                let height = try tables.height(of: index, in: transaction)
                let header = try tables.header(at: height, in: transaction)
                let start = try tables.entryKey(of: index, in: transaction)
                try transaction.scan(tables.entries, from: start) { key, entry throws(StoreError) in
                    // The header says where the block ends; a row too many must not pass for the next block's first.
                    guard key.height == height, key.hashStart == start.hashStart, index < range.upperBound,
                        index.value < header.treeSize
                    else { return .stop }
                    rows.append((index, height, header.time, entry))
                    index = EntryIndex(index.value + 1)
                    return .next
                }
                // A block without the rows that its header counts would otherwise be looked for over and over.
                guard let last = rows.last, last.0.value + 1 == index.value, last.1 == height else {
                    throw LogTables.lost(index)
                }
            }
        }
        var entries: [LogEntry] = []
        entries.reserveCapacity(rows.count)
        for (index, height, time, stored) in rows {
            entries.append(
                LogEntry(
                    index: index, height: height, blockTime: time, statement: stored.statement,
                    identity: stored.identity, keyCommitment: stored.commitment, payload: try open(stored)))
        }
        return entries
    }

    /// Opens a payload from rest.
    func open(_ stored: StoredEntry) throws(StoreError) -> LogEntry.Payload {
        guard stored.identity != nil else { return .none }
        guard stored.slot != StoredEntry.noSlot else { return .erased }
        var slot = try slots.read(stored.slot)
        if slot == .absent, let keys = store.foreign(stored.slot.keyBytes).flatMap(KeySlots.Keys.init) {
            slot = .held(keys)
        }
        switch slot {
        case .erased: return .erased
        case .absent: return .damaged(reason: "its keys are damaged")
        case .held(let keys):
            do {
                let payload = try PayloadAtRest.open(
                    stored.payload, dataKey: keys.dataKey, statementDigest: .sha256(stored.statement))
                return .held(.init(payload: payload, contentKey: keys.contentKey))
            } catch {
                return .damaged(reason: "its payload does not open at rest")
            }
        }
    }

    /// The leaves of a range: what an entry bundle holds.
    public func leaves(_ range: Range<EntryIndex>) throws(StoreError) -> [[UInt8]] {
        try entries(range).map(\.statement)
    }

    /// The entries that change the rules, in order: governance records and sessions.
    public func indexesThatChangeRules(below size: UInt64) throws(StoreError) -> [EntryIndex] {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            var found: [EntryIndex] = []
            try transaction.scan(tables.special) { index, _ throws(StoreError) in
                guard index.value < size else { return .stop }
                found.append(index)
                return .next
            }
            return found
        }
    }

    /// Destroys the payload of an entry and every key to it. Doing it twice changes nothing.
    ///
    /// The keys go first, from the journal and from their slot, and are gone from the disk before the log forgets where
    /// they were.
    public func erase(_ index: EntryIndex) throws(StoreError) {
        let tables = self.tables
        let stored: StoredEntry? = try store.read { transaction throws(StoreError) in
            try transaction.value(tables.entries, try tables.entryKey(of: index, in: transaction))
        }
        guard let stored else { throw LogTables.lost(index) }
        guard stored.slot != StoredEntry.noSlot else { return }
        try store.scrubJournal()
        try slots.erase(stored.slot)
        try slots.flush()
        try store.write { transaction throws(StoreError) in try tables.erase(index, in: &transaction) }
    }

    /// Bytes of the log that are in use on the disk, without the keys.
    public func usedBytes() throws(StoreError) -> Int { try store.usedBytes() }
}

/// The complete subtrees of a log on disk, as proofs need them.
public struct LogTree: HashSource {
    private let log: LogStore

    public init(_ log: LogStore) { self.log = log }

    public func hashes(level: Int, range: Range<UInt64>) throws -> [Digest] {
        guard level < LogTables.treeLevels else {
            throw ProofError(.outOfRange, "the tree has no level \(level)")
        }
        let table = log.tables.tree[level]
        return try log.store.read { transaction throws(StoreError) in
            var found: [Digest] = []
            found.reserveCapacity(range.count)
            try transaction.scan(table, from: range.lowerBound) { index, digest throws(StoreError) in
                guard index < range.upperBound else { return .stop }
                guard index == range.lowerBound + UInt64(found.count) else { return .stop }
                found.append(digest)
                return .next
            }
            guard found.count == range.count else {
                throw .damaged(
                    place: "tree level \(level)",
                    reason: "hash \(range.lowerBound + UInt64(found.count)) is missing")
            }
            return found
        }
    }
}
