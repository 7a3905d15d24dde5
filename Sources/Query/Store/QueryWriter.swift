internal import Ledger
internal import Synchronization

/// One write transaction of the query store: samples go in, or out, and everything kept about them follows.
struct QueryWriter {
    /// A change of the index in memory, made ahead of the commit.
    enum IndexChange {
        case inserted(SeriesID)
        case removed(Series)
        case treeSet(Int, before: TreeID?)

        func undo(in index: inout SeriesIndex) {
            switch self {
            case .inserted(let id): index.remove(id)
            case .removed(let series): index.insert(series)
            case .treeSet(let place, let before): index.aggregates.setTree(before, of: place)
            }
        }
    }

    private let store: QueryStore
    private let tables: QueryTables
    private(set) var changes: [IndexChange] = []
    private var trees: TreeWriter
    private var aggregateTrees: TreeWriter
    private var nextTree: UInt64
    private var next: UInt64
    private var sampleCount: Int64 = 0
    /// What is to go into the trees of series, and of aggregates: written once for a batch, in the order of keys.
    private var pending: [PendingSample] = []
    private var pendingAggregates: [PendingSample] = []
    /// Aggregates that have become worth a tree, by their places.
    private var grown: Set<Int> = []
    /// `nil` where no continuous aggregates are configured.
    private var windows: WindowWriter?

    init(store: QueryStore, _ transaction: borrowing WriteTransaction) throws(StoreError) {
        self.store = store
        tables = store.tables
        next = try tables.value(of: .next, transaction)
        nextTree = try tables.value(of: .tree, transaction)
        trees = TreeWriter(tables.trees, nextID: try tables.value(of: .node, transaction))
        aggregateTrees = TreeWriter(
            tables.aggregateTrees, nextID: try tables.value(of: .aggregateNode, transaction))
        if !store.windows.isEmpty { windows = try WindowWriter(store: store, transaction) }
    }

    // MARK: Following

    mutating func apply(
        _ batch: [FeedEntry], _ transaction: inout WriteTransaction
    ) throws(StoreError) -> Result<ApplyOutcome, QueryStoreError> {
        var outcome = ApplyOutcome()
        let start = next
        var end = start
        for entry in batch where entry.index.value >= start {
            guard entry.index.value == end else {
                return .failure(.gap(expected: EntryIndex(end), found: entry.index))
            }
            end += 1
        }
        next = end
        for entry in batch {
            guard entry.index.value >= start else {
                outcome.repeated += 1
                continue
            }
            if let document = entry.document, try !transaction.contains(tables.erased, entry.index) {
                try add(document, of: entry.index, &outcome, &transaction)
                if let replaced = entry.replaces, replaced < entry.index {
                    try correct(replaced, by: entry.index, &transaction)
                }
            }
            for index in entry.erases { try erase(index, &transaction) }
            try windows?.settle(
                asOf: entry.index.value + 1, blockTime: entry.blockTime,
                submitter: entry.document?.submitter, &transaction)
            outcome.entries += 1
        }
        if outcome.refusedSamples > 0 {
            let before = try tables.value(of: .refused, transaction)
            try tables.set(.refused, to: before + UInt64(outcome.refusedSamples), &transaction)
        }
        return .success(outcome)
    }

    /// Writes what was gathered. Nothing is to follow in this transaction.
    mutating func finish(_ transaction: inout WriteTransaction) throws(StoreError) {
        try flush(&transaction)
        try growTrees(&transaction)
        // What was erased beside the log's order.
        if windows?.isIdle == false {
            try windows?.settle(asOf: next, blockTime: nil, submitter: nil, &transaction)
        }
        try windows?.finish(&transaction)
        try tables.set(.next, to: next, &transaction)
        try tables.set(.tree, to: nextTree, &transaction)
        try tables.set(.node, to: trees.nextID, &transaction)
        try tables.set(.aggregateNode, to: aggregateTrees.nextID, &transaction)
        let before = Int64(truncatingIfNeeded: try tables.value(of: .samples, transaction))
        try tables.set(.samples, to: UInt64(truncatingIfNeeded: before + sampleCount), &transaction)
        sampleCount = 0
    }

    private mutating func add(
        _ document: KPIDocument, of index: EntryIndex, _ outcome: inout ApplyOutcome,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        let known = store.index.withLock { index in
            document.measures.map { index.route(of: $0.series) }
        }
        for (place, measure) in document.measures.enumerated() {
            var route = known[place]
            if route == nil { route = try newRoute(of: measure, &outcome, &transaction) }
            guard let route else {
                outcome.refusedSamples += 1
                continue
            }
            let sample = Sample(
                time: measure.time.milliseconds, index: index, position: UInt32(truncatingIfNeeded: place),
                value: measure.value)
            pending.append(PendingSample(tree: route.series, sample: sample))
            for tree in route.aggregates {
                pendingAggregates.append(PendingSample(tree: tree, sample: sample.withoutPlace))
            }
            windows?.bring(sample.time, to: route.series)
            outcome.samples += 1
            sampleCount += 1
        }
    }

