import Ledger
import Synchronization

/// What waits for the ordering queue. Bounded, and each peer has a share of its own: what does not fit is refused at
/// the entrance, and one that floods starves nobody else.
final class Mailbox: Sendable {
    /// Someone who waits for an entry to be final.
    struct Request: Sendable {
        let entry: CheckedEntry
        /// In the node's uptime.
        var deadline: Duration = .seconds(Int64.max >> 1)
        let answer: Answer
    }

    /// Called once, on the ordering queue or where the request was refused.
    typealias Answer = @Sendable (Result<Acknowledgement, SubmissionFailure>) -> Void

    /// What is handled in one round, field by field.
    struct Batch: Sendable {
        var outcomes: [DiskThread.Outcome] = []
        var events: [Event] = []
        /// Entries of peers, then of clients: what a block is made of.
        var forwarded: [Event] = []
        var requests: [Request] = []

        var isEmpty: Bool {
            outcomes.isEmpty && events.isEmpty && forwarded.isEmpty && requests.isEmpty
        }
    }

    /// What one peer has waiting here.
    private struct Share: Sendable {
        var count = 0
        var byteCount = 0
    }

    private struct State: Sendable {
        var batch = Batch()
        var requestBytes = 0
        var shares: [Share]
        var isClosed = false
        /// The ordering queue knows that something waits.
        var isScheduled = false
        /// Entries wait for the disk; no use in waking anybody for more of them.
        var isHolding = false
    }

    private let state: Mutex<State>
    /// Who goes on when the ordering queue is at rest and something comes.
    enum Waking: Sendable {
        /// The queue, on a thread of its own. For whoever must not wait: tasks, and whoever is on the queue.
        case onItsThread
        /// The thread that brings it, in the queue's name: it saves the change of threads, and there are a dozen to a
        /// block. For whoever is not on the queue already. An event loop may: it wakes a queue that is at rest, so it
        /// waits for one round, and what the round sends leaves on that loop.
        case here
    }

    /// A closure of its own type in the mutex would be wrapped once more each time it is looked at, for ever: generic
    /// code sees functions in another form, and writes back what it has seen.
    private struct Wake: Sendable {
        var body: @Sendable (Waking) -> Void = { _ in }
    }

    private let wake = Mutex(Wake())

    init(peers: Int = 0) { state = Mutex(State(shares: Array(repeating: Share(), count: peers))) }

    /// - Parameter body: called where something waits and the ordering queue may be asleep.
    func onWake(_ body: @escaping @Sendable (Waking) -> Void) { wake.withLock { $0.body = body } }

    /// - Returns: Why it is refused; `nil` where it was taken.
    func put(_ request: Request) -> SubmissionFailure? {
        let (failure, isWaking): (SubmissionFailure?, Bool) = state.withLock { state in
            if state.isClosed { return (.stopped, false) }
            let byteCount = state.requestBytes + request.entry.entry.byteCount
            guard state.batch.requests.count < Limits.waitingEntries, byteCount <= Limits.waitingBytes else {
                return (.busy, false)
            }
            state.batch.requests.append(request)
            state.requestBytes = byteCount
            return (nil, state.isHolding ? false : Self.schedule(&state))
        }
        if isWaking { wakeUp(.onItsThread) }
        return failure
    }

    /// What a peer said, checked.
    ///
    /// - Returns: Whether it was taken; it may be said again.
    func put(_ event: Event, from peer: ReplicaID, byteCount: Int) -> Bool {
        let (isTaken, isWaking): (Bool, Bool) = state.withLock { state in
            let index = Int(peer.value)
            guard index < state.shares.count, state.shares[index].count < Limits.peerEvents,
                state.shares[index].byteCount <= Limits.peerEventBytes
            else { return (false, false) }
            state.shares[index].count += 1
            state.shares[index].byteCount += byteCount
            if case .forwarded = event {
                state.batch.forwarded.append(event)
            } else {
                state.batch.events.append(event)
            }
            return (true, Self.schedule(&state))
        }
        if isWaking { wakeUp(.here) }
        return isTaken
    }

    func put(_ outcome: DiskThread.Outcome, _ waking: Waking) {
        let isWaking = state.withLock { state in
            state.batch.outcomes.append(outcome)
            return Self.schedule(&state)
        }
        if isWaking { wakeUp(waking) }
    }

    /// All that waits. Where nothing does, the ordering queue goes to sleep and the next `put` wakes it.
    ///
    /// - Parameter isDiskBusy: entries then stay here, so that batches grow while the disk is at work; they are taken
    ///   when it has finished something, or rests.
    func takeAll(isDiskBusy: Bool = false) -> Batch {
        state.withLock { state in
            var batch = state.batch
            state.batch = Batch()
            for index in state.shares.indices { state.shares[index] = Share() }
            state.isHolding = isDiskBusy && batch.outcomes.isEmpty
            if state.isHolding {
                state.batch.requests = batch.requests
                batch.requests = []
            } else {
                state.requestBytes = 0
            }
            if batch.isEmpty { state.isScheduled = false }
            return batch
        }
    }

    /// Whether nothing is left to do: the next `put` then wakes the ordering queue.
    func rest() -> Bool {
        state.withLock { state in
            guard state.batch.outcomes.isEmpty, state.batch.events.isEmpty, state.batch.forwarded.isEmpty,
                state.batch.requests.isEmpty || state.isHolding
            else { return false }
            state.isScheduled = false
            return true
        }
    }

    /// Entries wait here for the disk.
    var isHolding: Bool { state.withLock { $0.isHolding } }

    /// The disk has nothing more to do.
    func diskRests() {
        let isWaking = state.withLock { state in
            guard state.isHolding else { return false }
            state.isHolding = false
            return state.batch.requests.isEmpty ? false : Self.schedule(&state)
        }
        if isWaking { wakeUp(.here) }
    }

    /// No requests are taken any more; what waits is still handled.
    func close() { state.withLock { $0.isClosed = true } }

    /// Requests that wait.
    var depth: Int { state.withLock { $0.batch.requests.count } }

    private static func schedule(_ state: inout State) -> Bool {
        if state.isScheduled { return false }
        state.isScheduled = true
        return true
    }

    private func wakeUp(_ waking: Waking) { wake.withLock { $0 }.body(waking) }
}
