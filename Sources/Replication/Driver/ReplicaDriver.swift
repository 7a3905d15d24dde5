import Dispatch
public import Ledger
import Synchronization

/// Runs a replica: the loop between its mailbox, its disk, its peers, its key and its clocks.
///
/// One serial queue owns the replica. It takes what waits, handles one event after the other, and performs the effects
/// of each top to bottom. Checking what peers send, and flushing to the disk, happen beside it.
public final class ReplicaDriver: Sendable {
    /// What the world lends to the loop.
    public struct Ports: Sendable {
        public var log: LogStore
        public var voteKey: SigningKey
        public var electorate: Electorate
        /// `nil` for a ledger of one node.
        public var network: PeerNetwork?
        public var clock: @Sendable () -> Timestamp
        /// Since some moment before the node started; never goes back.
        public var uptime: @Sendable () -> Duration
        /// Reads the entries of peers.
        public var validation = EntryValidation.full
        /// Told of each newly final block, on the ordering queue: be quick.
        public var onCommit: @Sendable (Published, [CertifiedBlock]) -> Void
        /// Told of what went wrong and was survived.
        public var report: @Sendable (String) -> Void

        public init(
            log: LogStore, voteKey: SigningKey, electorate: Electorate, network: PeerNetwork? = nil,
            clock: @escaping @Sendable () -> Timestamp,
            uptime: @escaping @Sendable () -> Duration = ReplicaDriver.systemUptime,
            onCommit: @escaping @Sendable (Published, [CertifiedBlock]) -> Void = { _, _ in },
            report: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.log = log
            self.voteKey = voteKey
            self.electorate = electorate
            self.network = network
            self.clock = clock
            self.uptime = uptime
            self.onCommit = onCommit
            self.report = report
        }
    }

    /// Waits that are not the replica's own.
    public struct Patience: Sendable {
        /// For a quorum, before a client is told that the outcome is unknown.
        public var submission: Duration = .milliseconds(Limits.submissionMilliseconds)
        /// For clients, when the node is told to stop.
        public var stop: Duration = .milliseconds(Limits.stopMilliseconds)

        public init() {}
    }

    private let ports: Ports
    private let patience: Patience
    private let mailbox: Mailbox
    private let disk: DiskThread
    private let shared: SharedState
    private let checked = CheckedEntries()
    private let stage: CheckingStage
    private let queue: DispatchQueue
    private let loop: Mutex<OrderingLoop>
    private let timer: Alarm
    private let isStopped = Atomic(false)

    /// Continues the log of `ports.log` where it ends, settles what was accepted and not yet final, and takes part.
    ///
    /// - Parameter gathersVotes: whether votes go to the primary alone; the committee's size decides without it. The
    ///   same at every member.
    /// - Throws: `StoreError.damaged` where the log does not read back.
    public init(
        ports: Ports, id: ReplicaID, genesis: Genesis, ledgerID: Digest, timing: Timing = Timing(),
        patience: Patience = Patience(), gathersVotes: Bool? = nil
    ) throws(StoreError) {
        self.ports = ports
        self.patience = patience
        let mailbox = Mailbox(peers: genesis.members.count)
        self.mailbox = mailbox
        disk = try DiskThread(
            ports.log, report: ports.report, onOutcome: { mailbox.put($0, $1) },
            onRest: { mailbox.diskRests() })
        let saved = try Replica.Saved(
            from: ports.log, genesis: genesis, ledgerID: ledgerID, report: ports.report)
        let replica = Replica(
            id: id, from: saved, timing: timing,
            gathersVotes: gathersVotes ?? (genesis.members.count > Limits.votersAmongAll))
        let shared = SharedState(
            Published(
                header: saved.committed.tip.header, certificate: saved.certificate,
                state: saved.committed.state),
            TipState(
                hash: replica.tip.headerHash, height: replica.tip.header.height, state: replica.state))
        self.shared = shared
        let verifier = MessageVerifier(
            context: SigningContext(ledgerID: ledgerID, epoch: replica.state.epoch),
            authority: RememberingElectorate(ports.electorate))
        let network = ports.network
        let stage = CheckingStage(
            .init(
                mailbox: mailbox, verifier: verifier, checked: checked,
                blocks: BlockServer(log: ports.log, published: { shared.published }),
                tip: { shared.tip }, clock: ports.clock, needs: { shared.needs },
                validation: ports.validation,
                send: { message, peer in network?.send(message.frame, to: peer) }, report: ports.report))
        self.stage = stage
        let postman = Postman(
            id: id, committee: replica.committee, voteKey: ports.voteKey, verifier: verifier,
            network: network, onFetch: { stage.awaitAnswer(from: $0) })
        queue = DispatchQueue(label: "ordering", qos: .userInitiated)
        timer = Alarm(queue)

        var loop = OrderingLoop(
            ports: ports, replica: replica, disk: disk, postman: postman, shared: shared, checked: checked)
        try loop.resume()
        self.loop = Mutex(loop)
        mailbox.onWake { [weak self] waking in self?.wake(waking) }
        timer.onAlarm { [weak self] in self?.run() }
        network?.start(
            receive: { [weak stage] frame, peer, resume in
                stage?.receive(frame, from: peer, resume: resume) ?? true
            },
            isAwaitingBlocks: { [weak stage] peer in stage?.isAwaitingAnswer(from: peer) ?? false })
        wake(.onItsThread)
    }

    /// The newest final block. Rises, never falls.
    public var published: Published { shared.published }

    /// Entries that wait for the ordering queue.
    public var queueDepth: Int { mailbox.depth }

