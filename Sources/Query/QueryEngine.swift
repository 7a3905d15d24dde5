public import Ledger
internal import Synchronization

/// Answers questions from a query store. Synchronous: call it from a thread that may wait for the disk.
public struct QueryEngine: Sendable {
    private let store: QueryStore
    /// What the log held when it had this many entries is all that is known; `.max` for now.
    private let size: UInt64
    /// Asked again and again during an evaluation: a deadline, or a client that has gone.
    private let interruption: @Sendable () -> Interruption?

    /// Prometheus's default: an instant selector looks back five minutes.
    public static let defaultLookbackMilliseconds: Int64 = 300_000

    public init(
        store: QueryStore, asOf size: UInt64 = .max,
        interruption: @escaping @Sendable () -> Interruption? = { nil }
    ) {
        self.store = store
        self.size = size
        self.interruption = interruption
    }

    // MARK: Expressions

    public func instant(
        _ query: String, at time: Timestamp, lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> QueryResult {
        try instantAnnotated(query, at: time, lookbackMilliseconds: lookbackMilliseconds).result
    }

    /// - Parameter stepMilliseconds: positive; at most `QueryLimits.steps` points result.
    public func range(
        _ query: String, from start: Timestamp, through end: Timestamp, stepMilliseconds: Int64,
        lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> QueryResult {
        try rangeAnnotated(
            query, from: start, through: end, stepMilliseconds: stepMilliseconds,
            lookbackMilliseconds: lookbackMilliseconds
        ).result
    }

    /// With warnings and notes.
    public func instantAnnotated(
        _ query: String, at time: Timestamp, lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> AnnotatedResult {
        let expression = try Self.expression(query)
        let grid = TimeGrid(at: time.milliseconds)
        let (value, annotations) = try evaluate(expression, grid, lookbackMilliseconds)
        let result: QueryResult
        switch value {
        case .scalar(let values):
            result = .scalar(Point(time: time.milliseconds, value: values.first ?? .nan))
        case .string(let text): result = .string(time: time.milliseconds, value: text)
        case .vector(let columns):
            let series = columns.compactMap { PointSeries($0.points(at: grid)) }
            result = .vector(expression.isOrdered ? series : series.sorted { $0.labels < $1.labels })
        case .matrix(let points):
            result = .matrix(points.compactMap { PointSeries($0) }.sorted { $0.labels < $1.labels })
        }
        return AnnotatedResult(result, annotations, query)
    }

    /// With warnings and notes.
    public func rangeAnnotated(
        _ query: String, from start: Timestamp, through end: Timestamp, stepMilliseconds: Int64,
        lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> AnnotatedResult {
        let grid = try TimeGrid(from: start, through: end, stepMilliseconds: stepMilliseconds)
        let expression = try Self.expression(query)
        let type = expression.type
        guard type == .scalar || type == .vector else {
            throw QueryError(
                .badData,
                "invalid parameter \"query\": invalid expression type \(type.documented.goQuoted) for range query, "
                    + "must be Scalar or instant Vector")
        }
        let (value, annotations) = try evaluate(expression, grid, end: end.milliseconds, lookbackMilliseconds)
        let columns: [Column]
        switch value {
        case .scalar(let values): columns = [Column(labels: .empty, values: values)]
        case .vector(let vector): columns = vector
        case .string, .matrix: throw Evaluator.typeMismatch
        }
        let series = columns.compactMap { PointSeries($0.points(at: grid)) }
        return AnnotatedResult(.matrix(series.sorted { $0.labels < $1.labels }), annotations, query)
    }

    private func evaluate(
        _ expression: Expression, _ grid: TimeGrid, end: Int64? = nil, _ lookbackMilliseconds: Int64
    ) throws(QueryError) -> (Evaluator.Value, Annotations) {
        var context = try context(grid, end: end, lookbackMilliseconds)
        let requests = try SelectorRequests.all(in: expression, context)
        let loaded = try store.load(requests, asOf: size, context: &context)
        var evaluator = Evaluator(loaded: loaded, context: context)
        return (try evaluator.evaluate(expression), evaluator.context.annotations)
    }

    private func context(
        _ grid: TimeGrid, end: Int64? = nil, _ lookbackMilliseconds: Int64, isExplaining: Bool = false
    ) throws(QueryError) -> QueryContext {
        guard lookbackMilliseconds > 0, lookbackMilliseconds <= QueryLimits.durationMilliseconds else {
            throw QueryError(.badData, "invalid parameter \"lookback_delta\": must be a positive duration")
        }
        return QueryContext(
            grid: grid, end: end, lookbackMilliseconds: lookbackMilliseconds, isExplaining: isExplaining,
            interruption: interruption)
    }

    /// How an expression would be answered: what of each selector is read, and in which way. Nothing is evaluated.
    ///
    /// - Parameters:
    ///   - start: `nil` for an instant at `end`.
    ///   - stepMilliseconds: of a range.
    public func explain(
        _ query: String, from start: Timestamp?, through end: Timestamp, stepMilliseconds: Int64 = 0,
        lookbackMilliseconds: Int64 = defaultLookbackMilliseconds
    ) throws(QueryError) -> Explanation {
        let expression = try Self.expression(query)
        let grid: TimeGrid
        if let start {
            grid = try TimeGrid(from: start, through: end, stepMilliseconds: stepMilliseconds)
        } else {
            grid = TimeGrid(at: end.milliseconds)
        }
        var context = try context(
            grid, end: end.milliseconds, lookbackMilliseconds, isExplaining: true)
        let requests = try SelectorRequests.all(in: expression, context)
        let loaded = try store.load(requests, asOf: size, context: &context)
        let plans = requests.compactMap { request in
            if case .plan(let plan) = loaded[request] { plan } else { nil }
        }
        return Explanation(
            expression: Formatter.text(expression), type: expression.type, moments: grid.count,
            selectors: plans)
    }

    /// The expression in its standard form (`/api/v1/format_query`).
    public static func format(_ query: String) throws(QueryError) -> String {
        Formatter.text(try expression(query))
    }

    private static func expression(_ query: String) throws(QueryError) -> Expression {
        do { return try Parser.expression(query) } catch { throw error.of(parameter: "query") }
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
        for selector in selectors {
            do { matchers.append(try Parser.metricSelector(selector)) } catch {
                throw error.of(parameter: "match[]")
            }
        }
        return try store.series(
            matchingAny: matchers, from: start.milliseconds, through: end.milliseconds, asOf: size,
            interruption)
    }
}
