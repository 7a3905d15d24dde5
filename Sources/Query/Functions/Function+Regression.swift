/// Functions that lay a line through the values of a window.
extension Function {
    static let regressions: [Function] = [
        window("deriv") { $0.count < 2 ? nil : $0.line(at: $0.firstTime).slope },
        Function(
            "predict_linear", [.matrix, .scalar],
            .window(
                WindowFunction { window throws(QueryError) in
                    guard window.count >= 2 else { return nil }
                    let (slope, value) = window.line(at: window.moment)
                    return slope * window.parameters[0] + value
                })),
        Function(
            "double_exponential_smoothing", [.matrix, .scalar, .scalar],
            .window(
                WindowFunction { window throws(QueryError) in
                    try window.smoothed(factor: window.parameters[0], trendFactor: window.parameters[1])
                })),
    ]
}

extension PointWindow {
    /// By least squares: the slope per second, and the value at a time.
    fileprivate func line(at origin: Int64) -> (slope: Double, value: Double) {
        if values.allSatisfy({ $0 == firstValue }) {
            return firstValue.isInfinite ? (.nan, .nan) : (0, firstValue)
        }
        var sumX = CompensatedSum()
        var sumY = CompensatedSum()
        var sumXY = CompensatedSum()
        var sumXX = CompensatedSum()
        for (time, y) in zip(times, values) {
            let x = Double(time - origin) / 1000
            sumX.add(x)
            sumY.add(y)
            sumXY.add(x * y)
            sumXX.add(x * x)
        }
        let n = Double(count)
        let covariance = sumXY.value - sumX.value * sumY.value / n
        let variance = sumXX.value - sumX.value * sumX.value / n
        let slope = covariance / variance
        return (slope, sumY.value / n - slope * sumX.value / n)
    }

    /// Holt's method. - Source: Prometheus, `funcDoubleExponentialSmoothing`.
    fileprivate func smoothed(factor: Double, trendFactor: Double) throws(QueryError) -> Double? {
        for (name, value) in [("smoothing", factor), ("trend", trendFactor)] where !(value > 0 && value < 1) {
            let symbol = name == "trend" ? "tf" : "sf"
            throw QueryError(
                .execution,
                "invalid \(name) factor. Expected: 0 < \(symbol) < 1, got: \(FloatText.sixDigits(value))")
        }
        guard count >= 2 else { return nil }
        var before = 0.0
        var smooth = firstValue
        var trend = values[values.startIndex + 1] - firstValue
        for (index, value) in values.dropFirst().enumerated() {
            if index > 0 { trend = trendFactor * (smooth - before) + (1 - trendFactor) * trend }
            let next = factor * value + (1 - factor) * (smooth + trend)
            before = smooth
            smooth = next
        }
        return smooth
    }
}