    /// How the node is doing.
    public var status: ReplicaStatus {
        var status = shared.status
        status.flushes = disk.flushCount
        status.flushTimes = disk.flushTimes
        status.badProposals = stage.badProposalCount
        status.catchUp = stage.catchUp
        status.failedConnections = ports.network?.failedConnections ?? 0
        for index in status.peers.indices {
            status.peers[index].refused = stage.dropCount(of: status.peers[index].id)
            guard let network = ports.network, status.peers[index].id != network.id else {
                status.peers[index].isConnected = true
                status.peers[index].committed = status.committed
                status.peers[index].view = status.view
                continue
            }
            let connection = network.state(of: status.peers[index].id)
            status.peers[index].isConnected = connection.isConnected
            status.peers[index].unsent = connection.dropCount
            status.peers[index].waiting = connection.waitingCount
        }
        return status
    }

    /// Waits until an entry is final.
    ///
    /// Sending one document twice is safe: both calls are answered with the first index.
    public func submit(_ entry: CheckedEntry) async throws(SubmissionFailure) -> Acknowledgement {
        let result: Result<Acknowledgement, SubmissionFailure> = await withCheckedContinuation {
            continuation in
            submit(entry) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// - Parameter answer: called once.
    func submit(_ entry: CheckedEntry, _ answer: @escaping Mailbox.Answer) {
        checked.insert(entry)
        let deadline = ports.uptime() + patience.submission
        let request = Mailbox.Request(entry: entry, deadline: deadline, answer: answer)
        if let failure = mailbox.put(request) { answer(.failure(failure)) }
    }

    /// Takes no more entries, and returns when those that wait are answered, or have waited long enough, and the node
    /// takes no part any more.
    public func stop() async {
        mailbox.close()
        let end = ContinuousClock.now + patience.stop
        await withCheckedContinuation { continuation in
            queue.async { self.finish(before: end) { continuation.resume() } }
        }
        await ports.network?.stop()
    }

    private func finish(before end: ContinuousClock.Instant, _ done: @escaping @Sendable () -> Void) {
        run()
        let isIdle = loop.withLock { $0.isIdle } && mailbox.depth == 0 && !disk.isBusy
        guard isIdle || ContinuousClock.now >= end else {
            return queue.asyncAfter(deadline: .now() + .milliseconds(2)) {
                self.finish(before: end, done)
            }
        }
        isStopped.store(true, ordering: .relaxed)
        timer.cancel()
        loop.withLock { $0.close() }
        done()
    }

    private func wake(_ waking: Mailbox.Waking) {
        switch waking {
        case .onItsThread: queue.async { [weak self] in self?.run() }
        case .here: queue.sync { runOnce() }
        }
    }

    /// One round on a thread that has other things to do. Only on the ordering queue.
    private func runOnce() {
        guard !isStopped.load(ordering: .relaxed) else { return }
        let tip = shared.tip.hash
        let batch = mailbox.takeAll(isDiskBusy: disk.isBusy)
        let deadline = loop.withLock { loop in
            loop.handle(batch)
            return loop.deadline
        }
        if mailbox.rest() { timer.set(after: deadline - ports.uptime()) } else { wake(.onItsThread) }
        if shared.tip.hash != tip { stage.tipMoved() }
    }

    /// Handles what waits and what is due, until there is nothing. Only on the ordering queue.
    private func run() {
        guard !isStopped.load(ordering: .relaxed) else { return }
        let tip = shared.tip.hash
        while true {
            let batch = mailbox.takeAll(isDiskBusy: disk.isBusy)
            // Only this queue takes the lock, so nobody waits for it.
            let deadline = loop.withLock { loop in
                if !batch.isEmpty || ports.uptime() >= loop.deadline { loop.handle(batch) }
                return loop.deadline
            }
            if batch.isEmpty {
                // The disk came to rest between the question and the answer.
                if mailbox.isHolding, !disk.isBusy { continue }
                timer.set(after: deadline - ports.uptime())
                break
            }
        }
        if shared.tip.hash != tip { stage.tipMoved() }
    }

    /// The monotonic clock of this process.
    @Sendable public static func systemUptime() -> Duration { ContinuousClock.now - processStart }

    private static let processStart = ContinuousClock.now
}

/// One alarm on the ordering queue. An earlier one than asked for is harmless, and saves setting it anew each time.
private final class Alarm: Sendable {
    private struct State: Sendable {
        var due: ContinuousClock.Instant?
    }

    /// Safe to share: Dispatch's sources may be set from any thread.
    private nonisolated(unsafe) let source: any DispatchSourceTimer
    private let state = Mutex(State())

    init(_ queue: DispatchQueue) {
        source = DispatchSource.makeTimerSource(queue: queue)
        source.schedule(deadline: .distantFuture)
        source.activate()
    }

    deinit { source.cancel() }

    func onAlarm(_ body: @escaping @Sendable () -> Void) {
        source.setEventHandler { [weak self] in
            self?.state.withLock { $0.due = nil }
            body()
        }
    }

    func set(after delay: Duration) {
        let delay = min(max(delay, .milliseconds(1)), .seconds(3600))
        let due = ContinuousClock.now + delay
        let isLater = state.withLock { state in
            if let known = state.due, known <= due { return true }
            state.due = due
            return false
        }
        guard !isLater else { return }
        let (seconds, attoseconds) = delay.components
        source.schedule(
            deadline: .now() + .nanoseconds(Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)))
    }

    func cancel() { source.cancel() }
}
