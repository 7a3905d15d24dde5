import Synchronization

/// What the server counts about itself since it was started.
final class ServerMetrics: Sendable {
    let submissionsAccepted = Counter()
    let submissionsRepeated = Counter()
    let submissionsRefused = Counter()
    let submissionsUnderWay = Gauge()
    let requestsUnderWay = Gauge()
    let queriesAnswered = Counter()
    let queriesFailed = Counter()
}

/// A number that only grows.
final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    func increment() { count.add(1, ordering: .relaxed) }
    var value: UInt64 { count.load(ordering: .relaxed) }
}

/// Bytes that many share. What does not fit is refused.
final class ByteBudget: Sendable {
    private let left: Atomic<Int>

    init(limitBytes: Int) { left = Atomic(limitBytes) }

    /// - Returns: Whether there were as many.
    func take(_ count: Int) -> Bool {
        if left.subtract(count, ordering: .relaxed).newValue >= 0 { return true }
        giveBack(count)
        return false
    }

    func giveBack(_ count: Int) { left.add(count, ordering: .relaxed) }
}

/// How many are at something.
final class Gauge: Sendable {
    private let count = Atomic<Int>(0)

    /// - Returns: How many there are now, the new one included.
    func enter() -> Int { count.add(1, ordering: .relaxed).newValue }
    func leave() { count.subtract(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
