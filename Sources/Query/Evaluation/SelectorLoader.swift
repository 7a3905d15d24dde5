internal import Ledger

/// Reads what the selectors of an expression need, so that the evaluation itself holds no transaction.
struct SelectorLoader {
    enum Loaded: Sendable {
        case columns([Column])
        case samples([PointColumn])
        /// A whole aggregation.
        case grouped([Column])
        case plan(SelectorPlan)
    }

    /// - Parameters:
    ///   - select: the series that all matchers accept.
    ///   - group: the same, in groups, as aggregates across series where what is kept of them answers.
    static func load<Reader: SampleReading & ~Copyable>(
        _ requests: [SelectorRequest], from reader: borrowing Reader, _ tables: Reader.Tables,
        context: inout QueryContext, select: ([LabelMatcher]) -> [Series],
        group: ([LabelMatcher], GroupLabels) -> [SourceGroup]?
    ) throws(QueryError) -> [SelectorRequest: Loaded] {
        var loaded: [SelectorRequest: Loaded] = [:]
        for request in requests {
            if case .grouped(let function, let labels) = request.shape {
                loaded[request] = try answer(
                    request, function, labels, group(request.selector.matchers, labels), reader, tables,
                    &context, select)
                continue
            }
            let groups = grouped(select(request.selector.matchers))
            if context.isExplaining {
                let sources = groups.map { $0.members.map { SampleSource.series($0) } }
                loaded[request] = .plan(try plan(request, sources, reader, tables, &context))
                continue
            }
            switch request.shape {
            case .samples: loaded[request] = .samples(try samples(request, groups, reader, tables, &context))
            case .latest, .latestTime, .overTime, .grouped:
                loaded[request] = .columns(try columns(request, groups, reader, tables, &context))
            }
        }
        return loaded
    }

    typealias Group = (labels: LabelSet, members: [SeriesID])

    /// Series that show alike are one series to PromQL. In the order of their labels.
    static func grouped(_ series: [Series]) -> [Group] {
        var groups: [Group] = []
        var places: [LabelSet: Int] = [:]
        for one in series {
            if let place = places[one.shown] {
                groups[place].members.append(one.id)
            } else {
                places[one.shown] = groups.count
                groups.append((one.shown, [one.id]))
            }
        }
        return groups.sorted { $0.labels < $1.labels }
    }

    private static func samples<Reader: SampleReading & ~Copyable>(
        _ request: SelectorRequest, _ groups: [Group], _ reader: borrowing Reader, _ tables: Reader.Tables,
        _ context: inout QueryContext
    ) throws(QueryError) -> [PointColumn] {
        var result: [PointColumn] = []
        for group in groups {
            let samples = try merged(group.members, request.span, reader, tables, &context)
            if !samples.isEmpty { result.append(PointColumn(labels: group.labels, samples)) }
        }
        return result
    }

    static func columns<Reader: SampleReading & ~Copyable>(
        _ request: SelectorRequest, _ groups: [Group], _ reader: borrowing Reader, _ tables: Reader.Tables,
        _ context: inout QueryContext
    ) throws(QueryError) -> [Column] {
        var result: [Column] = []
        for group in groups {
            try context.checkInterruption()
            let before = context.remaining
            let values = try values(of: group.members, request, reader, tables, &context)
            // Samples go away again; the points stay.
            context.restore(to: before)
            let column = Column(labels: group.labels, values: values)
            if column.isEmpty { continue }
            try context.charge(column.values.count)
            result.append(column)
        }
        return result
    }

