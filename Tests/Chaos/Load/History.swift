public import Ledger
import Synchronization

/// A document on its way: what a client knows of it.
public struct Append: Sendable, Equatable {
    public let number: Int
    public let leafHash: Digest
    /// Since the beginning of the run, before the first attempt.
    public let sent: Duration
    /// After the answer was read.
    public fileprivate(set) var acknowledged: Duration?
    public fileprivate(set) var index: UInt64?

    public init(
        number: Int, leafHash: Digest, sent: Duration, acknowledged: Duration? = nil, index: UInt64? = nil
    ) {
        self.number = number
        self.leafHash = leafHash
        self.sent = sent
        self.acknowledged = acknowledged
        self.index = index
    }
}

/// Everything that clients sent and saw.
final class History: Sendable {
    private struct State: Sendable {
        var appends: [Append] = []
        var acknowledgements: [Duration] = []
        var failures: [String: Int] = [:]
        var attempts = 0
        var heldBack = 0
        var reads = 0
        /// The roots that nodes have shown, by size.
        var roots: [UInt64: Digest] = [:]
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now

    /// Since the beginning of the run.
    var now: Duration { ContinuousClock.now - start }

    var appends: [Append] { state.withLock { $0.appends } }
    /// In their order.
    var acknowledgements: [Duration] { state.withLock { $0.acknowledgements } }
    var acknowledgedCount: Int { state.withLock { $0.acknowledgements.count } }
    var sentCount: Int { state.withLock { $0.appends.count } }
    var lastAcknowledgement: Duration? { state.withLock { $0.acknowledgements.last } }
    /// Attempts that brought no receipt, by kind.
    var failures: [(kind: String, count: Int)] {
        state.withLock { $0.failures.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }
    var failureCount: Int { state.withLock { $0.failures.values.reduce(0, +) } }
    var attempts: Int { state.withLock { $0.attempts } }
    /// Documents that were not made, since too many waited.
    var heldBack: Int { state.withLock { $0.heldBack } }
    var reads: Int { state.withLock { $0.reads } }
    var roots: [UInt64: Digest] { state.withLock { $0.roots } }

    func appends(_ number: Int) -> Append { state.withLock { $0.appends[number] } }

    /// Called by one task: the number of a document is its place.
    ///
    /// - Returns: The number of the next document.
    func begin(_ leafHash: (Int) throws -> Digest) rethrows -> Int {
        let number = state.withLock { $0.appends.count }
        let hash = try leafHash(number)
        let now = now
        state.withLock { $0.appends.append(Append(number: number, leafHash: hash, sent: now)) }
        return number
    }

    /// Called when the answer has been read.
    func acknowledged(_ number: Int, index: UInt64) {
        let time = now
        state.withLock { state in
            state.appends[number].acknowledged = time
            state.appends[number].index = index
            state.acknowledgements.append(time)
        }
    }

    func noteAttempt() { state.withLock { $0.attempts += 1 } }
    func noteFailure(_ kind: String) { state.withLock { $0.failures[kind, default: 0] += 1 } }
    func noteHeldBack() { state.withLock { $0.heldBack += 1 } }
    func noteRead() { state.withLock { $0.reads += 1 } }

    /// - Returns: Whether no node has shown another root for this size.
    func note(_ checkpoint: Checkpoint) -> Bool {
        state.withLock { state in
            let known = state.roots.updateValue(checkpoint.root, forKey: checkpoint.size)
            return known == nil || known == checkpoint.root
        }
    }

    /// Waits for an acknowledgement of something that was sent after `time`.
    func isAcknowledged(sentAfter time: Duration) -> Bool {
        state.withLock { state in
            // The newest are last; what waits longer than this many documents is not what is looked for.
            state.appends.reversed().prefix { $0.sent > time }.contains { $0.acknowledged != nil }
        }
    }
}
