import Dispatch
import Query
import Synchronization

/// Where queries are evaluated: a few at one time, off the cooperative pool, since a query may wait for the disk and
/// compute for long. Those that find no place wait in line, without a thread; a full line refuses.
final class QueryPlaces: Sendable {
    private typealias Job = @Sendable () -> Void

    private struct State: Sendable {
        var running = 0
        /// In the order they came; those before `next` have left.
        var waiting: [Job?] = []
        var next = 0
    }

    private let count: Int
    private let waitingLimit: Int
    /// Another class of service than all else has: each has threads of its own, as many as cores.
    private let queue = DispatchQueue(label: "queries", qos: .utility, attributes: .concurrent)
    private let state = Mutex(State())

    /// - Parameter waiting: how many may wait.
    init(count: Int, waiting: Int) {
        self.count = count
        waitingLimit = waiting
    }

    /// - Returns: `nil` where the line is full.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(QueryError) -> Value
    ) async -> Result<Value, QueryError>? {
        await withCheckedContinuation { continuation in
            let job: Job = {
                do throws(QueryError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            switch admit(job) {
            case .runs: queue.async { self.work(job) }
            case .waits: break
            case .refused: continuation.resume(returning: nil)
            }
        }
    }

    /// How many wait for a place.
    var waitingCount: Int { state.withLock { $0.waiting.count - $0.next } }

    private enum Admission { case runs, waits, refused }

    private func admit(_ job: @escaping Job) -> Admission {
        state.withLock { state in
            if state.running < count {
                state.running += 1
                return .runs
            }
            guard state.waiting.count - state.next < waitingLimit else { return .refused }
            state.waiting.append(job)
            return .waits
        }
    }

    /// Does a job, then those that waited for its place.
    private func work(_ first: @escaping Job) {
        var job: Job? = first
        while let current = job {
            current()
            job = state.withLock { state in
                guard state.next < state.waiting.count else {
                    state.running -= 1
                    return nil
                }
                let next = state.waiting[state.next]
                state.waiting[state.next] = nil
                state.next += 1
                if state.next == state.waiting.count || state.next > waitingLimit {
                    state.waiting.removeFirst(state.next)
                    state.next = 0
                }
                return next
            }
        }
    }
}
