public import Ledger

/// What a set of samples amounts to. Exact, and the same in whatever order samples or parts are added.
public struct Rollup: Hashable, Sendable {
    public private(set) var count: UInt64
    /// In units of 10⁻⁹.
    public private(set) var sum: Int128
    public private(set) var minimum: Quantity
    public private(set) var maximum: Quantity
    /// By time, then by the place in the log.
    public private(set) var first: Sample
    public private(set) var last: Sample

    public init(_ sample: Sample) {
        self.init(
            count: 1, sum: sample.value.nanos, minimum: sample.value, maximum: sample.value, first: sample,
            last: sample)
    }

    init(count: UInt64, sum: Int128, minimum: Quantity, maximum: Quantity, first: Sample, last: Sample) {
        self.count = count
        self.sum = sum
        self.minimum = minimum
        self.maximum = maximum
        self.first = first
        self.last = last
    }

    public mutating func add(_ other: Rollup) {
        // 2⁶⁴ samples are more than any log holds, and `Quantity` explains why the sum fits.
        count += other.count
        sum += other.sum
        minimum = min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        if other.first.precedes(first) { first = other.first }
        if last.precedes(other.last) { last = other.last }
    }

    public mutating func add(_ sample: Sample) { add(Rollup(sample)) }

    /// Both together; `nil` only for nothing and nothing.
    static func joined(_ left: Rollup?, _ right: Rollup?) -> Rollup? {
        guard var result = left else { return right }
        if let right { result.add(right) }
        return result
    }
}
