internal import Ledger

/// Changes trees within one transaction: samples go in, in batches, and come out, by the entry that brought them.
///
/// Every change is carried up to the root by adding up branches, so a late sample costs its chunk and O(log n) nodes.
struct TreeWriter {
    private let tables: TreeTables
    /// The next number of a chunk or node; kept by the caller from one transaction to the next.
    private(set) var nextID: NodeID

    init(_ tables: TreeTables, nextID: NodeID) {
        self.tables = tables
        self.nextID = nextID
    }

    private mutating func newID() -> NodeID {
        defer { nextID += 1 }
        return nextID
    }

    // MARK: Samples in

    mutating func insert(
        _ samples: [Sample], into tree: TreeID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        let bytes = try transaction.value(tables.treeBytes, tree) ?? []
        let grown: [UInt8]?
        do throws(DecodingFailure) {
            grown = try TreeRecord.adding(samples, to: bytes, limit: tables.shape.looseLimit)
        } catch {
            throw .damaged(place: "table trees, key \(tree.value)", reason: error.description)
        }
        if let grown { return try transaction.put(tables.treeBytes, tree, grown) }
        var record = try transaction.value(tables.trees, tree) ?? TreeRecord()
        record.head.merge(SampleChunk(live: samples))
        if record.head.count > tables.shape.headLimit { try settle(&record, &transaction) }
        try transaction.put(tables.trees, tree, record)
    }

    /// Moves samples from the head into the sealed part: late ones to where they belong, the others as new chunks.
    private mutating func settle(
        _ record: inout TreeRecord, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        if record.level > 0 {
            let late = record.head.removeAll(before: record.sealed)
            if !late.isEmpty {
                let top = try merge(late, into: record.root, level: record.level, &transaction)
                try grow(&record, top, &transaction)
            }
        }
        var complete: [SampleChunk] = []
        while record.head.count >= tables.shape.chunk + tables.shape.keptInHead {
            complete.append(record.head.removeFirst(tables.shape.chunk))
        }
        if !complete.isEmpty { try append(complete, &record, &transaction) }
    }

    private mutating func append(
        _ chunks: [SampleChunk], _ record: inout TreeRecord, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        var branches: [Branch] = []
        var keys: [Int32] = []
        for chunk in chunks {
            let columns = SampleColumns(chunk.live)
            if let branch = try write(chunk, columns, newID(), isNew: true, &transaction) {
                branches.append(branch)
            }
            keys += columns.keys(0..<columns.count)
            if let end = chunk.end { record.sealed = max(record.sealed, end) }
        }
        let buckets = LogBuckets(keys: keys)
        let top: [Branch]
        if record.level == 0 {
            record.level = 1
            top = try store(node(1, branches), newID(), adding: buckets, &transaction)
        } else {
            top = try append(
                branches, under: record.root, level: record.level, buckets: buckets, &transaction)
        }
        try grow(&record, top, &transaction)
    }

    /// Adds chunks at the right end of a node.
    ///
    /// - Returns: What stands in the node's place, in order.
    private mutating func append(
        _ branches: [Branch], under id: NodeID, level: UInt8, buckets: LogBuckets,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) -> [Branch] {
        var node = try transaction.node(id, level: level, tables)
        if node.level == 1 {
            node.branches += branches
        } else {
            let last = node.branches.removeLast()
            node.branches += try append(
                branches, under: last.id, level: level - 1, buckets: buckets, &transaction)
        }
        return try store(node, id, adding: buckets, isAtEnd: true, &transaction)
    }

