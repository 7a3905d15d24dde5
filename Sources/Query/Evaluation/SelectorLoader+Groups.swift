internal import Ledger
internal import Synchronization

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
        let sorted = groups.sorted { $0.labels < $1.labels }
        let atOnce = sharedValues(of: sorted, function, request, reader, tables, context)
        var result: [Column] = []
        for (place, group) in sorted.enumerated() {
            try context.checkInterruption()
            let before = context.remaining
            let values: [Double?]
            if let atOnce {
                values = atOnce[place]
            } else {
                values = try self.values(of: group, function, request, reader, tables, &context)
            }
            context.restore(to: before)
            let column = Column(labels: group.labels, values: values)
            if column.isEmpty { continue }
            try context.charge(values.count)
            result.append(column)
        }
        return .grouped(result)
    }

    private static func values<Reader: SampleReading & ~Copyable>(
        of group: SourceGroup, _ function: GroupedFunction, _ request: SelectorRequest,
        _ reader: borrowing Reader, _ tables: Reader.Tables, _ context: inout QueryContext
    ) throws(QueryError) -> [Double?] {
        switch function {
        case .exact(let exact):
            try values(exact, of: group.sources, request, reader, tables, &context)
        case .quantile(let bits):
            try quantiles(Double(bitPattern: bits), of: group.sources, request, reader, tables, &context)
        }
    }

    /// The values of many groups, worked out on several cores. Each piece of the work may hold its share of the
    /// samples; where one needs more, or fails, `nil`: the groups are then worked out one after the other, with the
    /// whole allowance, and say what is wrong.
    private static func sharedValues<Reader: SampleReading & ~Copyable>(
        of groups: [SourceGroup], _ function: GroupedFunction, _ request: SelectorRequest,
        _ reader: borrowing Reader, _ tables: Reader.Tables, _ context: QueryContext
    ) -> [[Double?]]? {
        let pieces = min(QueryLimits.coresOfOneQuestion, groups.count / QueryLimits.groupsOfOneCore)
        guard pieces > 1 else { return nil }
        let share = context.share(of: pieces)
        let next = Atomic(0)
        let all = Mutex<[[Double?]?]>(Array(repeating: nil, count: groups.count))
        reader.concurrently(pieces) { _, reader in
            var values: [(place: Int, values: [Double?])] = []
            while true {
                let place = next.add(1, ordering: .relaxed).oldValue
                guard place < groups.count else { break }
                var context = share
                guard
                    let found = try? self.values(
                        of: groups[place], function, request, reader, tables, &context)
                else {
                    next.store(groups.count, ordering: .relaxed)
                    return
                }
                values.append((place, found))
            }
            all.withLock { all in for (place, found) in values { all[place] = found } }
        }
        let values = all.withLock { $0.compactMap { $0 } }
        return values.count == groups.count ? values : nil
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
        var keys = WindowKeys(
            endingAt: ends, lengthMilliseconds: request.windowMilliseconds,
            count: Int(clamping: count * UInt64(overlap)))
        for source in sources {
            try context.checkInterruption()
            try reader.keys(of: source, in: request.span, tables) { keys.add($0, $1) }
        }
        return keys.values(atRank: rank)
    }
}

extension SelectorRequest {
    func window(_ step: Int) -> TimeWindow {
        TimeWindow(after: ends[step] - windowMilliseconds, through: ends[step])
    }
}
