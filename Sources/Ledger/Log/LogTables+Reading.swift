extension LogTables {
    /// The header at a height of the tip's chain.
    func header(
        at height: BlockHeight, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> BlockHeader {
        guard let hash = try transaction.value(chain, height),
            let header = try transaction.value(blocks, BlockKey(height: height, hash: hash))
        else { throw .damaged(place: "block \(height)", reason: "it is missing") }
        return header
    }

    /// The height of the block that holds an entry.
    func height(
        of index: EntryIndex, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> BlockHeight {
        guard let start = try transaction.last(starts, atOrBefore: index) else { throw Self.lost(index) }
        return start.value
    }

    /// Where an entry of the tip's chain is kept.
    func entryKey(
        of index: EntryIndex, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> EntryKey {
        guard let start = try transaction.last(starts, atOrBefore: index),
            let hash = try transaction.value(chain, start.value)
        else { throw Self.lost(index) }
        return EntryKey(
            height: start.value, hash: hash, position: UInt32(clamping: index.value - start.key.value))
    }

    /// All rows of a block's entries, in order.
    func storedEntries(
        of height: BlockHeight, _ hash: Digest, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> [StoredEntry] {
        let start = EntryKey(height: height, hash: hash, position: 0)
        var found: [StoredEntry] = []
        try transaction.scan(entries, from: start) { key, entry throws(StoreError) in
            guard key.height == height, key.hashStart == start.hashStart else { return .stop }
            found.append(entry)
            return .next
        }
        return found
    }

    /// The right edge of the tree of the first `size` leaves, from the complete subtrees that are kept.
    func frontier(
        size: UInt64, in transaction: borrowing some StoreReading & ~Copyable
    ) throws(StoreError) -> MerkleFrontier {
        // The digits of the size in base 256, largest first: whole tiles' worth of subtrees at each level.
        var frontier = MerkleFrontier()
        for level in (0..<Self.treeLevels).reversed() {
            let end = size >> UInt64(8 * level)
            for index in (end & ~255)..<end {
                guard let digest = try transaction.value(tree[level], index) else {
                    throw .damaged(place: "tree level \(level)", reason: "hash \(index) is missing")
                }
                frontier.append(subtree: digest, level: level)
            }
        }
        return frontier
    }

    static func lost(_ index: EntryIndex) -> StoreError {
        .damaged(place: "entry \(index)", reason: "it is missing")
    }
}
