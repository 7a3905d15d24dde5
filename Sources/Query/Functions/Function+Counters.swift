/// Functions of how the values in a window follow each other.
extension Function {
    static let counters: [Function] = [
        window("rate") { window in window.increase(isCounter: true).map { $0 / window.seconds } },
        window("increase") { $0.increase(isCounter: true) },
        window("delta") { $0.increase(isCounter: false) },
        window("irate") { $0.lastStep(isRate: true) },
        window("idelta") { $0.lastStep(isRate: false) },
        window("resets") { window in Double(window.pairs.count { $0.1 < $0.0 }) },
        window("changes") { window in
            Double(window.pairs.count { $0.1 != $0.0 && !($0.1.isNaN && $0.0.isNaN) })
        },
    ]
}

extension PointWindow {
    /// Each value and the next.
    fileprivate var pairs: some Sequence<(Double, Double)> { zip(values, values.dropFirst()) }

    fileprivate var seconds: Double { Double(window.through - window.after) / 1000 }

    /// The difference between the last and the first value, resets of a counter made up for, stretched to the edges
    /// of the window where the series probably reaches them.
    ///
    /// - Source: Prometheus, `extrapolatedRate`.
    fileprivate func increase(isCounter: Bool) -> Double? {
        guard count >= 2, lastTime > firstTime else { return nil }
        var difference = lastValue - firstValue
        if isCounter { for (previous, next) in pairs where next < previous { difference += previous } }
        let sampled = Double(lastTime - firstTime) / 1000
        let average = sampled / Double(count - 1)
        // A gap that is hardly longer than the others is the window's fault, not the series' end.
        let threshold = average * 1.1
        var toStart = Double(firstTime - window.after) / 1000
        var toEnd = Double(window.through - lastTime) / 1000
        if toStart >= threshold { toStart = average / 2 }
        if isCounter, difference > 0, firstValue >= 0 {
            // A counter was never below zero.
            toStart = min(toStart, sampled * (firstValue / difference))
        }
        if toEnd >= threshold { toEnd = average / 2 }
        return difference * ((sampled + toStart + toEnd) / sampled)
    }

    /// Between the last two values.
    fileprivate func lastStep(isRate: Bool) -> Double? {
        guard count >= 2 else { return nil }
        let previous = (value: values[values.endIndex - 2], time: times[times.endIndex - 2])
        guard lastTime > previous.time else { return nil }
        let isReset = isRate && lastValue < previous.value
        let difference = isReset ? lastValue : lastValue - previous.value
        return isRate ? difference / (Double(lastTime - previous.time) / 1000) : difference
    }
}
