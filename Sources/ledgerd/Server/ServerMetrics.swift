import Replication
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
    let feedEntries = Counter()
    /// From the last byte of a submission to its receipt, those that were taken.
    let submissionTimes = DurationRecorder()

    func write(to text: inout OpenMetricsText) {
        text.counters(
            "kpi_ledger_submissions", "Submissions by outcome.",
            [
                (["outcome": "accepted"], submissionsAccepted.value),
                (["outcome": "repeated"], submissionsRepeated.value),
                (["outcome": "refused"], submissionsRefused.value),
            ])
        text.histogram(
            "kpi_ledger_submission_duration_seconds",
            "Time from the last byte of a submission to its receipt.", submissionTimes.histogram)
        text.gauge(
            "kpi_ledger_submissions_under_way", "Submissions that wait for their receipt.",
            UInt64(clamping: submissionsUnderWay.value))
        text.gauge(
            "kpi_ledger_requests_under_way", "Requests that wait for their answer.",
            UInt64(clamping: requestsUnderWay.value))
        text.counters(
            "kpi_ledger_queries", "Queries by outcome.",
            [
                (["outcome": "answered"], queriesAnswered.value),
                (["outcome": "failed"], queriesFailed.value),
            ])
        text.counter("kpi_ledger_feed_entries", "Entries that were read for feeds.", feedEntries.value)
    }
}

/// A histogram that many threads add to.
final class DurationRecorder: Sendable {
    private let times = Mutex(DurationHistogram())

    func add(_ duration: Duration) { times.withLock { $0.add(duration) } }
    var histogram: DurationHistogram { times.withLock { $0 } }
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
