internal import Ledger

/// Computes an expression for all moments at once, one node after another, with the semantics of Prometheus 3.
///
/// The sums of `…_over_time` are exact before they become doubles. Sums over series add doubles with compensation
/// (Neumaier), as Prometheus does.
struct Evaluator {
    let loaded: [SelectorRequest: SelectorLoader.Loaded]
    var context: QueryContext

    enum Value: Sendable {
        case scalar([Double])
        case string(String)
        case vector([Column])
        case matrix([PointSeries])
    }

    mutating func evaluate(_ expression: Expression) throws(QueryError) -> Value {
        switch expression {
        case .number(let literal): return .scalar(Array(repeating: literal.value, count: context.times.count))
        case .string(let literal): return .string(literal.value)
        case .selector(let selector):
            return .vector(try columns(.latest(selector, context.lookbackMilliseconds)))
        case .range(let range):
            guard case .samples(let series) = loaded[.samples(range)] else { throw Self.notLoaded }
            return .matrix(series)
        case .parenthesized(let inner, _): return try evaluate(inner)
        case .unary(let operation): return try evaluate(operation)
        case .binary(let operation): return try evaluate(operation)
        case .aggregation(let aggregation): return .vector(try evaluate(aggregation))
        case .call(let call): return .vector(try evaluate(call))
        }
    }

    private func columns(_ request: SelectorRequest) throws(QueryError) -> [Column] {
        guard case .columns(let columns) = loaded[request] else { throw Self.notLoaded }
        return columns
    }

    private static let notLoaded = QueryError(.internal, "a selector was not loaded before the evaluation")
    static let typeMismatch = QueryError(.internal, "the evaluation met a type that the parser excludes")

    private mutating func evaluate(_ operation: UnaryOperation) throws(QueryError) -> Value {
        switch try evaluate(operation.operand) {
        case .scalar(let values): return .scalar(operation.isNegation ? values.map { -$0 } : values)
        case .vector(let columns):
            if !operation.isNegation { return .vector(columns) }
            let negated = columns.map { column in
                Column(labels: column.labels.withoutName, values: column.values.map { $0.map { -$0 } })
            }
            return .vector(try negated.joined())
        case .string, .matrix: throw Self.typeMismatch
        }
    }

    private func evaluate(_ call: Call) throws(QueryError) -> [Column] {
        guard let range = call.arguments.first?.unwrappedRange else { throw Self.typeMismatch }
        return try columns(.overTime(call.function, range)).map { column in
            Column(labels: column.labels.withoutName, values: column.values)
        }.joined()
    }

    // MARK: Aggregation

    private mutating func evaluate(_ aggregation: Aggregation) throws(QueryError) -> [Column] {
        guard case .vector(let columns) = try evaluate(aggregation.argument) else { throw Self.typeMismatch }
        let names = aggregation.labels.map(Self.shownLabel)
        var groups: [(labels: LabelSet, members: [Int])] = []
        var places: [LabelSet: Int] = [:]
        for (index, column) in columns.enumerated() {
            let labels =
                aggregation.isWithout
                ? column.labels.removing(names + [LabelSet.metricName]) : column.labels.keeping(names)
            if let place = places[labels] {
                groups[place].members.append(index)
            } else {
                places[labels] = groups.count
                groups.append((labels, [index]))
            }
        }
        var result: [Column] = []
        for group in groups {
            try context.charge(context.times.count)
            let members = group.members.map { columns[$0].values }
            let values = context.times.indices.map { step in
                aggregation.operator.value(of: members.lazy.compactMap { $0[step] })
            }
            result.append(Column(labels: group.labels, values: values))
        }
        return result
    }

    /// Results carry Prometheus's label names; a question may name a label as the document does.
    static func shownLabel(_ name: String) -> String {
        name == LabelSet.metricName ? name : PrometheusName.label(name)
    }
}

extension Aggregator {
    /// `nil` for no values. As Prometheus: not-a-number loses against any number in `min` and `max`.
    func value(of values: some Sequence<Double>) -> Double? {
        var count = 0.0
        var sum = CompensatedSum()
        var extreme: Double?
        for value in values {
            count += 1
            switch self {
            case .sum, .avg: sum.add(value)
            case .min: if extreme.map({ value < $0 || $0.isNaN }) ?? true { extreme = value }
            case .max: if extreme.map({ value > $0 || $0.isNaN }) ?? true { extreme = value }
            case .count, .group, .stddev, .stdvar, .topk, .bottomk, .quantile, .limitk, .countValues,
                .limitRatio:
                break
            }
        }
        guard count > 0 else { return nil }
        switch self {
        case .sum: return sum.value
        case .avg:
            let total = sum.value
            if total.isFinite || !values.allSatisfy(\.isFinite) { return total / count }
            // The sum left the range of a double, the mean does not.
            var scaled = CompensatedSum()
            for value in values { scaled.add(value / count) }
            return scaled.value
        case .min, .max: return extreme
        case .count: return count
        case .group: return 1
        case .stddev, .stdvar, .topk, .bottomk, .quantile, .limitk, .countValues, .limitRatio: return nil
        }
    }
}

/// A sum of doubles that keeps what rounding cuts off.
/// Source: A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen".
struct CompensatedSum {
    private var sum = 0.0
    private var rest = 0.0

    mutating func add(_ value: Double) {
        let total = sum + value
        if total.isInfinite {
            rest = 0
        } else if sum.magnitude >= value.magnitude {
            rest += (sum - total) + value
        } else {
            rest += (value - total) + sum
        }
        sum = total
    }

    var value: Double { sum + rest }
}
