internal import Ledger

/// Aggregations that are answered from all series of a group at once.
extension SelectorLoader {
    static func answer<Reader: SampleReading & ~Copyable>(
        _ request: SelectorRequest, _ function: GroupedFunction, _ labels: GroupLabels,
        _ kept: [SourceGroup]?, _ reader: borrowing Reader, _ tables: Reader.Tables,
        _ context: inout QueryContext, _ select: ([LabelMatcher]) -> [Series]
    ) throws(QueryError) -> Loaded {
        var groups = kept ?? []
        if kept == nil {
            let series = select(request.selector.matchers)
            // Functions of windows drop the name of the metric: several names may clash, which only the single
            // series can tell.
            if case .exact = function, Set(series.map { $0.shown[LabelSet.metricName] }).count > 1 {
                return .columns(try columns(request, grouped(series), reader, tables, &context))
            }
            groups = sourceGroups(of: series, labels)
        }
        if context.isExplaining {
            return .plan(try plan(request, groups.map(\.sources), reader, tables, &context))
        }
        var result: [Column] = []
        for group in groups.sorted(by: { $0.labels < $1.labels }) {
            try context.checkInterruption()
            let before = context.remaining
            let values: [Double?]
            switch function {
            case .exact(let exact):
                values = try self.values(exact, of: group.sources, request, reader, tables, &context)
            case .quantile(let bits):
                values = try quantiles(
                    Double(bitPattern: bits), of: group.sources, request, reader, tables, &context)
            }
            context.restore(to: before)
            let column = Column(labels: group.labels, values: values)
            if column.isEmpty { continue }
            try context.charge(values.count)
            result.append(column)
        }
        return .grouped(result)
    }

    private static func sourceGroups(of series: [Series], _ labels: GroupLabels) -> [SourceGroup] {
        var groups: [SourceGroup] = []
        var places: [LabelSet: Int] = [:]
        for one in series {
            let shown = labels.labels(of: one.shown)
            if let place = places[shown] {
                groups[place].sources.append(.series(one.id))
            } else {
                places[shown] = groups.count
                groups.append(SourceGroup(labels: shown, sources: [.series(one.id)]))
            }
        }
        return groups
    }

    private static func values<Reader: SampleReading & ~Copyable>(
        _ function: ExactFunction, of sources: [SampleSource], _ request: SelectorRequest,
        _ reader: borrowing Reader, _ tables: Reader.Tables, _ context: inout QueryContext
    ) throws(QueryError) -> [Double?] {
        let ends = request.ends
        var count: UInt64 = 0
        if !ends.isOneMoment {
            for source in sources {
                count += try reader.rollup(of: source, in: request.span, [], tables)?.count ?? 0
            }
            if count == 0 { return Array(repeating: nil, count: ends.count) }
        }
        if ends.isOneMoment || SelectorPlan.way(request, samples: count) == .rollups {
            var values: [Double?] = []
            for step in ends.isOneMoment ? 0..<min(1, ends.count) : ends.indices {
                try context.checkInterruption()
                var total: Rollup?
                for source in sources {
                    let rollup = try reader.rollup(
                        of: source, in: request.window(step), function.parts, tables)
                    total = Rollup.joined(total, rollup, function.parts)
                }
                values.append(total.map { function.value(of: $0) })
            }
            return ends.isOneMoment ? Array(repeating: values.first ?? nil, count: ends.count) : values
        }
        var samples: [Sample] = []
        for source in sources {
            let found = try reader.samples(of: source, in: request.span, limit: context.remaining, tables)
            try context.charge(found.count)
            samples = samples.isEmpty ? found : samples + found
        }
        if sources.count > 1 { samples.sort { $0.time < $1.time } }
        return SlidingWindow(
            samples: samples, function: function, windowMilliseconds: request.windowMilliseconds
        ).values(endingAt: ends)
    }

    private static func quantiles<Reader: SampleReading & ~Copyable>(
        _ rank: Double, of sources: [SampleSource], _ request: SelectorRequest, _ reader: borrowing Reader,
        _ tables: Reader.Tables, _ context: inout QueryContext
    ) throws(QueryError) -> [Double?] {
        let ends = request.ends
        var count: UInt64 = 0
        for source in sources {
            count += try reader.rollup(of: source, in: request.span, [], tables)?.count ?? 0
        }
        if count == 0 { return Array(repeating: nil, count: ends.count) }
        // Each sample is looked at once for every window that it lies in; buckets cost about a thousand looks a
        // window and source.
        let overlap = ends.stepMilliseconds > 0 ? request.windowMilliseconds / ends.stepMilliseconds + 1 : 1
        if count * UInt64(overlap) > UInt64(ends.count * sources.count) * 1024 || ends.isOneMoment {
            var values: [Double?] = []
            for step in ends.isOneMoment ? 0..<min(1, ends.count) : ends.indices {
                try context.checkInterruption()
                var total = LogBuckets()
                for source in sources {
                    total.add(try reader.buckets(of: source, in: request.window(step), tables))
                }
                values.append(total.value(atRank: rank))
            }
            return ends.isOneMoment ? Array(repeating: values.first ?? nil, count: ends.count) : values
        }
        try context.charge(Int(clamping: count))
        return try windows(rank, of: sources, request, count: Int(count), reader, tables, context)
    }

    /// Gathers the bucket of each sample in its windows, and picks from each window the one of the rank.
    private static func windows<Reader: SampleReading & ~Copyable>(
        _ rank: Double, of sources: [SampleSource], _ request: SelectorRequest, count: Int,
        _ reader: borrowing Reader, _ tables: Reader.Tables, _ context: QueryContext
    ) throws(QueryError) -> [Double?] {
        let ends = request.ends
        var found: [(window: Int32, key: Int32)] = []
        found.reserveCapacity(count)
        var sizes = Array(repeating: 0, count: ends.count + 1)
        for source in sources {
            try context.checkInterruption()
            // The first window that ends at or after the sample before: times mostly ascend.
            var first = 0
            try reader.eachKey(of: source, in: request.span, tables) { time, key in
                while first > 0, ends[first - 1] >= time { first -= 1 }
                while first < ends.count, ends[first] < time { first += 1 }
                var window = first
                while window < ends.count, ends[window] - request.windowMilliseconds < time {
                    found.append((Int32(window), key))
                    sizes[window + 1] += 1
                    window += 1
                }
            }
        }
        // Each window's keys side by side.
        for window in ends.indices { sizes[window + 1] += sizes[window] }
        var next = sizes
        var keys: [Int32] = Array(repeating: 0, count: found.count)
        for (window, key) in found {
            keys[next[Int(window)]] = key
            next[Int(window)] += 1
        }
        var values: [Double?] = []
        values.reserveCapacity(ends.count)
        for window in ends.indices {
            let range = sizes[window]..<sizes[window + 1]
            values.append(range.isEmpty ? nil : LogBuckets.value(atRank: rank, ofKeys: &keys, range))
        }
        return values
    }
}

extension SelectorRequest {
    func window(_ step: Int) -> TimeWindow {
        TimeWindow(after: ends[step] - windowMilliseconds, through: ends[step])
    }
}
