import Synchronization

/// What the server counts about itself since it was started.
final class ServerMetrics: Sendable {
    let submissionsAccepted = Counter()
    let submissionsRepeated = Counter()
    let submissionsRefused = Counter()
    let submissionsUnderWay = Gauge()
    let queriesAnswered = Counter()
    let queriesFailed = Counter()
}

/// A number that only grows.
final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    func increment() { count.add(1, ordering: .relaxed) }
    var value: UInt64 { count.load(ordering: .relaxed) }
}

/// How many are at something.
final class Gauge: Sendable {
    private let count = Atomic<Int>(0)

    /// - Returns: How many there are now, the new one included.
    func enter() -> Int { count.add(1, ordering: .relaxed).newValue }
    func leave() { count.subtract(1, ordering: .relaxed) }
}
