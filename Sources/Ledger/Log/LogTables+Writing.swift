extension LogTables {
    /// Writes a block and every row that follows from it. The block is a child of the tip.
    func append(
        _ appended: LogStore.AppendedBlock, _ stored: [StoredEntry], in transaction: inout WriteTransaction
    ) throws(StoreError) {
        let block = appended.block
        let height = block.header.height
        let hash = block.header.hash
        precondition(stored.count == block.entries.count, "each entry comes with its row")

        try transaction.put(blocks, BlockKey(height: height, hash: hash), block.header)
        try transaction.append(chain, height, hash)
        if !block.entries.isEmpty { try transaction.append(starts, block.firstIndex, height) }
        for (position, entry) in stored.enumerated() {
            let index = EntryIndex(block.firstIndex.value + UInt64(position))
            try transaction.put(
                entries, EntryKey(height: height, hash: hash, position: UInt32(position)), entry)
            if let identity = entry.identity {
                try transaction.put(documents, DocumentKey(identity), index.value)
            }
            if appended.facts[position].changesRules { try transaction.append(special, index, 1) }
        }
        for completed in appended.completed where completed.level < Self.treeLevels {
            try transaction.append(tree[completed.level], completed.index, completed.digest)
        }
    }

    /// Takes the rows above `height` back: the chain then ends there. The blocks themselves stay.
    func truncate(to height: BlockHeight, in transaction: inout WriteTransaction) throws(StoreError) {
        guard let top = try transaction.last(chain), top.key > height else { return }
        let size = try header(at: height, in: transaction).treeSize

        var gone: [DocumentIdentity] = []
        try transaction.scan(chain, from: height.next) { height, hash throws(StoreError) in
            for entry in try storedEntries(of: height, hash, in: transaction) {
                if let identity = entry.identity { gone.append(identity) }
            }
            return .next
        }
        for identity in gone { try transaction.delete(documents, DocumentKey(identity)) }
        try transaction.deleteTail(chain, from: height.next)
        try transaction.deleteTail(certificates, from: height.next)
        try transaction.deleteTail(starts, from: EntryIndex(size))
        try transaction.deleteTail(special, from: EntryIndex(size))
        for level in 0..<Self.treeLevels {
            // A subtree of this level is complete, and so has a row, only when all its leaves are there.
            try transaction.deleteTail(tree[level], from: size >> UInt64(8 * level))
        }
    }

    /// Forgets the payload of an entry. The caller has destroyed its keys, or does so next.
    func erase(_ index: EntryIndex, in transaction: inout WriteTransaction) throws(StoreError) {
        let key = try entryKey(of: index, in: transaction)
        guard let stored = try transaction.value(entries, key) else { throw Self.lost(index) }
        try transaction.put(entries, key, stored.erased)
    }
}
