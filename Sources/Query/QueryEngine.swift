public import Ledger
internal import Synchronization

/// Answers questions from a query store. Synchronous: call it from a thread that may wait for the disk.
public struct QueryEngine: Sendable {
    private let store: QueryStore
    /// Asked again and again during an evaluation: a deadline, or a client that has gone.
    private let interruption: @Sendable () -> Interruption?

    /// Prometheus's default: an instant selector looks back five minutes.
    public static let defaultLookbackMilliseconds: Int64 = 300_000

    public init(
        store: QueryStore, interruption: @escaping @Sendable () -> Interruption? = { nil }
    ) {
        self.store = store
        self.interruption = interruption
    }

    // MARK: Expressions

    public func instant(
        _ query: String, at time: Timestamp, lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> QueryResult {
        let expression = try Parser.expression(query)
        let value = try evaluate(expression, [time.milliseconds], lookbackMilliseconds)
        switch value {
        case .scalar(let values): return .scalar(Point(time: time.milliseconds, value: values.first ?? .nan))
        case .string(let text): return .string(time: time.milliseconds, value: text)
        case .vector(let columns): return .vector(Self.series(columns, [time.milliseconds]))
        case .matrix(let series): return .matrix(series.sorted { $0.labels < $1.labels })
        }
    }

    /// - Parameter stepMilliseconds: positive; at most `QueryLimits.steps` points result.
    public func range(
        _ query: String, from start: Timestamp, through end: Timestamp, stepMilliseconds: Int64,
        lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> QueryResult {
        guard end >= start else {
            throw QueryError(
                .badData, "invalid parameter \"end\": end timestamp must not be before start time")
        }
        guard stepMilliseconds > 0 else {
            throw QueryError(
                .badData,
                "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. "
                    + "Try a positive integer")
        }
        let steps = (end.milliseconds - start.milliseconds) / stepMilliseconds
        guard steps < QueryLimits.steps else {
            throw QueryError(
                .badData,
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                    + "(?step=XX)")
        }
        let expression = try Parser.expression(query)
        let type = expression.type
        guard type == .scalar || type == .vector else {
            throw QueryError(
                .badData,
                "invalid parameter \"query\": invalid expression type \(type.documented.goQuoted) for range query, "
                    + "must be Scalar or instant Vector")
        }
        let times = (0...steps).map { start.milliseconds + $0 * stepMilliseconds }
        switch try evaluate(expression, times, lookbackMilliseconds) {
        case .scalar(let values):
            return .matrix(Self.series([Column(labels: .empty, values: values)], times))
        case .vector(let columns): return .matrix(Self.series(columns, times))
        case .string, .matrix: throw Evaluator.typeMismatch
        }
    }

    private func evaluate(
        _ expression: Expression, _ times: [Int64], _ lookbackMilliseconds: Int64
    ) throws(QueryError) -> Evaluator.Value {
        guard lookbackMilliseconds > 0, lookbackMilliseconds <= QueryLimits.durationMilliseconds else {
            throw QueryError(.badData, "invalid parameter \"lookback_delta\": must be a positive duration")
        }
        var context = QueryContext(
            times: times, lookbackMilliseconds: lookbackMilliseconds, interruption: interruption)
        let requests = SelectorRequest.all(in: expression, lookbackMilliseconds: lookbackMilliseconds)
        let loaded = try store.load(requests, context: &context)
        var evaluator = Evaluator(loaded: loaded, context: context)
        return try evaluator.evaluate(expression)
    }

    private static func series(_ columns: [Column], _ times: [Int64]) -> [PointSeries] {
        var result: [PointSeries] = []
        for column in columns {
            var points: [Point] = []
            for (time, value) in zip(times, column.values) {
                if let value { points.append(Point(time: time, value: value)) }
            }
            if !points.isEmpty { result.append(PointSeries(labels: column.labels, points: points)) }
        }
        return result.sorted { $0.labels < $1.labels }
    }

    /// The expression in its standard form (`/api/v1/format_query`).
    public static func format(_ query: String) throws(QueryError) -> String {
        Formatter.text(try Parser.expression(query))
    }

    // MARK: Series and labels

    /// The label sets of the series that any of the selectors accepts and that have samples between the two moments,
    /// both included; a series counts if any time between its first and last sample does.
    public func series(
        _ selectors: [String], from start: Timestamp = .earliest, through end: Timestamp = .latest
    ) throws(QueryError) -> [LabelSet] {
        guard !selectors.isEmpty else { throw QueryError(.badData, "no match[] parameter provided") }
        return Set(try found(selectors, start, end).map(\.shown)).sorted()
    }

    /// The label names in use, in Prometheus form, sorted; of all series without a selector.
    public func labels(
        _ selectors: [String] = [], from start: Timestamp = .earliest, through end: Timestamp = .latest
    ) throws(QueryError) -> [String] {
        var names: Set<String> = []
        for series in try found(selectors, start, end) { names.formUnion(series.shown.labels.map(\.name)) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The values of a label, sorted. The name may be in either form; Prometheus's escape for names in addresses
    /// (`U__vcs_2e_ref`) is understood.
    public func labelValues(
        _ name: String, _ selectors: [String] = [], from start: Timestamp = .earliest,
        through end: Timestamp = .latest
    ) throws(QueryError) -> [String] {
        let name = EscapedName.unescaped(name)
        guard !name.isEmpty else { throw QueryError(.badData, "invalid label name: \(name.goQuoted)") }
        var values: Set<String> = []
        for series in try found(selectors, start, end) {
            if let value = series.values(of: name).first, !value.isEmpty { values.insert(value) }
        }
        return values.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// All metrics, or one, ordered by name.
    public func metadata(of metric: String? = nil, limit: Int = .max) -> [MetricMetadata] {
        var found: [String: (units: Set<String>, names: Set<String>)] = [:]
        for series in store.index.withLock({ $0.all }) {
            guard let name = series.shown[LabelSet.metricName] else { continue }
            if let metric, metric != name, metric != series.name { continue }
            found[name, default: ([], [])].units.insert(UnitName.prometheus(series.unit))
            found[name, default: ([], [])].names.insert(series.name)
        }
        let ordered = found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        return ordered.prefix(max(0, limit)).map { name, known in
            MetricMetadata(
                name: name, unit: known.units.sorted().last ?? "", originalNames: known.names.sorted())
        }
    }

    private func found(
        _ selectors: [String], _ start: Timestamp, _ end: Timestamp
    ) throws(QueryError) -> [Series] {
        var matchers: [[LabelMatcher]] = []
        for selector in selectors { matchers.append(try Parser.metricSelector(selector)) }
        return try store.series(
            matchingAny: matchers, from: start.milliseconds, through: end.milliseconds, interruption)
    }
}
