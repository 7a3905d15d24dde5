import Ledger

@testable import Query

/// Samples in memory, read the slow and obvious way.
struct MemorySamples: SampleReading {
    var series: [Series] = []
    var samples: [SeriesID: [Sample]] = [:]

    mutating func add(_ entry: FeedEntry) {
        for (position, measure) in (entry.document?.measures ?? []).enumerated() {
            let known = series.first {
                $0.name == measure.name && $0.unit == measure.unit && $0.labels == measure.labels
            }
            let one =
                known
                ?? Series(
                    id: SeriesID(UInt64(series.count)), name: measure.name, unit: measure.unit,
                    labels: measure.labels)
            if known == nil { series.append(one) }
            samples[one.id, default: []].append(
                Sample(
                    time: measure.time.milliseconds, index: entry.index, position: UInt32(position),
                    value: measure.value))
        }
    }

    func select(_ matchers: [LabelMatcher]) -> [Series] { series.filter { $0.isSelected(by: matchers) } }

    /// Nothing is kept across series here.
    private func series(of source: SampleSource) -> SeriesID {
        switch source {
        case .series(let id), .aggregate(let id): id
        }
    }

    func samples(
        of source: SampleSource, in window: TimeWindow, limit: Int, _ tables: Int
    ) throws(QueryError) -> [Sample] {
        let series = series(of: source)
        let found = (samples[series] ?? []).filter { window.contains($0.time) }.sorted { $0.precedes($1) }
        if found.count > limit { throw .tooManySamples }
        return found
    }

    func latest(of series: SeriesID, in window: TimeWindow, _ tables: Int) throws(QueryError) -> Sample? {
        try samples(of: .series(series), in: window, limit: .max, tables).last
    }

    func buckets(
        of source: SampleSource, in window: TimeWindow, _ tables: Int
    ) throws(QueryError) -> LogBuckets {
        LogBuckets(try samples(of: source, in: window, limit: .max, tables))
    }

    func keys(
        of source: SampleSource, in window: TimeWindow, _ tables: Int,
        _ body: (_ times: ArraySlice<Int64>, _ keys: [Int32]) -> Void
    ) throws(QueryError) {
        for sample in try samples(of: source, in: window, limit: .max, tables) {
            body([sample.time], [LogBuckets.key(of: sample.value.double)])
        }
    }

    func rollup(
        of source: SampleSource, in window: TimeWindow, _ parts: Rollup.Parts, _ tables: Int
    ) throws(QueryError) -> Rollup? {
        var rollup: Rollup?
        for sample in try samples(of: source, in: window, limit: .max, tables) {
            rollup = Rollup.joined(rollup, Rollup(sample))
        }
        return rollup
    }

    /// Evaluates each moment by itself, so that nothing slides.
    func evaluate(_ query: String, _ times: [Int64], lookback: Int64) throws -> [LabelSet: [Int64: Double]] {
        let expression = try Parser.expression(query)
        var result: [LabelSet: [Int64: Double]] = [:]
        for time in times {
            var context = QueryContext(grid: TimeGrid(at: time), lookbackMilliseconds: lookback) { nil }
            let loaded = try SelectorLoader.load(
                SelectorRequests.all(in: expression, context), from: self, 0,
                context: &context, select: select, group: { _, _ in nil })
            var evaluator = Evaluator(loaded: loaded, context: context)
            switch try evaluator.evaluate(expression) {
            case .scalar(let values): result[.empty, default: [:]][time] = values[0]
            case .vector(let columns):
                for column in columns { result[column.labels, default: [:]][time] = column.values[0] }
            case .string, .matrix: break
            }
        }
        return result
    }
}
