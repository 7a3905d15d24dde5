import Ledger
import Synchronization
import Testing

@testable import Query

extension QueryStore {
    /// Checks that every tree is what its samples amount to, at every node, and that aggregates across series hold
    /// exactly what their series do.
    func checkTrees() throws {
        let tables = tables
        let index = index.withLock { $0 }
        try store.read { transaction throws(StoreError) in
            var total = 0
            for series in index.all {
                let all = try transaction.everything(in: series.id, tables.trees)
                #expect(!all.isEmpty)
                total += all.live.count
                try check(series.id, all, tables.trees, transaction)
            }
            #expect(try tables.value(of: .samples, transaction) == UInt64(total))
            for aggregate in index.aggregates.all {
                guard let tree = aggregate.tree else {
                    #expect(aggregate.members.count <= Aggregates.fewSeries)
                    continue
                }
                var expected: [Sample] = []
                for member in aggregate.members {
                    expected += try transaction.everything(in: member, tables.trees).live.map(\.withoutPlace)
                }
                let kept = try transaction.everything(in: tree, tables.aggregateTrees)
                #expect(kept.withdrawn.isEmpty)
                #expect(kept.live.sorted(by: Self.order) == expected.sorted(by: Self.order))
                try check(tree, kept, tables.aggregateTrees, transaction)
            }
        }
    }

    private static func order(_ left: Sample, _ right: Sample) -> Bool {
        (left.time, left.value) < (right.time, right.value)
    }

    private func check(
        _ tree: TreeID, _ all: SampleChunk, _ tables: TreeTables, _ transaction: borrowing ReadTransaction
    ) throws(StoreError) {
        let everything = TimeWindow(after: .min, through: .max)
        let parts = tables.shape.parts
        let rollup = try transaction.rollup(of: tree, in: everything, asOf: .max, parts, tables)
        let expected = Rollup(all.live)
        #expect(rollup?.withoutEnds == expected?.withoutEnds)
        if parts.contains(.ends) { #expect(rollup == expected) }
        let buckets = try transaction.buckets(of: tree, in: everything, asOf: .max, tables)
        #expect(buckets == LogBuckets(all.live))
        guard let record = try transaction.value(tables.trees, tree) else { return }
        if record.level > 0 { _ = try check(record.root, record.level, tables, transaction) }
    }

    private func check(
        _ id: NodeID, _ level: UInt8, _ tables: TreeTables, _ transaction: borrowing ReadTransaction
    ) throws(StoreError) -> [Sample] {
        guard let node = try transaction.value(tables.nodes, id) else {
            Issue.record("node \(id) is missing")
            return []
        }
        #expect(node.level == level)
        #expect(node.branches.count <= tables.shape.fanOut)
        var samples: [Sample] = []
        for branch in node.branches {
            if level == 1 {
                let chunk = try transaction.value(tables.chunks, branch.id)
                #expect((chunk?.count ?? 0) <= tables.shape.chunkLimit)
                let expected = chunk.flatMap {
                    Branch($0, SampleColumns($0.live), id: branch.id, tables.shape.parts)
                }
                #expect(expected == branch)
                samples += chunk?.live ?? []
            } else {
                samples += try check(branch.id, level - 1, tables, transaction)
                let child = try transaction.value(tables.nodes, branch.id)
                #expect(child.flatMap { Branch($0, id: branch.id) } == branch)
            }
        }
        #expect(try transaction.value(tables.buckets, id) == LogBuckets(samples))
        return samples
    }
}
