public import Ledger

/// Samples as a transaction of the query store sees them: each question is one scan of a cursor, at most.
extension StoreReading where Self: ~Copyable {
    func scanSamples(
        of series: SeriesID, in window: TimeWindow, _ tables: QueryTables,
        _ body: (Sample) throws(StoreError) -> ScanStep
    ) throws(StoreError) {
        guard window.after < window.through else { return }
        let start = SampleKey(series: series, time: window.after + 1, index: 0, position: 0)
        try scan(tables.samples, from: start) { key, record throws(StoreError) in
            guard key.series == series, key.time <= window.through else { return .stop }
            return try body(
                Sample(
                    time: key.time, index: EntryIndex(key.index), position: key.position,
                    value: record.quantity))
        }
    }

    func latestSample(
        of series: SeriesID, in window: TimeWindow, _ tables: QueryTables
    ) throws(StoreError) -> Sample? {
        let end = SampleKey(series: series, time: window.through, index: .max, position: .max)
        guard let (key, record) = try last(tables.samples, atOrBefore: end), key.series == series,
            window.contains(key.time)
        else { return nil }
        return Sample(
            time: key.time, index: EntryIndex(key.index), position: key.position, value: record.quantity)
    }

    /// Adds up whole days from their rollups, and what is left at both ends from samples.
    func sampleRollup(
        of series: SeriesID, in window: TimeWindow, _ tables: QueryTables
    ) throws(StoreError) -> Rollup? {
        guard window.after < window.through, let all = try value(tables.rollups, series) else { return nil }
        if window.contains(all.first.time), window.contains(all.last.time) { return all }
        // No sample lies outside, and days may be counted without overflow inside.
        let after = max(window.after, all.first.time - 1)
        let through = min(window.through, all.last.time)
        let firstDay = DayKey.day(of: after) + 1
        let lastDay = DayKey.day(of: through + 1) - 1
        guard firstDay <= lastDay else {
            return try addedSamples(of: series, in: TimeWindow(after: after, through: through), tables)
        }
        let firstWindow = DayKey(series: series, day: firstDay).window
        let lastWindow = DayKey(series: series, day: lastDay).window
        var rollup = try addedSamples(
            of: series, in: TimeWindow(after: after, through: firstWindow.after), tables)
        try scan(tables.days, from: DayKey(series: series, day: firstDay)) { key, day throws(StoreError) in
            guard key.series == series, key.day <= lastDay else { return .stop }
            rollup = Rollup.joined(rollup, day)
            return .next
        }
        return Rollup.joined(
            rollup,
            try addedSamples(of: series, in: TimeWindow(after: lastWindow.through, through: through), tables))
    }

    func addedSamples(
        of series: SeriesID, in window: TimeWindow, _ tables: QueryTables
    ) throws(StoreError) -> Rollup? {
        var rollup: Rollup?
        try scanSamples(of: series, in: window, tables) { sample throws(StoreError) in
            rollup = Rollup.joined(rollup, Rollup(sample))
            return .next
        }
        return rollup
    }
}

extension ReadTransaction: SampleReading {
    public func samples(
        of series: SeriesID, in window: TimeWindow, limit: Int, _ tables: QueryTables
    ) throws(QueryError) -> [Sample] {
        var samples: [Sample] = []
        var isTooMuch = false
        do throws(StoreError) {
            try scanSamples(of: series, in: window, tables) { sample throws(StoreError) in
                isTooMuch = samples.count == limit
                if isTooMuch { return .stop }
                samples.append(sample)
                return .next
            }
        } catch {
            throw QueryError(error)
        }
        if isTooMuch { throw .tooManySamples }
        return samples
    }

    public func latest(
        of series: SeriesID, in window: TimeWindow, _ tables: QueryTables
    ) throws(QueryError) -> Sample? {
        do { return try latestSample(of: series, in: window, tables) } catch { throw QueryError(error) }
    }

    public func rollup(
        of series: SeriesID, in window: TimeWindow, _ tables: QueryTables
    ) throws(QueryError) -> Rollup? {
        do { return try sampleRollup(of: series, in: window, tables) } catch { throw QueryError(error) }
    }
}

extension QueryError {
    init(_ error: StoreError) { self.init(.internal, "query store: \(error.description)") }
}