    private static func values<Reader: SampleReading & ~Copyable>(
        of members: [SeriesID], _ request: SelectorRequest, _ reader: borrowing Reader,
        _ tables: Reader.Tables, _ context: inout QueryContext
    ) throws(QueryError) -> [Double?] {
        let ends = request.ends
        let way = try way(of: members, request, reader, tables)
        // Where `@` makes all windows one, it is read once; the moment may still differ.
        let isOne = ends.isOneMoment && way != .samples
        switch way {
        case .nothing: return Array(repeating: nil, count: ends.count)
        case .newest, .rollups:
            var values: [Double?] = []
            for step in isOne ? 0..<min(1, ends.count) : ends.indices {
                try context.checkInterruption()
                let window = TimeWindow(after: ends[step] - request.windowMilliseconds, through: ends[step])
                values.append(try value(of: members, request, window, reader, tables))
            }
            return isOne ? Array(repeating: values.first ?? nil, count: ends.count) : values
        case .samples:
            let samples = try merged(members, request.span, reader, tables, &context)
            if let function = request.shape.exact {
                return SlidingWindow(
                    samples: samples, function: function, windowMilliseconds: request.windowMilliseconds
                ).values(endingAt: ends)
            }
            guard case .overTime(let function, let parameters) = request.shape,
                case .window(let window) = function.evaluation
            else {
                return samples.timesOfLatest(endingAt: ends, windowMilliseconds: request.windowMilliseconds)
            }
            let constants = parameters.map { Double(bitPattern: $0) }
            return try PointColumn(labels: .empty, samples).values(
                of: window, windowMilliseconds: request.windowMilliseconds, ends: ends,
                moments: request.moments, parameters: { _ in constants }, context)
        }
    }

    /// One window: the store's own summaries answer without touching every sample.
    private static func value<Reader: SampleReading & ~Copyable>(
        of members: [SeriesID], _ request: SelectorRequest, _ window: TimeWindow, _ reader: borrowing Reader,
        _ tables: Reader.Tables
    ) throws(QueryError) -> Double? {
        switch request.shape {
        case .latest, .latestTime, .samples, .grouped:
            var latest: Sample?
            for member in members {
                guard let sample = try reader.latest(of: member, in: window, tables) else { continue }
                if latest.map({ $0.precedes(sample) }) ?? true { latest = sample }
            }
            guard let latest else { return nil }
            return request.shape == .latestTime ? Double(latest.time) / 1000 : latest.value.double
        case .overTime:
            guard let function = request.shape.exact else { return nil }
            var rollup: Rollup?
            for member in members {
                rollup = Rollup.joined(
                    rollup, try reader.rollup(of: member, in: window, function.parts, tables), function.parts)
            }
            return rollup.map { function.value(of: $0) }
        }
    }

    static func merged<Reader: SampleReading & ~Copyable>(
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

    // MARK: Which way

    /// How the windows of one series are read.
    private static func way<Reader: SampleReading & ~Copyable>(
        of members: [SeriesID], _ request: SelectorRequest, _ reader: borrowing Reader,
        _ tables: Reader.Tables
    ) throws(QueryError) -> SelectorPlan.Way {
        guard let summarized = request.shape.summarizedWay else { return .samples }
        if request.ends.isOneMoment { return summarized }
        var count: UInt64 = 0
        for member in members {
            count += try reader.rollup(of: member, in: request.span, [], tables)?.count ?? 0
        }
        return SelectorPlan.way(request, samples: count)
    }

    static func plan<Reader: SampleReading & ~Copyable>(
        _ request: SelectorRequest, _ groups: [[SampleSource]], _ reader: borrowing Reader,
        _ tables: Reader.Tables, _ context: inout QueryContext
    ) throws(QueryError) -> SelectorPlan {
        var plan = SelectorPlan(request)
        for sources in groups {
            try context.checkInterruption()
            var samples: UInt64 = 0
            for source in sources {
                samples += try reader.rollup(of: source, in: request.span, [], tables)?.count ?? 0
            }
            plan.add(series: sources.count, samples: samples)
        }
        return plan
    }
}

extension PointColumn {
    init(labels: LabelSet, _ samples: [Sample]) {
        self.init(labels: labels, times: samples.map(\.time), values: samples.map(\.value.double))
    }
}

extension [Sample] {
    /// For each window the time of its last sample, in seconds.
    fileprivate func timesOfLatest(endingAt ends: TimeGrid, windowMilliseconds: Int64) -> [Double?] {
        var beyond = 0
        return ends.indices.map { step in
            while beyond < count, self[beyond].time <= ends[step] { beyond += 1 }
            guard beyond > 0, self[beyond - 1].time > ends[step] - windowMilliseconds else { return nil }
            return Double(self[beyond - 1].time) / 1000
        }
    }
}
