/// `…_over_time`: functions of the values in a window, whatever their order.
extension Function {
    static let overTime: [Function] = [
        exact("sum_over_time", .sum) { CompensatedSum.of($0.values) },
        exact("avg_over_time", .mean) { Mean.value(of: $0.values) },
        exact("min_over_time", .minimum) { $0.values.extreme(<) },
        exact("max_over_time", .maximum) { $0.values.extreme(>) },
        exact("count_over_time", .count) { Double($0.count) },
        exact("present_over_time", .present) { _ in 1 },
        exact("last_over_time", .last, keepsName: true) { $0.lastValue },
        exact("first_over_time", .first, keepsName: true) { $0.firstValue },
        exact("stdvar_over_time", .variance) { Variance.value(of: $0.values) },
        exact("stddev_over_time", .deviation) { Variance.value(of: $0.values).squareRoot() },
        window("mad_over_time") { window in
            let median = Quantile.value(0.5, of: Array(window.values))
            return Quantile.value(0.5, of: window.values.map { ($0 - median).magnitude })
        },
        Function(
            "quantile_over_time", [.scalar, .matrix],
            .window(
                WindowFunction(rangePosition: 1) { window throws(QueryError) in
                    Quantile.value(window.parameters[0], of: Array(window.values))
                })),
        window("ts_of_first_over_time") { Double($0.firstTime) / 1000 },
        window("ts_of_last_over_time") { Double($0.lastTime) / 1000 },
        window("ts_of_min_over_time") { $0.timeOfLast { $0 <= $1 } },
        window("ts_of_max_over_time") { $0.timeOfLast { $0 >= $1 } },
    ]

    private static func exact(
        _ name: String, _ exact: ExactFunction, keepsName: Bool = false,
        _ compute: @escaping @Sendable (PointWindow) -> Double?
    ) -> Function {
        Function(
            name, [.matrix],
            .window(
                WindowFunction(exact: exact, keepsName: keepsName) { window throws(QueryError) in
                    compute(window)
                }))
    }

    static func window(
        _ name: String, _ compute: @escaping @Sendable (PointWindow) -> Double?
    ) -> Function {
        Function(name, [.matrix], .window(WindowFunction { window throws(QueryError) in compute(window) }))
    }
}

extension PointWindow {
    /// In seconds, of the last value that is at least as good as all before it.
    fileprivate func timeOfLast(_ isAsGood: (Double, Double) -> Bool) -> Double {
        var best = firstValue
        var time = firstTime
        for (value, at) in zip(values, times) where isAsGood(value, best) || best.isNaN {
            best = value
            time = at
        }
        return Double(time) / 1000
    }
}