    /// Puts late samples into the chunks where they belong.
    ///
    /// - Returns: What stands in the node's place, in order.
    private mutating func merge(
        _ late: SampleChunk, into id: NodeID, level: UInt8, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> [Branch] {
        let node = try transaction.node(id, level: level, tables)
        var parts = Array(repeating: SampleChunk(), count: node.branches.count)
        for sample in late.live { parts[node.child(for: sample.place)].live.append(sample) }
        for one in late.withdrawn { parts[node.child(for: one.sample.place)].withdrawn.append(one) }
        var changed = self.node(node.level, [])
        for (branch, part) in zip(node.branches, parts) {
            if part.isEmpty {
                changed.branches.append(branch)
            } else if node.level > 1 {
                changed.branches += try merge(
                    part, into: branch.id, level: level - 1, &transaction)
            } else {
                var chunk = try self.chunk(branch.id, transaction)
                chunk.merge(part)
                changed.branches += try store(chunk, branch.id, &transaction)
            }
        }
        return try store(changed, id, adding: LogBuckets(late.live), &transaction)
    }

    // MARK: Samples out

    /// Takes out what an entry brought.
    ///
    /// - Parameter correction: the entry that takes its place, from which on it no longer counts; without one it is
    ///   forgotten, as if it had never been.
    /// - Returns: The samples that counted until now.
    mutating func take(
        _ entry: EntryIndex, from tree: TreeID, by correction: EntryIndex?,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) -> [Sample] {
        try change(entry, in: tree, &transaction) { chunk in
            let taken = chunk.live.filter { $0.index == entry }
            chunk.live.removeAll { $0.index == entry }
            if let correction {
                chunk.withdrawn += taken.map { SampleChunk.Withdrawn(sample: $0, by: correction) }
                chunk.withdrawn.sort { $0.sample.precedes($1.sample) }
            } else {
                chunk.withdrawn.removeAll { $0.sample.index == entry }
            }
            return taken
        }
    }

    /// Undoes a correction of an entry that is erased: what it took out counts again, or is taken out by another.
    ///
    /// - Returns: The samples that count from now on.
    mutating func restore(
        _ entry: EntryIndex, in tree: TreeID, insteadBy correction: EntryIndex?,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) -> [Sample] {
        try change(entry, in: tree, &transaction) { chunk in
            let found = chunk.withdrawn.filter { $0.sample.index == entry }.map(\.sample)
            chunk.withdrawn.removeAll { $0.sample.index == entry }
            if let correction {
                chunk.withdrawn += found.map { SampleChunk.Withdrawn(sample: $0, by: correction) }
                chunk.withdrawn.sort { $0.sample.precedes($1.sample) }
                return []
            }
            chunk.merge(SampleChunk(live: found))
            return found
        }
    }

    /// Takes out of an aggregate across series what one of them lost.
    mutating func remove(
        _ samples: [Sample], from tree: TreeID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        for sample in samples {
            var isDone = false
            _ = try change(sample.index, in: tree, at: sample.time, &transaction) { chunk in
                guard !isDone, let place = chunk.live.firstIndex(where: { $0.isAlike(sample) }) else {
                    return []
                }
                isDone = true
                return [chunk.live.remove(at: place)]
            }
        }
    }

    /// Hands every chunk that an entry may have touched to `body`, and carries the change up.
    ///
    /// - Parameters:
    ///   - time: where given, chunks that do not span it are left out.
    ///   - body: returns the samples that went, or came, of those that count.
    private mutating func change(
        _ entry: EntryIndex, in tree: TreeID, at time: Int64? = nil, _ transaction: inout WriteTransaction,
        _ body: (inout SampleChunk) -> [Sample]
    ) throws(StoreError) -> [Sample] {
        guard var record = try transaction.value(tables.trees, tree) else { return [] }
        let before = record
        var changed = body(&record.head)
        if record.level > 0 {
            let (branches, samples) = try change(
                entry, under: record.root, level: record.level, at: time, &transaction, body)
            changed += samples
            if branches.isEmpty {
                (record.level, record.root) = (0, 0)
            } else {
                try grow(&record, branches, &transaction)
            }
        }
        if record.level == 0, record.head.isEmpty {
            try transaction.delete(tables.trees, tree)
        } else if record != before {
            try transaction.put(tables.trees, tree, record)
        }
        return changed
    }

    private mutating func change(
        _ entry: EntryIndex, under id: NodeID, level: UInt8, at time: Int64?,
        _ transaction: inout WriteTransaction, _ body: (inout SampleChunk) -> [Sample]
    ) throws(StoreError) -> (branches: [Branch], changed: [Sample]) {
        let node = try transaction.node(id, level: level, tables)
        var result = self.node(node.level, [])
        var changed: [Sample] = []
        for branch in node.branches {
            let isSpanned = time.map { $0 >= branch.first.time && $0 <= branch.lastTime } ?? true
            guard branch.changes.contains(entry.value), isSpanned else {
                result.branches.append(branch)
                continue
            }
            if node.level > 1 {
                let (branches, samples) = try change(
                    entry, under: branch.id, level: level - 1, at: time, &transaction, body)
                result.branches += branches
                changed += samples
            } else {
                let old = try self.chunk(branch.id, transaction)
                var chunk = old
                changed += body(&chunk)
                if chunk == old {
                    result.branches.append(branch)
                } else {
                    result.branches += try store(chunk, branch.id, &transaction)
                }
            }
        }
        if result == node {
            return (Branch(node, id: id).map { [$0] } ?? [], changed)
        }
        return (try store(result, id, adding: nil, &transaction), changed)
    }

    // MARK: Nodes

    private func node(_ level: UInt8, _ branches: [Branch]) -> TreeNode {
        TreeNode(level: level, parts: tables.shape.parts, branches: branches)
    }

    private func chunk(
        _ id: NodeID, _ transaction: borrowing WriteTransaction
    ) throws(StoreError) -> SampleChunk {
        guard let chunk = try transaction.value(tables.chunks, id) else {
            throw .damaged(place: "table chunks, key \(id)", reason: "it is missing")
        }
        return chunk
    }

    /// Writes a chunk, in several where it has become too large; none where it has become empty.
    private mutating func store(
        _ chunk: SampleChunk, _ id: NodeID, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> [Branch] {
        if chunk.isEmpty {
            try transaction.delete(tables.chunks, id)
            return []
        }
        var branches: [Branch] = []
        for (number, piece) in chunk.pieces(tables.shape).enumerated() {
            let branch = try write(
                piece, SampleColumns(piece.live), number == 0 ? id : newID(), isNew: number > 0, &transaction)
            if let branch { branches.append(branch) }
        }
        return branches
    }

    /// - Parameter columns: of the samples that count.
    /// - Returns: What its parent is to know of it; `nil` for an empty chunk.
    private mutating func write(
        _ chunk: SampleChunk, _ columns: SampleColumns, _ id: NodeID, isNew: Bool,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) -> Branch? {
        let bytes = chunk.bytes(of: columns)
        if isNew {
            // A new number comes after all others: pages fill up.
            try transaction.append(tables.chunkBytes, id, bytes)
        } else {
            try transaction.put(tables.chunkBytes, id, bytes)
        }
        return Branch(chunk, columns, id: id, tables.shape.parts)
    }

    /// Writes a node and what lies in its chunks, in several where it has become too large.
    ///
    /// - Parameters:
    ///   - added: what was added to it; `nil` to count again.
    ///   - isAtEnd: whether that came behind everything else, as what follows nearly always will.
    private mutating func store(
        _ node: TreeNode, _ id: NodeID, adding added: LogBuckets?, isAtEnd: Bool = false,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) -> [Branch] {
        if node.branches.isEmpty {
            try transaction.delete(tables.nodes, id)
            try transaction.delete(tables.buckets, id)
            return []
        }
        var branches: [Branch] = []
        var rest: LogBuckets?
        if let added {
            rest = try transaction.value(tables.buckets, id) ?? LogBuckets()
            rest?.add(added)
        }
        let pieces = node.pieces(fanOut: tables.shape.fanOut, fillingFirst: isAtEnd)
        for (number, piece) in pieces.enumerated().reversed() {
            let pieceID = number == 0 ? id : newID()
            let buckets: LogBuckets
            if number == 0, let rest {
                buckets = rest
            } else {
                buckets = try self.buckets(of: piece, transaction)
                rest?.subtract(buckets)
            }
            try transaction.put(tables.nodes, pieceID, piece)
            try transaction.put(tables.buckets, pieceID, buckets)
            if let branch = Branch(piece, id: pieceID) { branches.insert(branch, at: 0) }
        }
        return branches
    }

    private func buckets(
        of node: TreeNode, _ transaction: borrowing WriteTransaction
    ) throws(StoreError) -> LogBuckets {
        var total = LogBuckets()
        for branch in node.branches {
            if node.level > 1 {
                if let buckets = try transaction.value(tables.buckets, branch.id) { total.add(buckets) }
            } else {
                total.add(LogBuckets(try chunk(branch.id, transaction).live))
            }
        }
        return total
    }

    /// Makes `branches` the root, with new levels above them where they are several.
    private mutating func grow(
        _ record: inout TreeRecord, _ branches: [Branch], _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        var top = branches
        while top.count > 1 {
            record.level += 1
            top = try store(node(record.level, top), newID(), adding: nil, &transaction)
        }
        if let root = top.first { record.root = root.id }
    }
}

extension Sample {
    /// Whether two samples count the same in an aggregate across series, which does not keep where they came from.
    fileprivate func isAlike(_ other: Sample) -> Bool { time == other.time && value == other.value }
}

extension LogBuckets {
    init(_ samples: [Sample]) { self.init(keys: samples.map { Self.key(of: $0.value.double) }) }
}

extension SampleChunk {
    /// The chunk in parts that are not too large, of about the same size.
    fileprivate func pieces(_ shape: TreeShape) -> [SampleChunk] {
        guard count > shape.chunkLimit else { return [self] }
        let number = (count + shape.chunk - 1) / shape.chunk
        var rest = self
        return (0..<number).map { rest.removeFirst(rest.count / (number - $0)) }
    }
}

extension TreeNode {
    /// The node in parts that are not too large.
    ///
    /// - Parameter fillingFirst: whether all but the last are full; otherwise they are about the same size.
    fileprivate func pieces(fanOut: Int, fillingFirst: Bool) -> [TreeNode] {
        guard branches.count > fanOut else { return [self] }
        let count = (branches.count + fanOut - 1) / fanOut
        return (0..<count).map { number in
            let range =
                fillingFirst
                ? number * fanOut..<min((number + 1) * fanOut, branches.count)
                : number * branches.count / count..<(number + 1) * branches.count / count
            return TreeNode(level: level, parts: parts, branches: Array(branches[range]))
        }
    }
}
