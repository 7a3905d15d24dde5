internal import Ledger

/// Functions that order the answer of an instant query.
extension Function {
    static let sorting: [Function] = [
        byValue("sort") { $0 < $1 },
        byValue("sort_desc") { $0 > $1 },
        byLabels("sort_by_label", descending: false),
        byLabels("sort_by_label_desc", descending: true),
    ]

    private static func byValue(
        _ name: String, _ precedes: @escaping @Sendable (Double, Double) -> Bool
    ) -> Function {
        Function(
            name, [.vector],
            .whole { evaluator, call throws(QueryError) in try sorted(&evaluator, call, precedes) })
    }

    private static func byLabels(_ name: String, descending: Bool) -> Function {
        Function(
            name, [.vector, .string], arity: .lastRepeated,
            .whole { evaluator, call throws(QueryError) in
                try sortedByLabels(&evaluator, call, descending: descending)
            })
    }

    private static func sorted(
        _ evaluator: inout Evaluator, _ call: Call, _ precedes: (Double, Double) -> Bool
    ) throws(QueryError) -> Evaluator.Value {
        let columns = try evaluator.vector(call.arguments[0])
        // A range query is ordered by labels anyhow.
        guard evaluator.grid.count == 1 else { return .vector(columns) }
        let ordered = columns.sorted { left, right in
            guard let first = left.values[0], let second = right.values[0] else {
                return left.values[0] != nil
            }
            // Not-a-number last, in both directions; labels where values are equal.
            if first.isNaN != second.isNaN { return second.isNaN }
            if first == second || first.isNaN { return left.labels < right.labels }
            return precedes(first, second)
        }
        return .vector(ordered)
    }

    private static func sortedByLabels(
        _ evaluator: inout Evaluator, _ call: Call, descending: Bool
    ) throws(QueryError) -> Evaluator.Value {
        let columns = try evaluator.vector(call.arguments[0])
        var names: [String] = []
        for argument in call.arguments.dropFirst() {
            names.append(Evaluator.shownLabel(try evaluator.string(argument)))
        }
        let ordered = columns.sorted { one, other in
            let (left, right) = descending ? (other, one) : (one, other)
            for name in names {
                let first = left.labels[name] ?? ""
                let second = right.labels[name] ?? ""
                if first != second { return NaturalOrder.precedes(first, second) }
            }
            return left.labels < right.labels
        }
        return .vector(ordered)
    }
}

/// The order of texts with numbers in them that people expect: `node2` before `node10`.
enum NaturalOrder {
    static func precedes(_ left: String, _ right: String) -> Bool {
        let first = parts(left)
        let second = parts(right)
        for (one, other) in zip(first, second) where one != other {
            if let oneNumber = number(one), let otherNumber = number(other), oneNumber != otherNumber {
                return oneNumber.count == otherNumber.count
                    ? oneNumber.lexicographicallyPrecedes(otherNumber)
                    : oneNumber.count < otherNumber.count
            }
            return one.lexicographicallyPrecedes(other)
        }
        return first.count < second.count
    }

    /// Runs of digits and runs of others, by turns.
    private static func parts(_ text: String) -> [ArraySlice<UInt8>] {
        let bytes = Array(text.utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            var end = start + 1
            while end < bytes.count, bytes[end].isDigit == bytes[start].isDigit { end += 1 }
            parts.append(bytes[start..<end])
            start = end
        }
        return parts
    }

    /// Without leading zeros.
    private static func number(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        part.first?.isDigit == true ? part.drop { $0 == 0x30 } : nil
    }
}

extension Expression {
    /// Whether the order of the answer is part of it.
    var isOrdered: Bool {
        switch unwrapped {
        case .call(let call): call.function.name.hasPrefix("sort")
        case .aggregation(let aggregation):
            aggregation.operator == .topk || aggregation.operator == .bottomk
        case .number, .string, .selector, .range, .subquery, .parenthesized, .unary, .binary: false
        }
    }
}
