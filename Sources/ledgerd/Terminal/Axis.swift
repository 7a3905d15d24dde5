import Foundation
import Ledger

/// The scale of one direction of a plot: where its marks stand and what they say.
struct Axis: Sendable, Equatable {
    let low: Double
    let high: Double
    /// Rising, round numbers between `low` and `high`.
    let ticks: [Double]

    /// A scale of round numbers around finite values.
    ///
    /// - Parameter count: how many steps between marks are wanted at most; positive.
    init(around values: [Double], count: Int) {
        var low = values.min() ?? 0
        var high = values.max() ?? 1
        if low == high {
            // A flat line stands in the middle.
            let margin = max(low.magnitude * 0.1, 1e-9)
            (low, high) = low == 0 ? (-1, 1) : (low - margin, high + margin)
        }
        // Halves: the difference of two huge numbers of different signs is infinite.
        let step = Self.roundStep((high / 2 - low / 2) * 2 / Double(max(1, count)))
        guard step.isFinite, step > 0, (low / step).magnitude < 1e15, (high / step).magnitude < 1e15 else {
            (self.low, self.high, ticks) = (low, high, [low, high])
            return
        }
        let first = (low / step).rounded(.down)
        let last = max((high / step).rounded(.up), first + 1)
        self.low = first * step
        self.high = last * step
        ticks = (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    /// A scale from `low` to `high` without marks of its own.
    init(from low: Double, to high: Double) {
        self.low = low
        self.high = high > low ? high : low + 1
        ticks = []
    }

    /// Where a value lies: 0 at `low`, 1 at `high`; held within.
    func position(_ value: Double) -> Double {
        let span = high / 2 - low / 2
        guard span > 0 else { return 0.5 }
        return min(1, max(0, (value / 2 - low / 2) / span))
    }

    /// 1, 2 or 5 times a power of ten, at least `step`.
    static func roundStep(_ step: Double) -> Double {
        guard step.isFinite, step > 0 else { return step }
        let power = pow(10, log10(step).rounded(.down))
        for factor in [1.0, 2, 5, 10] where factor * power >= step * (1 - 1e-9) { return factor * power }
        return 10 * power
    }

    /// A number as short as its neighbours allow.
    static func label(_ value: Double, step: Double) -> String {
        if value == 0 { return "0" }
        if value.magnitude >= 1e7 || value.magnitude < 1e-4 { return String(format: "%.3g", value) }
        let digits = step > 0 ? max(0, min(6, Int((-log10(step) + 1e-9).rounded(.up)))) : 2
        return String(format: "%.\(digits)f", value)
    }
}

/// Times below a plot, in UTC.
enum TimeLabel {
    /// As much of the time as the length of the plot asks for.
    static func text(_ seconds: Double, span: Double) -> String {
        let full = TextTable.time(seconds)
        // 2026-11-22T10:15:00.250Z
        guard full.count >= 20, full.hasSuffix("Z") else { return full }
        let date = full.prefix(10)
        let clock = full.dropFirst(11)
        if span < 10 { return String(clock.dropLast()) }
        if span < 3600 { return String(clock.prefix(8)) }
        if span < 2 * 86_400 { return "\(date.dropFirst(5)) \(clock.prefix(5))" }
        return String(date)
    }
}
