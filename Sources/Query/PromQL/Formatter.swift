/// Writes an expression as Prometheus would (`/api/v1/format_query`): on one line where it fits into 100 characters,
/// else split at operators, calls and parentheses, two spaces a level.
public enum Formatter {
    private static let lineLimit = 100

    public static func text(_ expression: Expression) -> String { pretty(expression, level: 0) }

    /// On one line, however long.
    static func line(_ expression: Expression) -> String {
        switch expression {
        case .number(let literal): return number(literal)
        case .string(let literal): return literal.value.goQuoted
        case .selector(let selector): return selectorText(selector) + modifiers(selector.shift)
        case .range(let range):
            return selectorText(range.selector)
                + "[\(DurationText.text(milliseconds: range.rangeMilliseconds))]"
                + modifiers(range.selector.shift)
        case .subquery(let subquery): return line(subquery.inner) + suffix(of: subquery)
        case .parenthesized(let inner, _): return "(\(line(inner)))"
        case .unary(let operation): return (operation.isNegation ? "-" : "+") + line(operation.operand)
        case .binary(let operation):
            return "\(line(operation.left)) \(operatorText(operation)) \(line(operation.right))"
        case .aggregation(let aggregation):
            return head(of: aggregation) + "(\(aggregation.arguments.map(line).joined(separator: ", ")))"
        case .call(let call):
            return "\(call.function.name)(\(call.arguments.map(line).joined(separator: ", ")))"
        }
    }

    private static func pretty(_ expression: Expression, level: Int) -> String {
        let indent = String(repeating: "  ", count: level)
        let oneLine = line(expression)
        if oneLine.unicodeScalars.count <= lineLimit { return indent + oneLine }
        switch expression {
        case .number, .string, .selector, .range: return indent + oneLine
        case .parenthesized(let inner, _):
            return "\(indent)(\n\(pretty(inner, level: level + 1))\n\(indent))"
        case .unary(let operation):
            let operand = pretty(operation.operand, level: level).drop { $0 == " " }
            return indent + (operation.isNegation ? "-" : "+") + operand
        case .binary(let operation):
            return pretty(operation.left, level: level + 1) + "\n\(indent)\(operatorText(operation))\n"
                + pretty(operation.right, level: level + 1)
        case .subquery(let subquery): return pretty(subquery.inner, level: level) + suffix(of: subquery)
        case .aggregation(let aggregation):
            return indent + head(of: aggregation) + list(aggregation.arguments, level: level)
        case .call(let call): return indent + call.function.name + list(call.arguments, level: level)
        }
    }

    private static func list(_ arguments: [Expression], level: Int) -> String {
        let lines = arguments.map { pretty($0, level: level + 1) }.joined(separator: ",\n")
        return "(\n\(lines)\n\(String(repeating: "  ", count: level)))"
    }

    private static func suffix(of subquery: Subquery) -> String {
        let step = subquery.stepMilliseconds.map { DurationText.text(milliseconds: $0) } ?? ""
        return "[\(DurationText.text(milliseconds: subquery.rangeMilliseconds)):\(step)]"
            + modifiers(subquery.shift)
    }

    private static func number(_ literal: NumberLiteral) -> String {
        // Prometheus writes `+Inf`, and so turns `Inf ^ x` into `+(Inf ^ x)`, another expression.
        if literal.value == .infinity { return "Inf" }
        guard literal.isDuration else { return FloatText.fixed(literal.value) }
        let milliseconds = (literal.value * 1000).rounded()
        guard milliseconds.magnitude <= Double(QueryLimits.durationMilliseconds) else {
            return FloatText.fixed(literal.value)
        }
        let text = DurationText.text(milliseconds: Int64(milliseconds.magnitude))
        return milliseconds < 0 ? "-" + text : text
    }

    private static func selectorText(_ selector: VectorSelector) -> String {
        var shown: [String] = []
        for matcher in selector.matchers {
            // The name stands before the braces.
            if matcher.name == LabelSet.metricName, matcher.kind == .equal, matcher.value == selector.name {
                continue
            }
            shown.append(label(matcher.name) + matcher.kind.rawValue + matcher.value.goQuoted)
        }
        shown.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return (selector.name ?? "") + (shown.isEmpty ? "" : "{\(shown.joined(separator: ","))}")
    }

    private static func modifiers(_ shift: TimeShift) -> String {
        var text = ""
        switch shift.moment {
        case nil: break
        case .start: text += " @ start()"
        case .end: text += " @ end()"
        case .time(let milliseconds): text += " @ \(FloatText.seconds(milliseconds: milliseconds, digits: 3))"
        }
        let offset = shift.offsetMilliseconds
        if offset != 0 {
            text += " offset \(offset < 0 ? "-" : "")\(DurationText.text(milliseconds: abs(offset)))"
        }
        return text
    }

    private static func operatorText(_ operation: BinaryOperation) -> String {
        var text = operation.operator.rawValue + (operation.returnsBool ? " bool" : "")
        let matching = operation.matching
        if matching.isOn || !matching.labels.isEmpty || matching.cardinality != .oneToOne {
            text += matching.isOn ? " on (" : " ignoring ("
            text += matching.labels.map(label).joined(separator: ", ") + ")"
        }
        switch matching.cardinality {
        case .oneToOne: return text
        case .manyToOne: text += " group_left ("
        case .oneToMany: text += " group_right ("
        }
        return text + matching.include.map(label).joined(separator: ", ") + ")"
    }

    private static func head(of aggregation: Aggregation) -> String {
        let name = aggregation.operator.rawValue
        if !aggregation.isWithout, aggregation.labels.isEmpty { return name }
        let labels = aggregation.labels.map(label).joined(separator: ", ")
        return "\(name) \(aggregation.isWithout ? "without" : "by") (\(labels)) "
    }

    /// In quotes unless it is a label name of the old kind.
    private static func label(_ name: String) -> String {
        PrometheusName.isLegacyLabel(name) ? name : name.goQuoted
    }
}

extension Aggregation {
    /// As they stand in the parentheses.
    var arguments: [Expression] { (parameter.map { [$0] } ?? []) + [argument] }
}
