/// How long something took, each time since the node started: counts by length, and the sum.
public struct DurationHistogram: Sendable {
    /// Upper ends of the buckets, in microseconds, ascending. A bucket without an end follows the last.
    public static let boundsMicroseconds: [UInt64] = [
        100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
        2_500_000, 5_000_000, 10_000_000,
    ]

    /// How many fell into each bucket and into none before it; the last has no end.
    public private(set) var counts = [UInt64](repeating: 0, count: boundsMicroseconds.count + 1)
    public private(set) var sumMicroseconds: UInt64 = 0

    public init() {}

    public mutating func add(_ duration: Duration) {
        let (seconds, attoseconds) = max(duration, .zero).components
        let microseconds = UInt64(seconds) &* 1_000_000 &+ UInt64(attoseconds / 1_000_000_000_000)
        let bounds = Self.boundsMicroseconds
        counts[bounds.firstIndex { microseconds <= $0 } ?? bounds.count] += 1
        sumMicroseconds &+= microseconds
    }
}
