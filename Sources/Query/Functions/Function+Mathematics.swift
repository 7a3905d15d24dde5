internal import Glibc

/// Functions of a number.
extension Function {
    static let mathematics: [Function] =
        elementary.map { name, function in Function(name, [.vector], .map(function)) }
        + [
            Function("round", [.vector, .scalar], arity: .lastOptional, .whole(round)),
            Function("clamp", [.vector, .scalar, .scalar], .whole(clamp)),
            Function("clamp_min", [.vector, .scalar], .whole(clampMinimum)),
            Function("clamp_max", [.vector, .scalar], .whole(clampMaximum)),
            Function("pi", [], returns: .scalar, .whole(pi)),
        ]

    private static let elementary: [(String, @Sendable (Double) -> Double)] = [
        ("abs", { $0.magnitude }), ("ceil", { $0.rounded(.up) }), ("floor", { $0.rounded(.down) }),
        ("exp", { exp($0) }), ("ln", { log($0) }), ("log2", { log2($0) }), ("log10", { log10($0) }),
        ("sqrt", { $0.squareRoot() }), ("sgn", { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }),
        ("sin", { sin($0) }), ("cos", { cos($0) }), ("tan", { tan($0) }),
        ("asin", { asin($0) }), ("acos", { acos($0) }), ("atan", { atan($0) }),
        ("sinh", { sinh($0) }), ("cosh", { cosh($0) }), ("tanh", { tanh($0) }),
        ("asinh", { asinh($0) }), ("acosh", { acosh($0) }), ("atanh", { atanh($0) }),
        ("deg", { $0 * 180 / .pi }), ("rad", { $0 * .pi / 180 }),
    ]

    @Sendable private static func pi(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        .scalar(Array(repeating: .pi, count: evaluator.grid.count))
    }

    /// To a multiple of the second argument, halves up.
    @Sendable private static func round(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let units =
            call.arguments.count > 1
            ? try evaluator.scalar(call.arguments[1]) : Array(repeating: 1, count: evaluator.grid.count)
        return .vector(
            try evaluator.mapped(call.arguments[0]) { step, value in
                // By the inverse, as Prometheus does, since 0.1 is no double and 10 is.
                let inverse = 1 / units[step]
                return (value * inverse + 0.5).rounded(.down) / inverse
            })
    }

    @Sendable private static func clamp(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let minima = try evaluator.scalar(call.arguments[1])
        let maxima = try evaluator.scalar(call.arguments[2])
        return .vector(
            try evaluator.mapped(call.arguments[0]) { step, value in
                if maxima[step] < minima[step] { return nil }
                return greater(minima[step], lesser(maxima[step], value))
            })
    }

    @Sendable private static func clampMinimum(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let minima = try evaluator.scalar(call.arguments[1])
        return .vector(try evaluator.mapped(call.arguments[0]) { greater(minima[$0], $1) })
    }

    @Sendable private static func clampMaximum(
        _ evaluator: inout Evaluator, _ call: Call
    ) throws(QueryError) -> Evaluator.Value {
        let maxima = try evaluator.scalar(call.arguments[1])
        return .vector(try evaluator.mapped(call.arguments[0]) { lesser(maxima[$0], $1) })
    }

    /// Not-a-number wins.
    private static func greater(_ left: Double, _ right: Double) -> Double {
        left.isNaN || right.isNaN ? .nan : max(left, right)
    }

    private static func lesser(_ left: Double, _ right: Double) -> Double {
        left.isNaN || right.isNaN ? .nan : min(left, right)
    }
}
