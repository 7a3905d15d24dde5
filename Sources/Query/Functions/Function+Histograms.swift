internal import Ledger

/// Functions of classic histograms: series that count the values up to a bound, in the label `le`.
extension Function {
    static let histograms: [Function] =
        [
            Function("histogram_quantile", [.scalar, .vector], .whole(histogramQuantile)),
            Function("histogram_fraction", [.scalar, .scalar, .vector], .whole(histogramFraction)),
        ]
        // There are no native histograms here, and of plain values these functions give nothing.
        + ["avg", "count", "sum", "stddev", "stdvar"].map { name in
            Function("histogram_" + name, [.vector], .whole(nothing))
        }

    @Sendable private static func nothing(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        _ = try evaluator.vector(call.arguments[0])
        return .vector([])
    }

    @Sendable private static func histogramQuantile(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let ranks = try evaluator.scalar(call.arguments[0])
        for rank in Set(ranks) { evaluator.context.checkQuantile(rank, at: call.arguments[0].place) }
        return try eachHistogram(&evaluator, call.arguments[1]) { step, buckets in
            var buckets = buckets
            return buckets.quantile(ranks[step])
        }
    }

    @Sendable private static func histogramFraction(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let lower = try evaluator.scalar(call.arguments[0])
        let upper = try evaluator.scalar(call.arguments[1])
        return try eachHistogram(&evaluator, call.arguments[2]) { step, buckets in
            var buckets = buckets
            return buckets.fraction(from: lower[step], to: upper[step])
        }
    }

    private static let boundLabel = "le"

    /// Series that differ in `le` alone are one histogram. Those without a number there are left out.
    private static func eachHistogram(
        _ evaluator: inout Evaluator, _ argument: Expression, _ value: (Int, HistogramBuckets) -> Double
    ) throws(QueryError) -> Evaluator.Value {
        let columns = try evaluator.vector(argument)
        var groups: [(labels: LabelSet, members: [(bound: Double, column: Int)])] = []
        var places: [LabelSet: Int] = [:]
        for (index, column) in columns.enumerated() {
            guard let text = column.labels[boundLabel], let bound = NumberText.value(text) else { continue }
            // With the name: `a_bucket` and `b_bucket` are two histograms, whose answers collide.
            let labels = column.labels.removing([boundLabel])
            if let place = places[labels] {
                groups[place].members.append((bound, index))
            } else {
                places[labels] = groups.count
                groups.append((labels, [(bound, index)]))
            }
        }
        var result: [Column] = []
        for group in groups {
            try evaluator.context.charge(evaluator.grid.count)
            var values: [Double?] = []
            for step in evaluator.grid.indices {
                var buckets = HistogramBuckets()
                for member in group.members {
                    if let count = columns[member.column].values[step] { buckets.add(member.bound, count) }
                }
                values.append(buckets.isEmpty ? nil : value(step, buckets))
            }
            result.append(Column(labels: group.labels.withoutName, values: values))
        }
        return .vector(try result.joined())
    }
}
