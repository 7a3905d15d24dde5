internal import Ledger

/// The trees that take a sample: that of its series, and those of aggregates across series.
struct SampleRoute {
    let series: SeriesID
    let aggregates: [TreeID]
}

/// The series of a store in memory: found by identity when samples arrive, by label when questions do.
struct SeriesIndex: Sendable {
    private var byID: [SeriesID: Series] = [:]
    private var ids: [SeriesIdentity: SeriesID] = [:]
    /// For each name and value, in both forms: the series that have it, ascending.
    private var postings: [Label: [SeriesID]] = [:]
    var aggregates: Aggregates

    init(kinds: [[String]]) { aggregates = Aggregates(kinds: kinds) }

    var count: Int { byID.count }

    /// All series, ascending.
    var all: [Series] { byID.values.sorted { $0.id < $1.id } }

    subscript(id: SeriesID) -> Series? { byID[id] }

    /// Where the samples of a known series go.
    func route(of identity: SeriesIdentity) -> SampleRoute? {
        ids[identity].map { SampleRoute(series: $0, aggregates: aggregates.trees(of: $0)) }
    }

    mutating func insert(_ series: Series) {
        guard byID.updateValue(series, forKey: series.id) == nil else { return }
        ids[series.identity] = series.id
        aggregates.insert(series)
        for label in Self.keys(of: series) {
            var list = postings[label] ?? []
            // Nearly always the end: ids ascend.
            var place = list.count
            while place > 0, series.id < list[place - 1] { place -= 1 }
            list.insert(series.id, at: place)
            postings[label] = list
        }
    }

    mutating func remove(_ id: SeriesID) {
        guard let series = byID.removeValue(forKey: id) else { return }
        ids[series.identity] = nil
        aggregates.remove(id)
        for label in Self.keys(of: series) {
            postings[label]?.removeAll { $0 == id }
            if postings[label]?.isEmpty == true { postings[label] = nil }
        }
    }

    private static func keys(of series: Series) -> Set<Label> {
        Set(series.shown.labels + series.labels).union([Label(name: LabelSet.metricName, value: series.name)])
    }

    /// Series among which all that the matchers accept are; ascending.
    func candidates(for matchers: [LabelMatcher]) -> [Series] {
        shortestList(for: matchers).map { $0.compactMap { byID[$0] } } ?? all
    }

    /// The shortest list of series that one matcher gives; ascending. `nil` where none gives one.
    private func shortestList(for matchers: [LabelMatcher]) -> [SeriesID]? {
        var best: [SeriesID]?
        for matcher in matchers {
            let values: [String]
            switch matcher.kind {
            case .equal: values = [matcher.value]
            case .matches: values = matcher.pattern?.literals ?? []
            case .notEqual, .doesNotMatch: values = []
            }
            // A series without the label has no posting for it.
            guard !values.isEmpty, !values.contains("") else { continue }
            let lists = values.compactMap { postings[Label(name: matcher.name, value: $0)] }
            let list = lists.count > 1 ? Set(lists.joined()).sorted() : lists.first ?? []
            if list.count < best?.count ?? .max { best = list }
        }
        return best
    }
}

extension SeriesIndex {
    /// The groups of what the matchers accept, from aggregates across series: of a kind that knows all labels that are
    /// asked for, and where all that is accepted has one name. `nil` where there is none.
    func sources(_ matchers: [LabelMatcher], _ labels: GroupLabels) -> [SourceGroup]? {
        guard !labels.isWithout else { return nil }
        let asked = Set(matchers.map(\.name) + labels.names).subtracting([LabelSet.metricName])
        let kinds = aggregates.kinds.indices.filter { asked.isSubset(of: aggregates.kinds[$0]) }
        guard let kind = kinds.min(by: { aggregates.kinds[$0].count < aggregates.kinds[$1].count }) else {
            return nil
        }
        var groups: [SourceGroup] = []
        var places: [LabelSet: Int] = [:]
        var names: Set<String?> = []
        for place in aggregates(of: kind, matchers) {
            let aggregate = aggregates.all[place]
            // All its series have these labels alike.
            guard let first = aggregate.members.first, let series = self[first],
                series.isSelected(by: matchers)
            else { continue }
            names.insert(series.shown[LabelSet.metricName])
            guard names.count == 1 else { return nil }
            let shown = labels.labels(of: series.shown)
            let sources: [SampleSource] =
                if let tree = aggregate.tree { [.aggregate(tree)] } else {
                    aggregate.members.map { .series($0) }
                }
            if let place = places[shown] {
                groups[place].sources += sources
            } else {
                places[shown] = groups.count
                groups.append(SourceGroup(labels: shown, sources: sources))
            }
        }
        return groups
    }

    /// Aggregates of a kind among which all are that the matchers accept: all there are, or those of the series that
    /// one matcher finds, whichever are fewer.
    private func aggregates(of kind: Int, _ matchers: [LabelMatcher]) -> [Int] {
        let all = aggregates.ofKind[kind]
        guard let ids = shortestList(for: matchers), ids.count < all.count else { return all }
        return Set(ids.map { aggregates.places(of: $0)[kind] }).sorted()
    }
}
