internal import Ledger

/// Where a sample stands in its series.
struct SamplePlace: Hashable, Comparable, Sendable {
    let time: Int64
    let index: UInt64
    let position: UInt32

    static func < (left: Self, right: Self) -> Bool {
        (left.time, left.index, left.position) < (right.time, right.index, right.position)
    }
}

extension Sample {
    var place: SamplePlace { SamplePlace(time: time, index: index.value, position: position) }
}

/// The number of a chunk or of a node. Stored as `u64`, big-endian; never given twice.
typealias NodeID = UInt64

/// What a node knows of one child: where it is, what it spans, and what its samples amount to.
struct Branch: Hashable, Sendable {
    let id: NodeID
    /// Of the first sample, taken out or not.
    let first: SamplePlace
    let lastTime: Int64
    /// The first and the last entry that put a sample in or took one out.
    let changes: ClosedRange<UInt64>
    /// Of the samples that count; `nil` where none does.
    let rollup: Rollup?

    /// Whether all its samples lie in the window, and none has changed since the log had `size` entries.
    func isWhole(in window: TimeWindow, asOf size: UInt64) -> Bool {
        first.time > window.after && lastTime <= window.through && changes.upperBound < size
    }

    func overlaps(_ window: TimeWindow) -> Bool {
        first.time <= window.through && lastTime > window.after
    }

    /// `nil` for an empty chunk.
    ///
    /// - Parameter columns: of the samples that count.
    init?(_ chunk: SampleChunk, _ columns: SampleColumns, id: NodeID, _ parts: Rollup.Parts) {
        let gone = chunk.withdrawn.map(\.sample)
        guard let first = [chunk.live.first, gone.first].compactMap({ $0?.place }).min(),
            let lastTime = [chunk.live.last, gone.last].compactMap({ $0?.time }).max()
        else { return nil }
        var changes = first.index...first.index
        for index in columns.indexes { changes = changes.extended(to: index) }
        for one in chunk.withdrawn {
            changes = changes.extended(to: one.sample.index.value).extended(to: one.by.value)
        }
        self.init(
            id: id, first: first, lastTime: lastTime, changes: changes,
            rollup: columns.rollup(0..<columns.count, parts))
    }

    /// `nil` for a node without branches.
    init?(_ node: TreeNode, id: NodeID) {
        guard let first = node.branches.first else { return nil }
        var (lastTime, changes, rollup) = (first.lastTime, first.changes, first.rollup)
        for branch in node.branches.dropFirst() {
            lastTime = max(lastTime, branch.lastTime)
            changes = changes.extended(to: branch.changes.lowerBound).extended(to: branch.changes.upperBound)
            rollup = Rollup.joined(rollup, branch.rollup)
        }
        self.init(id: id, first: first.first, lastTime: lastTime, changes: changes, rollup: rollup)
    }

    init(id: NodeID, first: SamplePlace, lastTime: Int64, changes: ClosedRange<UInt64>, rollup: Rollup?) {
        self.id = id
        self.first = first
        self.lastTime = lastTime
        self.changes = changes
        self.rollup = rollup
    }
}

extension ClosedRange<UInt64> {
    fileprivate func extended(to value: UInt64) -> Self {
        Swift.min(lowerBound, value)...Swift.max(upperBound, value)
    }
}

/// An inner node: its children in order. At level 1 they are chunks.
struct TreeNode: Hashable, Sendable {
    let level: UInt8
    /// What is known of the samples of each branch.
    let parts: Rollup.Parts
    var branches: [Branch]

    /// The child where a sample belongs: the last that begins at or before it.
    func child(for place: SamplePlace) -> Int {
        max(0, (branches.firstIndex { place < $0.first } ?? branches.count) - 1)
    }
}
