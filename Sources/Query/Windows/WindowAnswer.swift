public import Ledger

/// A window of a continuous aggregate, as it was known at some height of the log.
public struct WindowAnswer: Hashable, Sendable {
    public let span: WindowSpan
    /// The labels that the definition groups by; those without a value are left out.
    public let labels: LabelSet
    /// `nil` where nothing is in the window, since what was in it was corrected or erased.
    public let rollup: Rollup?
    public let buckets: LogBuckets
    public let isOpen: Bool
    /// How often it was said; 0 for a window that was open all the time.
    public let revision: UInt64
}

extension WindowAnswer {
    public var count: UInt64 { rollup?.count ?? 0 }
    /// Exact, as a decimal.
    public var sum: String { ExactSum.text(nanos: rollup?.sum ?? 0) }
    /// The nearest double to the exact average.
    public var average: Double? { rollup.map { ExactSum.mean(nanos: $0.sum, count: $0.count) } }
    public var minimum: Quantity? { rollup?.minimum }
    public var maximum: Quantity? { rollup?.maximum }

    /// To within 0.55 %.
    public func quantile(_ quantile: Double) -> Double? { buckets.value(atRank: quantile) }
}

/// One window said by a continuous aggregate.
public struct WindowEmission: Hashable, Sendable {
    public let position: WindowPosition
    public let window: WindowAnswer
    /// The starts of the sessions of the same labels that this one takes the place of.
    public let superseded: [Int64]
}

/// The windows of a stretch of time, and where in the sequence of emissions they stand.
public struct WindowsAnswer: Hashable, Sendable {
    /// By start, then by labels.
    public let windows: [WindowAnswer]
    /// How many entries of the log they are as of.
    public let size: UInt64
    /// `nil` before the first event.
    public let watermark: Int64?
    /// The emissions after this one change what is answered here.
    public let position: WindowPosition
    /// Whether there were more than could be answered.
    public let isTruncated: Bool
}

extension ExactSum {
    /// `nanos / 10⁹` as a decimal, every digit of it and no zeros at its end: `-0.25`.
    static func text(nanos: Int128) -> String {
        let (whole, rest) = nanos.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let sign = nanos < 0 ? "-" : ""
        guard rest > 0 else { return sign + String(whole) }
        let digits = String(rest)
        var fraction = String(repeating: "0", count: 9 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(sign)\(whole).\(fraction)"
    }
}
