public import Ledger

/// What a set of samples amounts to. Exact, and the same in whatever order samples or parts are added.
public struct Rollup: Hashable, Sendable {
    /// Parts that a question may do without; what was not asked for is not to be looked at.
    public struct Parts: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let sum = Parts(rawValue: 1)
        public static let squares = Parts(rawValue: 2)
        /// Minimum and maximum.
        public static let extremes = Parts(rawValue: 4)
        /// The first sample and the last.
        public static let ends = Parts(rawValue: 8)
        /// Besides the count, which is always there.
        public static let all: Parts = [.sum, .squares, .extremes, .ends]
    }

    public private(set) var count: UInt64
    /// No sample has more digits behind the point: how sums are written, not what they are.
    private(set) var scale: UInt8
    /// In units of 10⁻⁹.
    public private(set) var sum: Int128
    /// In units of 10⁻¹⁸.
    public private(set) var squares: SquareSum
    public private(set) var minimum: Quantity
    public private(set) var maximum: Quantity
    /// By time, then by the place in the log.
    public private(set) var first: Sample
    public private(set) var last: Sample

    public init(_ sample: Sample) {
        let nanos = sample.value.nanos
        self.init(
            count: 1, scale: sample.value.scale, sum: nanos, squares: SquareSum(squareOf: nanos),
            minimum: sample.value,
            maximum: sample.value, first: sample, last: sample)
    }

    init(
        count: UInt64, scale: UInt8, sum: Int128, squares: SquareSum, minimum: Quantity, maximum: Quantity,
        first: Sample,
        last: Sample
    ) {
        self.count = count
        self.scale = scale
        self.sum = sum
        self.squares = squares
        self.minimum = minimum
        self.maximum = maximum
        self.first = first
        self.last = last
    }

    /// - Returns: `nil` for no samples.
    init?(_ samples: [Sample]) {
        guard let first = samples.first else { return nil }
        self.init(first)
        for sample in samples.dropFirst() { add(sample) }
    }

    public mutating func add(_ other: Rollup) { add(other, .all) }

    mutating func add(_ other: Rollup, _ parts: Parts) {
        // 2⁶⁴ samples are more than any log holds, and `Quantity` explains why the sum fits.
        count += other.count
        scale = max(scale, other.scale)
        if parts.contains(.sum) { sum += other.sum }
        if parts.contains(.squares) { squares.add(other.squares) }
        if parts.contains(.extremes) {
            minimum = min(minimum, other.minimum)
            maximum = max(maximum, other.maximum)
        }
        if parts.contains(.ends) {
            if other.first.precedes(first) { first = other.first }
            if last.precedes(other.last) { last = other.last }
        }
    }

    public mutating func add(_ sample: Sample) { add(Rollup(sample)) }

    /// What stands for a first or last sample that is not known.
    static let unknownEnd = Sample(time: 0, index: EntryIndex(0), position: 0, value: .zero)

    var withoutEnds: Rollup {
        Rollup(
            count: count, scale: scale, sum: sum, squares: squares, minimum: minimum, maximum: maximum,
            first: Self.unknownEnd, last: Self.unknownEnd)
    }

    /// Both together; `nil` only for nothing and nothing.
    static func joined(_ left: Rollup?, _ right: Rollup?, _ parts: Parts = .all) -> Rollup? {
        guard var result = left else { return right }
        if let right { result.add(right, parts) }
        return result
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.sum == right.sum && left.squares == right.squares
            && left.minimum == right.minimum && left.maximum == right.maximum && left.first == right.first
            && left.last == right.last
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(sum)
        hasher.combine(first)
        hasher.combine(last)
    }
}
