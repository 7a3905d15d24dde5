/// A block that lies in the store, on the tip's chain or beside it.
public struct StoredBlock: Sendable {
    public let header: BlockHeader
    public let hash: Digest
    public let isOnChain: Bool
    public let entries: [LogEntry]
}

// Blocks beside the tip's chain: what a node accepted and left again, in a change of views. It keeps them while one of
// them may still become final, and not a moment longer: a payload in a dead branch must not outlive an erasure.
extension LogStore {
    private static let branchesKey = Array("branches above".utf8)
    private static let deadSlotsKey = Array("dead slots".utf8)

    /// All blocks above a height, parents before children.
    public func blocks(above height: BlockHeight) throws(StoreError) -> [StoredBlock] {
        let tables = self.tables
        var found: [(BlockHeader, Digest, Bool, [StoredEntry])] = []
        try store.read { transaction throws(StoreError) in
            try transaction.scan(tables.blocks, from: BlockKey(height: height.next, hash: .zero)) {
                key, header throws(StoreError) in
                found.append(
                    (
                        header, key.hash, try transaction.value(tables.chain, key.height) == key.hash,
                        try tables.storedEntries(of: key.height, key.hash, in: transaction)
                    ))
                return .next
            }
        }
        var blocks: [StoredBlock] = []
        for (header, hash, isOnChain, rows) in found {
            blocks.append(try block(header, hash, isOnChain: isOnChain, rows))
        }
        return blocks
    }

    /// One block, wherever it lies; `nil` where it is not here.
    public func block(_ hash: Digest, at height: BlockHeight) throws(StoreError) -> StoredBlock? {
        let tables = self.tables
        let found = try store.read { transaction throws(StoreError) -> (BlockHeader, Bool, [StoredEntry])? in
            guard let header = try transaction.value(tables.blocks, BlockKey(height: height, hash: hash))
            else { return nil }
            return (
                header, try transaction.value(tables.chain, height) == hash,
                try tables.storedEntries(of: height, hash, in: transaction)
            )
        }
        guard let (header, isOnChain, rows) = found else { return nil }
        return try block(header, hash, isOnChain: isOnChain, rows)
    }

    private func block(
        _ header: BlockHeader, _ hash: Digest, isOnChain: Bool, _ rows: [StoredEntry]
    ) throws(StoreError) -> StoredBlock {
        guard header.treeSize >= UInt64(rows.count) else {
            throw .damaged(place: "block \(header.height)", reason: "it has more entries than its tree")
        }
        let first = header.treeSize - UInt64(rows.count)
        var entries: [LogEntry] = []
        for (position, stored) in rows.enumerated() {
            entries.append(
                LogEntry(
                    index: EntryIndex(first + UInt64(position)), height: header.height,
                    blockTime: header.time, statement: stored.statement, identity: stored.identity,
                    keyCommitment: stored.commitment, payload: try open(stored)))
        }
        return StoredBlock(header: header, hash: hash, isOnChain: isOnChain, entries: entries)
    }

    /// The rows of a block that was left and is taken up again. Writing them anew would leave the keys in the old slots
    /// behind, where no erasure finds them.
    func keptRows(of block: Block, _ hash: Digest) throws(StoreError) -> [StoredEntry]? {
        let tables = self.tables
        let height = block.header.height
        let rows = try store.read { transaction throws(StoreError) -> [StoredEntry]? in
            guard try transaction.contains(tables.blocks, BlockKey(height: height, hash: hash)) else {
                return nil
            }
            return try tables.storedEntries(of: height, hash, in: transaction)
        }
        guard let rows, rows.count == block.entries.count else { return nil }
        for row in rows where row.slot != StoredEntry.noSlot {
            guard case .held = try slots.read(row.slot) else { return nil }
        }
        return rows
    }

    static func noteBranches(
        above height: BlockHeight, _ tables: LogTables, in transaction: inout WriteTransaction
    ) throws(StoreError) {
        let known = try transaction.value(tables.state, branchesKey)
        var lowest = height
        if let known { lowest = min(lowest, try decodeHeight(known)) }
        try transaction.put(tables.state, branchesKey, lowest.keyBytes)
    }

    /// The height above which blocks may lie beside the chain; `nil` where there are none.
    public func branchesAbove() throws(StoreError) -> BlockHeight? {
        let tables = self.tables
        let bytes = try store.read { transaction throws(StoreError) in
            try transaction.value(tables.state, Self.branchesKey)
        }
        guard let bytes else { return nil }
        return try Self.decodeHeight(bytes)
    }

    private static func decodeHeight(_ bytes: [UInt8]) throws(StoreError) -> BlockHeight {
        do { return try BlockHeight(keyBytes: bytes) } catch {
            throw .damaged(place: "table state, branches", reason: error.description)
        }
    }

    /// Removes the blocks that can never become final, now that the one of the chain at `height` is, and every key to
    /// their payloads.
    ///
    /// The rows go first, and leave a list of their slots, so that a crash in between forgets none. Call it once the
    /// certificate of `height` is on the disk.
    ///
    /// - Returns: Whether blocks remain beside the chain, above `height`.
    public func prune(upTo height: BlockHeight) throws(StoreError) -> Bool {
        try destroyDeadSlots()
        guard let from = try branchesAbove() else { return false }
        let tables = self.tables
        let remain = try store.write { transaction throws(StoreError) -> Bool in
            var dead: [BlockKey] = []
            var remain = false
            // What descends from the final block may still be needed.
            var alive: Set<Digest> = []
            if let final = try transaction.value(tables.chain, height) { alive.insert(final) }
            try transaction.scan(tables.blocks, from: BlockKey(height: from.next, hash: .zero)) {
                key, header throws(StoreError) in
                if key.height > height, alive.contains(header.parent) { alive.insert(key.hash) }
                if try transaction.value(tables.chain, key.height) == key.hash { return .next }
                if alive.contains(key.hash) { remain = true } else { dead.append(key) }
                return .next
            }
            var slots: [UInt8] = []
            for block in dead {
                let rows = try tables.storedEntries(of: block.height, block.hash, in: transaction)
                for (position, row) in rows.enumerated() {
                    if row.slot != StoredEntry.noSlot { slots += row.slot.valueBytes }
                    try transaction.delete(
                        tables.entries,
                        EntryKey(height: block.height, hash: block.hash, position: UInt32(position)))
                }
                try transaction.delete(tables.blocks, block)
            }
            if remain {
                try transaction.put(tables.state, Self.branchesKey, max(from, height).keyBytes)
            } else {
                try transaction.delete(tables.state, Self.branchesKey)
            }
            if !slots.isEmpty { try transaction.put(tables.state, Self.deadSlotsKey, slots) }
            return remain
        }
        try destroyDeadSlots()
        return remain
    }

    private func destroyDeadSlots() throws(StoreError) {
        let tables = self.tables
        let listed = try store.read { transaction throws(StoreError) in
            try transaction.value(tables.state, Self.deadSlotsKey)
        }
        guard let listed else { return }
        try store.scrubJournal()
        var reader = ByteReader(listed)
        while reader.remaining > 0 {
            let slot: UInt64
            do throws(DecodingFailure) { slot = try reader.read(UInt64.self, "slot") } catch {
                throw .damaged(place: "table state, dead slots", reason: error.description)
            }
            try slots.erase(slot)
        }
        try slots.flush()
        try store.write { transaction throws(StoreError) in
            _ = try transaction.delete(tables.state, Self.deadSlotsKey)
        }
    }
}
