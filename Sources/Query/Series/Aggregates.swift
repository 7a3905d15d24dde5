internal import Ledger

/// The aggregates across series: for each kind, which names labels, and for each name, unit and values of these labels
/// there is one, over all series that have them.
///
/// An aggregate of few series is asked of its series: as quick, and nothing to keep. One of more than `fewSeries` has a
/// tree of its own, kept like theirs, so that a question to it does not visit every series.
struct Aggregates: Sendable {
    static let fewSeries = 8

    struct Aggregate: Sendable {
        let record: AggregateRecord
        /// Ascending.
        var members: [SeriesID] = []
        var tree: TreeID?
    }

    /// The labels of each kind, as PromQL shows them, sorted; the name is always one of them.
    let kinds: [[String]]
    private var places: [[UInt8]: Int] = [:]
    private(set) var all: [Aggregate] = []
    /// For each series the aggregates that it is part of: one of each kind.
    private var ofSeries: [SeriesID: [Int]] = [:]
    /// By kind: the places of its aggregates.
    private(set) var ofKind: [[Int]]
    /// For each series the trees of these aggregates, at hand for each sample that comes.
    private var trees: [SeriesID: [TreeID]] = [:]

    init(kinds: [[String]]) {
        self.kinds = kinds
        ofKind = kinds.map { _ in [] }
    }

    mutating func insert(_ series: Series) {
        ofSeries[series.id] = kinds.indices.map { kind in
            let place = place(of: record(of: series, kind))
            var members = all[place].members
            let position = members.lastIndex { $0 < series.id }.map { $0 + 1 } ?? 0
            members.insert(series.id, at: position)
            all[place].members = members
            return place
        }
        gatherTrees(of: series.id)
    }

    mutating func remove(_ series: SeriesID) {
        for place in ofSeries.removeValue(forKey: series) ?? [] {
            all[place].members.removeAll { $0 == series }
        }
        trees[series] = nil
    }

    /// The aggregates that a series is part of, by their places in `all`.
    func places(of series: SeriesID) -> [Int] { ofSeries[series] ?? [] }

    /// The trees that what a series brings has to go to.
    func trees(of series: SeriesID) -> [TreeID] { trees[series] ?? [] }

    mutating func setTree(_ tree: TreeID?, of place: Int) {
        all[place].tree = tree
        for member in all[place].members { gatherTrees(of: member) }
    }

    private mutating func gatherTrees(of series: SeriesID) {
        trees[series] = places(of: series).compactMap { all[$0].tree }
    }

    mutating func setTree(_ tree: TreeID?, of record: AggregateRecord) {
        setTree(tree, of: place(of: record))
    }

    private func record(of series: Series, _ kind: Int) -> AggregateRecord {
        AggregateRecord(
            kind: UInt8(kind), name: series.name, unit: series.unit,
            values: kinds[kind].map { series.values(of: $0).first ?? "" })
    }

    private mutating func place(of record: AggregateRecord) -> Int {
        let key = record.valueBytes
        if let place = places[key] { return place }
        all.append(Aggregate(record: record))
        ofKind[Int(record.kind)].append(all.count - 1)
        places[key] = all.count - 1
        return all.count - 1
    }
}
