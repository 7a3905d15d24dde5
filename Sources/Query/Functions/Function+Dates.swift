/// Functions of the calendar, in UTC, and of the moment of evaluation.
extension Function {
    static let dates: [Function] =
        parts.map { name, part in
            Function(name, [.vector], arity: .lastOptional, .date(part))
        }
        + [
            Function("time", [], returns: .scalar, .whole(time)),
            Function("timestamp", [.vector], .whole(timestamp)),
        ]

    private static let parts: [(String, @Sendable (CivilTime) -> Double)] = [
        ("minute", { Double($0.minute) }), ("hour", { Double($0.hour) }),
        ("day_of_week", { Double($0.weekday) }), ("day_of_month", { Double($0.day) }),
        ("day_of_year", { Double($0.yearDay) }), ("days_in_month", { Double($0.daysInMonth) }),
        ("month", { Double($0.month) }), ("year", { Double($0.year) }),
    ]

    @Sendable private static func time(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        .scalar(evaluator.grid.indices.map { Double(evaluator.grid[$0]) / 1000 })
    }

    /// When the sample of a selector was taken; of any other expression, when it is evaluated.
    @Sendable private static func timestamp(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        if let request = SelectorRequest.answering(call, evaluator.grid, evaluator.context) {
            let columns = try evaluator.columns(request).map {
                Column(labels: $0.labels.withoutName, values: $0.values)
            }
            return .vector(try columns.joined())
        }
        let grid = evaluator.grid
        return .vector(try evaluator.mapped(call.arguments[0]) { step, _ in Double(grid[step]) / 1000 })
    }
}
