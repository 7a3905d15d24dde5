internal import Ledger

/// Where trees of one kind are kept, and what they are like. Those of series and those across series are kept apart, so
/// that the late samples of the ones do not break up the pages of the others.
struct TreeTables: Sendable {
    static let series = "series"
    static let aggregates = "aggregate"

    /// The tables of a kind.
    static func names(_ kind: String) -> [String] {
        ["trees", "nodes", "chunks", "buckets"].map { kind + "-" + $0 }
    }

    let shape: TreeShape
    let trees: Table<TreeID, TreeRecord>
    let nodes: Table<NodeID, TreeNode>
    let chunks: Table<NodeID, SampleChunk>
    /// What lies in each inner node's chunks, for quantiles.
    let buckets: Table<NodeID, LogBuckets>

    // The same, for those who read a part of a value.
    let treeBytes: Table<TreeID, [UInt8]>
    let nodeBytes: Table<NodeID, [UInt8]>
    let chunkBytes: Table<NodeID, [UInt8]>

    init(_ store: Store, _ kind: String, _ shape: TreeShape) {
        let names = Self.names(kind)
        self.shape = shape
        trees = store.table(names[0])
        nodes = store.table(names[1])
        chunks = store.table(names[2])
        buckets = store.table(names[3])
        treeBytes = store.table(names[0])
        nodeBytes = store.table(names[1])
        chunkBytes = store.table(names[2])
    }

    /// What each table takes of the file.
    func bytes<Transaction: StoreReading & ~Copyable>(
        _ transaction: borrowing Transaction
    ) throws(StoreError) -> [String: Int] {
        [
            trees.name: try transaction.bytes(of: trees), nodes.name: try transaction.bytes(of: nodes),
            chunks.name: try transaction.bytes(of: chunks), buckets.name: try transaction.bytes(of: buckets),
        ]
    }

    func clear(_ transaction: inout WriteTransaction) throws(StoreError) {
        try transaction.clear(trees)
        try transaction.clear(nodes)
        try transaction.clear(chunks)
        try transaction.clear(buckets)
    }
}
