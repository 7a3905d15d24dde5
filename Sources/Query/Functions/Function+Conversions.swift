/// Between scalars and vectors.
extension Function {
    static let conversions: [Function] = [
        Function("scalar", [.vector], returns: .scalar, .whole(scalar)),
        Function("vector", [.scalar], .whole(vector)),
    ]

    /// The value of the only series, else not-a-number.
    @Sendable private static func scalar(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let columns = try evaluator.vector(call.arguments[0])
        var counts = Array(repeating: 0, count: evaluator.grid.count)
        var values = Array(repeating: Double.nan, count: evaluator.grid.count)
        for column in columns {
            for (step, value) in column.values.enumerated() {
                guard let value else { continue }
                counts[step] += 1
                values[step] = counts[step] == 1 ? value : .nan
            }
        }
        return .scalar(values)
    }

    @Sendable private static func vector(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        .vector([Column(labels: .empty, values: try evaluator.scalar(call.arguments[0]))])
    }
}