    /// Begins a series, unless an earlier measure of the same document did; `nil` where the store holds as many as it
    /// may.
    private mutating func newRoute(
        of measure: Measure, _ outcome: inout ApplyOutcome, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> SampleRoute? {
        let (known, count) = store.index.withLock { ($0.route(of: measure.series), $0.count) }
        if let known { return known }
        guard count < QueryLimits.series else { return nil }
        let id = SeriesID(nextTree)
        nextTree += 1
        try transaction.put(
            tables.series, id,
            SeriesRecord(name: measure.name, unit: measure.unit, labels: measure.labels))
        let series = Series(id: id, name: measure.name, unit: measure.unit, labels: measure.labels)
        changes.append(.inserted(id))
        store.index.withLock { index in
            index.insert(series)
            for place in index.aggregates.places(of: id) {
                let aggregate = index.aggregates.all[place]
                if aggregate.tree == nil, aggregate.members.count > Aggregates.fewSeries {
                    grown.insert(place)
                }
            }
        }
        outcome.newSeries += 1
        return store.index.withLock { $0.route(of: measure.series) }
    }

    private mutating func flush(_ transaction: inout WriteTransaction) throws(StoreError) {
        /// The series that entries brought samples to, by run of entries.
        var touched: [UInt64: Set<SeriesID>] = [:]
        for (series, samples) in pending.byTree() {
            try trees.insert(samples, into: series, &transaction)
            var last: UInt64?
            for sample in samples where sample.index.value / QueryTables.touchedRun != last {
                let run = sample.index.value / QueryTables.touchedRun
                touched[run, default: []].insert(series)
                last = run
            }
        }
        pending.removeAll(keepingCapacity: true)
        for (tree, samples) in pendingAggregates.byTree() {
            try aggregateTrees.insert(samples, into: tree, &transaction)
        }
        pendingAggregates.removeAll(keepingCapacity: true)
        for (run, series) in touched.sorted(by: { $0.key < $1.key }) {
            if let known = try transaction.value(tables.touched, run) {
                try transaction.put(tables.touched, run, SeriesList(series.union(known.ids)))
            } else {
                // Entries come in order: a new run is the last, and pages fill up.
                try transaction.append(tables.touched, run, SeriesList(series))
            }
        }
    }

    /// Gives trees to aggregates that have come to many series: from then on they are kept like a series.
    private mutating func growTrees(_ transaction: inout WriteTransaction) throws(StoreError) {
        for place in grown.sorted() {
            let aggregate = store.index.withLock { $0.aggregates.all[place] }
            guard aggregate.tree == nil else { continue }
            let tree = TreeID(nextTree)
            nextTree += 1
            for member in aggregate.members {
                let all = TimeWindow(after: .min, through: .max)
                let samples = try transaction.samples(
                    of: member, in: all, asOf: .max, limit: .max, tables.trees)
                try aggregateTrees.insert((samples ?? []).map(\.withoutPlace), into: tree, &transaction)
            }
            try transaction.put(tables.aggregates, tree, aggregate.record)
            changes.append(.treeSet(place, before: nil))
            store.index.withLock { $0.aggregates.setTree(tree, of: place) }
        }
        grown.removeAll()
    }

    // MARK: Corrections

    /// Takes what stands for a document out of everything that is counted, from the correction's entry on.
    private mutating func correct(
        _ replaced: EntryIndex, by correction: EntryIndex, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        let origin = try transaction.value(tables.corrections, replaced)?.origin ?? replaced
        var chain = try transaction.value(tables.chains, origin) ?? CorrectionChain([])
        if chain.entries.isEmpty, try !transaction.contains(tables.erased, origin) {
            chain.entries = [origin]
        }
        try flush(&transaction)
        if let current = chain.entries.last {
            try eachSeries(touchedBy: current, &transaction) {
                writer, series, transaction throws(StoreError) in
                let gone = try writer.trees.take(current, from: series, by: correction, &transaction)
                try writer.removeFromAggregates(gone, of: series, &transaction)
            }
        }
        chain.entries.append(correction)
        try transaction.put(tables.chains, origin, chain)
        try transaction.put(
            tables.corrections, correction, CorrectionRecord(replaced: replaced, origin: origin))
    }

    /// Takes an erased entry out of its chain. What it had taken out counts again, or is the next one's to take out.
    /// Corrections of the erased entry itself become a chain of their own: what it replaced is not known any more, on
    /// no node that reads the log from now on.
    private mutating func leaveChain(
        _ index: EntryIndex, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        let origin = try transaction.value(tables.corrections, index)?.origin ?? index
        guard let chain = try transaction.value(tables.chains, origin), chain.entries.contains(index) else {
            return
        }
        try transaction.delete(tables.chains, origin)
        try transaction.delete(tables.corrections, index)
        var kept: [EntryIndex] = []
        var cutOff: [EntryIndex] = []
        for entry in chain.entries where entry != index {
            let record = try transaction.value(tables.corrections, entry)
            guard let record, record.replaced == index || cutOff.contains(record.replaced) else {
                kept.append(entry)
                continue
            }
            cutOff.append(entry)
            try transaction.put(
                tables.corrections, entry, CorrectionRecord(replaced: record.replaced, origin: index))
        }
        let before = CorrectionChain(chain.entries)
        for (origin, entries) in [(origin, kept), (index, cutOff)] where !entries.isEmpty {
            let after = CorrectionChain(entries)
            try transaction.put(tables.chains, origin, after)
            for entry in entries where after.successor(of: entry) != before.successor(of: entry) {
                try restore(entry, insteadBy: after.successor(of: entry), &transaction)
            }
        }
    }

    private mutating func restore(
        _ entry: EntryIndex, insteadBy correction: EntryIndex?, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        try eachSeries(touchedBy: entry, &transaction) { writer, series, transaction throws(StoreError) in
            let back = try writer.trees.restore(entry, in: series, insteadBy: correction, &transaction)
            writer.sampleCount += Int64(back.count)
            writer.windows?.restore(back, to: series)
            for tree in writer.treesAbove(series) where !back.isEmpty {
                try writer.aggregateTrees.insert(back.map(\.withoutPlace), into: tree, &transaction)
            }
        }
    }

    // MARK: Erasing

    /// - Returns: How many samples went that counted.
    @discardableResult
    mutating func erase(
        _ index: EntryIndex, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> Int {
        try flush(&transaction)
        guard try !transaction.contains(tables.erased, index) else { return 0 }
        try transaction.put(tables.erased, index, [])
        guard index.value < next else { return 0 }
        try leaveChain(index, &transaction)
        var count = 0
        try eachSeries(touchedBy: index, &transaction) { writer, series, transaction throws(StoreError) in
            let gone = try writer.trees.take(index, from: series, by: nil, &transaction)
            try writer.removeFromAggregates(gone, of: series, &transaction)
            try writer.forgetIfEmpty(series, &transaction)
            count += gone.count
        }
        return count
    }

    private mutating func eachSeries(
        touchedBy index: EntryIndex, _ transaction: inout WriteTransaction,
        _ body: (inout QueryWriter, SeriesID, inout WriteTransaction) throws(StoreError) -> Void
    ) throws(StoreError) {
        let list = try transaction.value(tables.touched, index.value / QueryTables.touchedRun)
        for series in list?.ids ?? [] { try body(&self, series, &transaction) }
    }

    private func treesAbove(_ series: SeriesID) -> [TreeID] {
        store.index.withLock { $0.aggregates.trees(of: series) }
    }

    private mutating func removeFromAggregates(
        _ samples: [Sample], of series: SeriesID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        sampleCount -= Int64(samples.count)
        windows?.remove(samples, from: series)
        guard !samples.isEmpty else { return }
        for tree in treesAbove(series) {
            try aggregateTrees.remove(samples.map(\.withoutPlace), from: tree, &transaction)
        }
    }

    /// A series without samples is forgotten: its labels may be what had to be erased. So is an aggregate without
    /// series.
    private mutating func forgetIfEmpty(
        _ series: SeriesID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        guard try !transaction.contains(tables.trees.trees, series),
            let removed = store.index.withLock({ $0[series] })
        else { return }
        try transaction.delete(tables.series, series)
        changes.append(.removed(removed))
        let emptied = store.index.withLock { index in
            let places = index.aggregates.places(of: series)
            index.remove(series)
            return places.filter { index.aggregates.all[$0].members.isEmpty }.map {
                ($0, index.aggregates.all[$0])
            }
        }
        for (place, aggregate) in emptied {
            guard let tree = aggregate.tree else { continue }
            try transaction.delete(tables.aggregates, tree)
            changes.append(.treeSet(place, before: tree))
            store.index.withLock { $0.aggregates.setTree(nil, of: place) }
        }
    }
}

/// A sample on its way into a tree.
private struct PendingSample {
    let tree: TreeID
    let sample: Sample
}

extension [PendingSample] {
    /// The samples of each tree in their order, trees ascending.
    fileprivate func byTree() -> [(tree: TreeID, samples: [Sample])] {
        let sorted = sorted { left, right in
            left.tree == right.tree ? left.sample.precedes(right.sample) : left.tree < right.tree
        }
        var runs: [(tree: TreeID, samples: [Sample])] = []
        var start = 0
        for (place, one) in sorted.enumerated() where one.tree != sorted[start].tree {
            runs.append((sorted[start].tree, sorted[start..<place].map(\.sample)))
            start = place
        }
        if start < sorted.count { runs.append((sorted[start].tree, sorted[start...].map(\.sample))) }
        return runs
    }
}

extension Sample {
    /// As aggregates across series keep it: when, and how much.
    var withoutPlace: Sample { Sample(time: time, index: EntryIndex(0), position: 0, value: value) }
}
