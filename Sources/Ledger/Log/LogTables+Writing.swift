extension LogTables {
    static let safetyKey = Array("safety".utf8)

    /// Writes what a change puts; what it takes back is the caller's.
    ///
    /// - Parameter stored: the rows of each block's entries, by its hash.
    func put<Target: RowWriting & ~Copyable>(
        _ change: LogStore.Change, _ stored: [Digest: [StoredEntry]], in target: inout Target
    ) throws(StoreError) {
        for appended in change.append {
            try append(appended, stored[appended.block.header.hash] ?? [], in: &target)
        }
        for certificate in change.certificates {
            try target.put(certificates, certificate.header.height, certificate)
        }
        if let safety = change.safety { try target.put(state, Self.safetyKey, safety) }
    }

    /// Writes a block and every row that follows from it. The block is a child of the tip.
    private func append<Target: RowWriting & ~Copyable>(
        _ appended: LogStore.AppendedBlock, _ stored: [StoredEntry], in target: inout Target
    ) throws(StoreError) {
        let block = appended.block
        let height = block.header.height
        let hash = block.header.hash
        precondition(stored.count == block.entries.count, "each entry comes with its row")

        try target.put(blocks, BlockKey(height: height, hash: hash), block.header)
        try target.append(chain, height, hash)
        if !block.entries.isEmpty { try target.append(starts, block.firstIndex, height) }
        for (position, entry) in stored.enumerated() {
            let index = EntryIndex(block.firstIndex.value + UInt64(position))
            try target.put(
                entries, EntryKey(height: height, hash: hash, position: UInt32(position)), entry)
            if let identity = entry.identity {
                try target.put(documents, DocumentKey(identity), index.value)
            }
            if appended.facts[position].changesRules { try target.append(special, index, 1) }
        }
        for completed in appended.completed where completed.level < Self.treeLevels {
            try target.append(tree[completed.level], completed.index, completed.digest)
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
