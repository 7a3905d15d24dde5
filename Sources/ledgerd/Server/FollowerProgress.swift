import Ledger

/// What is said of a follower that has a long way to go; nothing of one that keeps level.
struct FollowerProgress {
    private let first: UInt64
    private let began: ContinuousClock.Instant
    private var said: ContinuousClock.Instant
    private var hasSpoken = false

    /// - Parameter first: entries that were followed before.
    init(from first: UInt64, at now: ContinuousClock.Instant = .now) {
        self.first = first
        began = now
        said = now
    }

    /// A line every few seconds, and one at the end if there was one before.
    mutating func line(_ done: UInt64, of goal: UInt64, at now: ContinuousClock.Instant) -> String? {
        let isDone = done >= goal
        // One that keeps level under load is never quite there.
        let isBehind = goal > done && goal - done > UInt64(Limits.followerEntries)
        let isDue = isBehind && now - said >= .seconds(Limits.followerProgressSeconds)
        guard isDone ? hasSpoken : isDue else { return nil }
        (said, hasSpoken) = (now, !isDone)
        let way = ProgressLine.line(
            "entries", done - min(first, done), of: goal - min(first, goal), in: now - began)
        return isDone
            ? "queries have followed the log: \(way)"
            : "queries follow the log, answers are of what they know so far: \(way)"
    }
}
