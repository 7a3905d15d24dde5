internal import Ledger

/// Functions that answer where nothing is.
extension Function {
    static let absences: [Function] = [
        Function("absent", [.vector], .whole(absent)),
        Function("absent_over_time", [.matrix], .whole(absentOverTime)),
    ]

    @Sendable private static func absent(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let columns = try evaluator.vector(call.arguments[0])
        let labels = call.arguments[0].unwrapped.labelsOfAbsent
        return .vector(absence(of: columns, labels, evaluator.grid))
    }

    @Sendable private static func absentOverTime(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let range = call.arguments[0].unwrapped
        let (ends, milliseconds) = try evaluator.windows(of: range)
        let present = WindowFunction { _ throws(QueryError) in 1 }
        var columns: [Column] = []
        for points in try evaluator.matrix(range) {
            let values = try points.values(
                of: present, windowMilliseconds: milliseconds, ends: ends, moments: evaluator.grid,
                parameters: { _ in [] }, evaluator.context)
            columns.append(Column(labels: points.labels, values: values))
        }
        return .vector(absence(of: columns, range.labelsOfAbsent, evaluator.grid))
    }

    private static func absence(of columns: [Column], _ labels: LabelSet, _ grid: TimeGrid) -> [Column] {
        var result = Column(labels: labels, values: Array(repeating: 1, count: grid.count))
        for column in columns {
            for (step, value) in column.values.enumerated() where value != nil { result.values[step] = nil }
        }
        return result.isEmpty ? [] : [result]
    }
}

extension Expression {
    /// What is known of the series that is not there: the labels that a selector wants to be equal to something.
    fileprivate var labelsOfAbsent: LabelSet {
        let matchers: [LabelMatcher]
        switch self {
        case .selector(let selector): matchers = selector.matchers
        case .range(let range): matchers = range.selector.matchers
        case .number, .string, .subquery, .parenthesized, .unary, .binary, .aggregation, .call: return .empty
        }
        var labels: [Label] = []
        // A label that is asked for twice, or to be other than a value, has no value that is known. Prometheus looks
        // at what excludes last.
        var seen: Set<String> = []
        let (including, excluding) = (matchers.filter { !$0.excludes }, matchers.filter(\.excludes))
        for matcher in including + excluding where matcher.name != LabelSet.metricName {
            let isShown = PrometheusName.isLegacyLabel(matcher.name)
            let name = isShown ? matcher.name : Evaluator.shownLabel(matcher.name)
            labels.removeAll { $0.name == name }
            if matcher.kind == .equal, seen.insert(name).inserted {
                labels.append(Label(name: name, value: matcher.value))
            }
        }
        return LabelSet(labels)
    }
}

extension LabelMatcher {
    /// Takes series away, and never one without the label.
    fileprivate var excludes: Bool { kind.isNegative && accepts(anyOf: [""]) }
}
