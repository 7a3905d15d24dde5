internal import Ledger

/// Computes an expression for all moments at once, one node after another, with the semantics of Prometheus 3.
///
/// The sums of `…_over_time` of selectors are exact before they become doubles. Other sums add doubles with
/// compensation (Neumaier), as Prometheus does.
struct Evaluator {
    let loaded: [SelectorRequest: SelectorLoader.Loaded]
    var context: QueryContext
    /// The moments of the question, or inside a subquery those of its steps.
    var grid: TimeGrid

    enum Value: Sendable {
        case scalar([Double])
        case string(String)
        case vector([Column])
        case matrix([PointColumn])
    }

    init(loaded: [SelectorRequest: SelectorLoader.Loaded], context: QueryContext) {
        self.loaded = loaded
        self.context = context
        grid = context.grid
    }

    /// Charges what the value holds. What its operands held is given back.
    mutating func evaluate(_ expression: Expression) throws(QueryError) -> Value {
        let before = context.remaining
        let value = try evaluateNode(expression)
        context.restore(to: before)
        // What was loaded is charged already, and shared.
        try context.charge(expression.isSelector ? 0 : value.size)
        return value
    }

    private mutating func evaluateNode(_ expression: Expression) throws(QueryError) -> Value {
        switch expression {
        case .number(let literal): return .scalar(Array(repeating: literal.value, count: grid.count))
        case .string(let literal): return .string(literal.value)
        case .selector(let selector): return .vector(try columns(.latest(selector, grid, context)))
        case .range(let range):
            guard case .samples(let points) = loaded[.samples(range, grid, context)] else {
                throw Self.notLoaded
            }
            return .matrix(points)
        case .subquery(let subquery): return .matrix(try evaluate(subquery))
        case .parenthesized(let inner, _): return try evaluateNode(inner)
        case .unary(let operation): return try evaluate(operation)
        case .binary(let operation): return try evaluate(operation)
        case .aggregation(let aggregation): return .vector(try evaluate(aggregation))
        case .call(let call): return try evaluate(call)
        }
    }

    func columns(_ request: SelectorRequest) throws(QueryError) -> [Column] {
        guard case .columns(let columns) = loaded[request] else { throw Self.notLoaded }
        return columns
    }

    static let notLoaded = QueryError(.internal, "a selector was not loaded before the evaluation")
    static let typeMismatch = QueryError(.internal, "the evaluation met a type that the parser excludes")

    private mutating func evaluate(_ operation: UnaryOperation) throws(QueryError) -> Value {
        switch try evaluate(operation.operand) {
        case .scalar(let values): return .scalar(operation.isNegation ? values.map { -$0 } : values)
        case .vector(let columns):
            if !operation.isNegation { return .vector(columns) }
            let negated = columns.map { column in
                Column(labels: column.labels.withoutName, values: column.values.map { $0.map { -$0 } })
            }
            return .vector(try negated.distinct())
        case .string, .matrix: throw Self.typeMismatch
        }
    }

    private mutating func evaluate(_ subquery: Subquery) throws(QueryError) -> [PointColumn] {
        let outer = grid
        grid = try context.subgrid(of: subquery, in: outer)
        defer { grid = outer }
        guard grid.count > 0 else { return [] }
        return try vector(subquery.inner).map { $0.points(at: grid) }
    }

    // MARK: Values of a type

    mutating func vector(_ expression: Expression) throws(QueryError) -> [Column] {
        guard case .vector(let columns) = try evaluate(expression) else { throw Self.typeMismatch }
        return columns
    }

    mutating func scalar(_ expression: Expression) throws(QueryError) -> [Double] {
        guard case .scalar(let values) = try evaluate(expression) else { throw Self.typeMismatch }
        return values
    }

    mutating func matrix(_ expression: Expression) throws(QueryError) -> [PointColumn] {
        guard case .matrix(let points) = try evaluate(expression) else { throw Self.typeMismatch }
        return points
    }

    func string(_ expression: Expression) throws(QueryError) -> String {
        guard case .string(let literal) = expression.unwrapped else { throw Self.typeMismatch }
        return literal.value
    }

    /// Results carry Prometheus's label names; a question may name a label as the document does.
    static func shownLabel(_ name: String) -> String {
        name == LabelSet.metricName ? name : PrometheusName.label(name)
    }
}

extension Evaluator.Value {
    /// Points held.
    var size: Int {
        switch self {
        case .scalar(let values): values.count
        case .string: 1
        case .vector(let columns): columns.reduce(0) { $0 + $1.values.count }
        case .matrix(let points): points.reduce(0) { $0 + $1.values.count }
        }
    }
}

extension Expression {
    fileprivate var isSelector: Bool {
        switch unwrapped {
        case .selector, .range: true
        case .number, .string, .subquery, .parenthesized, .unary, .binary, .aggregation, .call: false
        }
    }
}
