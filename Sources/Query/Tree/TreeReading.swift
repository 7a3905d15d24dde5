internal import Ledger

/// What a question asks of a tree.
struct TreeQuestion {
    let window: TimeWindow
    /// What is wanted is what was known when the log had this many entries; `.max` for now.
    let size: UInt64
    /// What is wanted of whole branches.
    let parts: Rollup.Parts
    /// Branches are answered whole from this level of the child upwards: 0 for chunks too.
    let wholeFrom: UInt8
    /// Whether the places in the log of single samples are wanted.
    let places: Bool

    static func rollup(_ window: TimeWindow, asOf size: UInt64, _ parts: Rollup.Parts) -> TreeQuestion {
        TreeQuestion(
            window: window, size: size, parts: parts, wholeFrom: 0, places: parts.contains(.ends))
    }

    static func samples(_ window: TimeWindow, asOf size: UInt64) -> TreeQuestion {
        TreeQuestion(window: window, size: size, parts: [], wholeFrom: .max, places: true)
    }

    static func values(_ window: TimeWindow, asOf size: UInt64) -> TreeQuestion {
        TreeQuestion(window: window, size: size, parts: [], wholeFrom: .max, places: false)
    }

    /// Neither places in the log are wanted, nor what corrections took out.
    var isOfValuesNow: Bool { size == .max && !places }

    static func buckets(_ window: TimeWindow, asOf size: UInt64) -> TreeQuestion {
        TreeQuestion(window: window, size: size, parts: [], wholeFrom: 1, places: false)
    }
}

/// A piece of an answer. The pieces make up the window, each sample once: those of the sealed part in order, then the
/// head's, which may be of any time.
enum TreePiece {
    /// All samples of a child at this level, 0 for a chunk.
    case branch(Branch, level: UInt8)
    /// Some samples of a chunk.
    case columns(SampleColumns, Range<Int>)
    /// Some of the head, or of a chunk as it was known once.
    case samples([Sample])
}

/// A tree as a transaction sees it: a window costs the chunks at its two edges and O(log n) nodes.
extension StoreReading where Self: ~Copyable {
    func walk(
        _ tree: TreeID, _ question: TreeQuestion, _ tables: TreeTables,
        _ body: (TreePiece) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard question.window.after < question.window.through else { return }
        guard let bytes = try value(tables.treeBytes, tree) else { return }
        let (record, columns) = try decoded(tables.treeBytes.name, tree.value, bytes) {
            reader throws(DecodingFailure) in
            question.isOfValuesNow
                ? try TreeRecord.values(reading: &reader) : (try TreeRecord(reading: &reader), nil)
        }
        if record.level > 0 { try walk(record.root, level: record.level, question, tables, body) }
        if let columns { try body(.columns(columns, columns.range(of: question.window))) }
        try body(.samples(record.head.samples(asOf: question.size, in: question.window)))
    }

    private func walk(
        _ id: NodeID, level: UInt8, _ question: TreeQuestion, _ tables: TreeTables,
        _ body: (TreePiece) throws(StoreError) -> Void
    ) throws(StoreError) {
        let node = try decoded(tables.nodeBytes.name, id, try bytes(tables.nodeBytes, id)) {
            reader throws(DecodingFailure) in
            try TreeNode(reading: &reader, question.parts)
        }
        try node.check(level, id)
        for branch in node.branches where branch.overlaps(question.window) {
            let level = node.level - 1
            if level >= question.wholeFrom, branch.isWhole(in: question.window, asOf: question.size) {
                try body(.branch(branch, level: level))
            } else if level > 0 {
                try walk(branch.id, level: level, question, tables, body)
            } else {
                let isCurrent = branch.changes.upperBound < question.size
                let chunk = try bytes(tables.chunkBytes, branch.id)
                let piece = try decoded(tables.chunkBytes.name, branch.id, chunk) {
                    reader throws(DecodingFailure) in
                    try Self.piece(&reader, question, isCurrent: isCurrent)
                }
                try body(piece)
            }
        }
    }

    private func bytes(_ table: Table<NodeID, [UInt8]>, _ id: NodeID) throws(StoreError) -> [UInt8] {
        guard let bytes = try value(table, id) else {
            throw .damaged(place: "table \(table.name), key \(id)", reason: "it is missing")
        }
        return bytes
    }

    private func decoded<Value>(
        _ table: String, _ key: UInt64, _ bytes: [UInt8],
        _ body: (inout ByteReader) throws(DecodingFailure) -> Value
    ) throws(StoreError) -> Value {
        do throws(DecodingFailure) {
            var reader = ByteReader(bytes)
            return try body(&reader)
        } catch {
            throw .damaged(place: "table \(table), key \(key)", reason: error.description)
        }
    }

    private static func piece(
        _ reader: inout ByteReader, _ question: TreeQuestion, isCurrent: Bool
    ) throws(DecodingFailure) -> TreePiece {
        if isCurrent {
            let columns = try SampleColumns(reading: &reader, places: question.places)
            return .columns(columns, columns.range(of: question.window))
        }
        return .samples(
            try SampleChunk(reading: &reader).samples(asOf: question.size, in: question.window))
    }
}

