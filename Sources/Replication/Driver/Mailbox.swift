import Ledger
import Synchronization

/// What waits for the ordering thread. Bounded: what does not fit is refused at the entrance.
final class Mailbox: Sendable {
    /// Someone who waits for an entry to be final.
    struct Request: Sendable {
        let entry: CheckedEntry
        let answer: Answer
    }

    /// Called once, on the ordering thread or where the request was refused.
    typealias Answer = @Sendable (Result<Acknowledgement, SubmissionFailure>) -> Void

    private struct State: Sendable {
        var requests: [Request] = []
        var byteCount = 0
        var isClosed = false
        var isScheduled = false
    }

    private let state = Mutex(State())

    enum Admission: Sendable {
        /// Taken; the ordering thread sees it on its next round.
        case taken
        /// Taken, and the ordering thread sleeps: wake it.
        case wake
        case refused(SubmissionFailure)
    }

    func put(_ request: Request) -> Admission {
        state.withLock { state in
            if state.isClosed { return .refused(.stopped) }
            let byteCount = state.byteCount + request.entry.entry.byteCount
            guard state.requests.count < Limits.waitingEntries, byteCount <= Limits.waitingBytes else {
                return .refused(.busy)
            }
            state.requests.append(request)
            state.byteCount = byteCount
            if state.isScheduled { return .taken }
            state.isScheduled = true
            return .wake
        }
    }

    /// All that waits. Where nothing does, the ordering thread goes to sleep and the next `put` wakes it.
    func takeAll() -> [Request] {
        state.withLock { state in
            let requests = state.requests
            state.requests = []
            state.byteCount = 0
            if requests.isEmpty { state.isScheduled = false }
            return requests
        }
    }

    /// Nothing is taken any more; what waits is still handled.
    func close() { state.withLock { $0.isClosed = true } }

    var depth: Int { state.withLock { $0.requests.count } }
}
