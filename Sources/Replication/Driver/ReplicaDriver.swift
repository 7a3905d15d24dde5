import Dispatch
public import Ledger
import Synchronization

/// Runs a replica: the loop between its mailbox, its disk, its key and its clock.
///
/// One serial queue owns the replica. It takes all that waits, handles it, performs the effects top to bottom, and
/// takes the next. Nothing else writes to the log.
public final class ReplicaDriver: Sendable {
    /// What the world lends to the loop.
    public struct Ports: Sendable {
        public var log: LogStore
        public var voteKey: SigningKey
        public var electorate: Electorate
        public var clock: @Sendable () -> Timestamp
        /// Since some moment before the node started; never goes back.
        public var uptime: @Sendable () -> Duration
        /// Told of each newly final block, on the ordering queue: be quick.
        public var onCommit: @Sendable (Published, [CertifiedBlock]) -> Void
        /// Told of what went wrong and was survived.
        public var report: @Sendable (String) -> Void

        public init(
            log: LogStore, voteKey: SigningKey, electorate: Electorate,
            clock: @escaping @Sendable () -> Timestamp,
            uptime: @escaping @Sendable () -> Duration = { .zero },
            onCommit: @escaping @Sendable (Published, [CertifiedBlock]) -> Void = { _, _ in },
            report: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.log = log
            self.voteKey = voteKey
            self.electorate = electorate
            self.clock = clock
            self.uptime = uptime
            self.onCommit = onCommit
            self.report = report
        }
    }

    private let ports: Ports
    private let mailbox = Mailbox()
    private let queue = DispatchQueue(label: "ordering", qos: .userInitiated)
    private let loop: Mutex<OrderingLoop>
    private let newest: Mutex<Published>

    /// Continues the log of `ports.log` where it ends, and settles what was accepted and not yet final.
    ///
    /// - Throws: `StoreError.damaged` where the log does not read back.
    public init(ports: Ports, id: ReplicaID, genesis: Genesis, ledgerID: Digest) throws(StoreError) {
        self.ports = ports
        var loop = try OrderingLoop(ports: ports, id: id, genesis: genesis, ledgerID: ledgerID)
        let published = try loop.resume()
        self.loop = Mutex(loop)
        newest = Mutex(published)
    }

    /// The newest final block. Rises, never falls.
    public var published: Published { newest.withLock { $0 } }

    /// Entries that wait for the ordering queue.
    public var queueDepth: Int { mailbox.depth }

    /// Waits until an entry is final.
    ///
    /// Sending one document twice is safe: both calls are answered with the first index.
    public func submit(_ entry: CheckedEntry) async throws(SubmissionFailure) -> Acknowledgement {
        let result: Result<Acknowledgement, SubmissionFailure> = await withCheckedContinuation {
            continuation in
            switch mailbox.put(Mailbox.Request(entry: entry, answer: { continuation.resume(returning: $0) }))
            {
            case .taken: break
            case .wake: queue.async { self.run() }
            case .refused(let failure): continuation.resume(returning: .failure(failure))
            }
        }
        return try result.get()
    }

    /// Takes no more entries and returns when those that wait are answered.
    public func stop() async {
        mailbox.close()
        await withCheckedContinuation { continuation in
            queue.async {
                self.run()
                self.loop.withLock { $0.close() }
                continuation.resume()
            }
        }
    }

    /// Handles what waits, until nothing does.
    private func run() {
        while true {
            let requests = mailbox.takeAll()
            if requests.isEmpty { return }
            // Only this queue takes the lock, so nobody waits for it.
            loop.withLock { loop in
                loop.order(requests) { published in newest.withLock { $0 = published } }
            }
        }
    }
}