extension StoreReading where Self: ~Copyable {
    /// What the samples in a window amount to; `nil` where there are none.
    func rollup(
        of tree: TreeID, in window: TimeWindow, asOf size: UInt64, _ parts: Rollup.Parts,
        _ tables: TreeTables
    ) throws(StoreError) -> Rollup? {
        var total: Rollup?
        try walk(tree, .rollup(window, asOf: size, parts), tables) { piece throws(StoreError) in
            let rollup: Rollup?
            switch piece {
            case .branch(let branch, _): rollup = branch.rollup
            case .columns(let columns, let range): rollup = columns.rollup(range, parts)
            case .samples(let samples): rollup = Rollup(samples)
            }
            total = Rollup.joined(total, rollup, parts)
        }
        return total
    }

    /// How the values in a window are spread.
    func buckets(
        of tree: TreeID, in window: TimeWindow, asOf size: UInt64, _ tables: TreeTables
    ) throws(StoreError) -> LogBuckets {
        var total = LogBuckets()
        var keys: [Int32] = []
        try walk(tree, .buckets(window, asOf: size), tables) { piece throws(StoreError) in
            switch piece {
            case .branch(let branch, _):
                if let buckets = try value(tables.buckets, branch.id) { total.add(buckets) }
            case .columns(let columns, let range):
                for place in range { keys.append(LogBuckets.key(of: columns.double(place))) }
            case .samples(let samples):
                for sample in samples { keys.append(LogBuckets.key(of: sample.value.double)) }
            }
        }
        total.add(LogBuckets(keys: keys))
        return total
    }

    /// The last sample of a window.
    ///
    /// Goes from the right, and looks into no more chunks than hold samples that a correction took out.
    func latest(
        of tree: TreeID, in window: TimeWindow, asOf size: UInt64, _ tables: TreeTables
    ) throws(StoreError) -> Sample? {
        guard window.after < window.through else { return nil }
        guard let record = try value(tables.trees, tree) else { return nil }
        let fromHead = record.head.samples(asOf: size, in: window).last
        // The head holds nearly always the newest.
        if let fromHead, fromHead.place > record.sealed || record.level == 0 { return fromHead }
        guard record.level > 0 else { return nil }
        let sealed = try latest(
            under: record.root, level: record.level, in: window, asOf: size, tables)
        guard let fromHead, let sealed else { return fromHead ?? sealed }
        return fromHead.precedes(sealed) ? sealed : fromHead
    }

    private func latest(
        under id: NodeID, level: UInt8, in window: TimeWindow, asOf size: UInt64, _ tables: TreeTables
    ) throws(StoreError) -> Sample? {
        let node = try node(id, level: level, tables)
        var latest: Sample?
        for branch in node.branches.reversed() where branch.overlaps(window) {
            // Children may share the time at which they meet, no more.
            if let latest, branch.lastTime < latest.time { break }
            let found: Sample?
            if node.level > 1 {
                found = try self.latest(
                    under: branch.id, level: node.level - 1, in: window, asOf: size, tables)
            } else {
                let chunk = try value(tables.chunks, branch.id) ?? SampleChunk()
                found = chunk.samples(asOf: size, in: window).last
            }
            if let found, latest.map({ $0.precedes(found) }) ?? true { latest = found }
        }
        return latest
    }

    /// The samples of a window in order; `nil` where there are more than `limit`.
    func samples(
        of tree: TreeID, in window: TimeWindow, asOf size: UInt64, limit: Int, _ tables: TreeTables
    ) throws(StoreError) -> [Sample]? {
        var samples: [Sample] = []
        var isSorted = true
        try walk(tree, .samples(window, asOf: size), tables) { piece throws(StoreError) in
            guard samples.count <= limit else { return }
            let before = samples.count
            switch piece {
            case .branch: break
            case .columns(let columns, let range):
                for place in range { if let sample = columns.sample(place) { samples.append(sample) } }
            case .samples(let found): samples += found
            }
            if before > 0, samples.count > before, samples[before].precedes(samples[before - 1]) {
                isSorted = false
            }
        }
        guard samples.count <= limit else { return nil }
        if !isSorted { samples.sort { $0.precedes($1) } }
        return samples
    }

    /// All samples of a tree, those too that corrections took out, in order.
    func everything(in tree: TreeID, _ tables: TreeTables) throws(StoreError) -> SampleChunk {
        guard let record = try value(tables.trees, tree) else { return SampleChunk() }
        var all = SampleChunk()
        if record.level > 0 { try collect(record.root, level: record.level, tables, &all) }
        all.merge(record.head)
        return all
    }

    private func collect(
        _ id: NodeID, level: UInt8, _ tables: TreeTables, _ all: inout SampleChunk
    ) throws(StoreError) {
        let node = try node(id, level: level, tables)
        for branch in node.branches {
            if node.level > 1 {
                try collect(branch.id, level: node.level - 1, tables, &all)
            } else if let chunk = try value(tables.chunks, branch.id) {
                all.merge(chunk)
            }
        }
    }
}

extension StoreReading where Self: ~Copyable {
    /// A node at a level of its tree.
    ///
    /// - Throws: `.damaged` where it is of another: levels fall, so that no damage leads round in circles.
    borrowing func node(
        _ id: NodeID, level: UInt8, _ tables: TreeTables
    ) throws(StoreError) -> TreeNode {
        guard let node = try value(tables.nodes, id) else {
            throw .damaged(place: "table nodes, key \(id)", reason: "it is missing")
        }
        try node.check(level, id)
        return node
    }
}

extension TreeNode {
    fileprivate func check(_ expected: UInt8, _ id: NodeID) throws(StoreError) {
        guard level == expected else {
            throw .damaged(
                place: "table nodes, key \(id)", reason: "it is of level \(level), not \(expected)")
        }
    }
}
