internal import Ledger

/// Reads what the selectors of an expression need, so that the evaluation itself holds no transaction.
struct SelectorLoader {
    enum Loaded: Sendable {
        case columns([Column])
        case samples([PointSeries])
    }

    /// - Parameter select: the series that all matchers accept.
    static func load<Reader: SampleReading & ~Copyable>(
        _ requests: [SelectorRequest], from reader: borrowing Reader, _ tables: Reader.Tables,
        context: inout QueryContext, select: ([LabelMatcher]) -> [Series]
    ) throws(QueryError) -> [SelectorRequest: Loaded] {
        var loaded: [SelectorRequest: Loaded] = [:]
        for request in requests {
            let groups = grouped(select(request.selector.matchers))
            let ends = request.ends(for: context.times)
            switch request.shape {
            case .samples:
                var result: [PointSeries] = []
                for group in groups {
                    guard let end = ends.last else { continue }
                    let samples = try merged(
                        group.members, request.window(endingAt: end), reader, tables, &context)
                    let points = samples.map { Point(time: $0.time, value: $0.value.double) }
                    if !points.isEmpty { result.append(PointSeries(labels: group.labels, points: points)) }
                }
                loaded[request] = .samples(result)
            case .latest, .overTime:
                var result: [Column] = []
                for group in groups {
                    let values = try values(of: group.members, request, ends, reader, tables, &context)
                    let column = Column(labels: group.labels, values: values)
                    if column.isEmpty { continue }
                    try context.charge(column.values.count)
                    result.append(column)
                }
                loaded[request] = .columns(result)
            }
        }
        return loaded
    }

    /// Series that show alike are one series to PromQL.
    private static func grouped(_ series: [Series]) -> [(labels: LabelSet, members: [SeriesID])] {
        var groups: [(labels: LabelSet, members: [SeriesID])] = []
        var places: [LabelSet: Int] = [:]
        for one in series {
            if let place = places[one.shown] {
                groups[place].members.append(one.id)
            } else {
                places[one.shown] = groups.count
                groups.append((one.shown, [one.id]))
            }
        }
        return groups
    }

    private static func values<Reader: SampleReading & ~Copyable>(
        of members: [SeriesID], _ request: SelectorRequest, _ ends: [Int64], _ reader: borrowing Reader,
        _ tables: Reader.Tables, _ context: inout QueryContext
    ) throws(QueryError) -> [Double?] {
        guard let first = ends.first, let last = ends.last else { return [] }
        try context.checkInterruption()
        if first == last {
            let value = try value(of: members, request, request.window(endingAt: last), reader, tables)
            return Array(repeating: value, count: ends.count)
        }
        let window = TimeWindow(after: first - request.windowMilliseconds, through: last)
        let before = context.remaining
        let samples = try merged(members, window, reader, tables, &context)
        let values = SlidingWindow(samples: samples, request: request).values(endingAt: ends)
        // The samples go away here; the points that stay are charged by the caller.
        context.restore(to: before)
        return values
    }

    /// One window: the store's own summaries answer without touching every sample.
    private static func value<Reader: SampleReading & ~Copyable>(
        of members: [SeriesID], _ request: SelectorRequest, _ window: TimeWindow, _ reader: borrowing Reader,
        _ tables: Reader.Tables
    ) throws(QueryError) -> Double? {
        switch request.shape {
        case .latest, .samples:
            var latest: Sample?
            for member in members {
                guard let sample = try reader.latest(of: member, in: window, tables) else { continue }
                if latest.map({ $0.precedes(sample) }) ?? true { latest = sample }
            }
            return latest?.value.double
        case .overTime(let function):
            var rollup: Rollup?
            for member in members {
                rollup = Rollup.joined(rollup, try reader.rollup(of: member, in: window, tables))
            }
            return rollup.map { function.value(of: $0) }
        }
    }

    private static func merged<Reader: SampleReading & ~Copyable>(
        _ members: [SeriesID], _ window: TimeWindow, _ reader: borrowing Reader, _ tables: Reader.Tables,
        _ context: inout QueryContext
    ) throws(QueryError) -> [Sample] {
        var samples: [Sample] = []
        for member in members {
            let found = try reader.samples(of: member, in: window, limit: context.remaining, tables)
            try context.charge(found.count)
            samples = samples.isEmpty ? found : samples + found
        }
        if members.count > 1 { samples.sort { $0.precedes($1) } }
        return samples
    }
}

extension Function {
    /// The function of all samples of a window, from what they amount to.
    func value(of rollup: Rollup) -> Double {
        switch self {
        case .sumOverTime: ExactSum.double(nanos: rollup.sum)
        case .avgOverTime: ExactSum.mean(nanos: rollup.sum, count: rollup.count)
        case .minOverTime: rollup.minimum.double
        case .maxOverTime: rollup.maximum.double
        case .countOverTime: Double(rollup.count)
        }
    }
}
