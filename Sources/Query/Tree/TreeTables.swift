internal import Ledger

/// Where trees are kept.
struct TreeTables: Sendable {
    static let names = ["trees", "nodes", "chunks", "buckets"]

    let trees: Table<TreeID, TreeRecord>
    let nodes: Table<NodeID, TreeNode>
    let chunks: Table<NodeID, SampleChunk>
    /// What lies in each inner node's chunks, for quantiles.
    let buckets: Table<NodeID, LogBuckets>

    // The same, for those who read a part of a value.
    let treeBytes: Table<TreeID, [UInt8]>
    let nodeBytes: Table<NodeID, [UInt8]>
    let chunkBytes: Table<NodeID, [UInt8]>

    init(_ store: Store) {
        trees = store.table("trees")
        nodes = store.table("nodes")
        chunks = store.table("chunks")
        buckets = store.table("buckets")
        treeBytes = store.table("trees")
        nodeBytes = store.table("nodes")
        chunkBytes = store.table("chunks")
    }

    func clear(_ transaction: inout WriteTransaction) throws(StoreError) {
        try transaction.clear(trees)
        try transaction.clear(nodes)
        try transaction.clear(chunks)
        try transaction.clear(buckets)
    }
}
