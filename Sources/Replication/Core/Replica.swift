public import Ledger

/// One member of the committee that agrees on the order of the log: PBFT's replica, as a value.
///
/// It has no clock, disk, socket or key. It is told events and answers with effects; the same events give the same
/// effects on every machine. docs/protocol.md is its specification; the files beside this one cite it.
public struct Replica: Sendable {
    public let committee: Committee
    public let id: ReplicaID
    let timing: Timing
    /// Whether votes go to the primary alone, which sends the certificates (docs/protocol.md, "Larger clusters").
    let gathersVotes: Bool

    /// What its signatures rest on; on the disk, or on its way there.
    public internal(set) var safety: SafetyState
    /// The last final block.
    public internal(set) var committed: Position
    /// The highest commit certificate, by (view, height); `nil` before the first.
    public internal(set) var highestCommit: CommitCertificate?
    /// Certificates of blocks that cannot be made final yet: not here, or not on the disk. By height.
    var unsettled: [CommitCertificate] = []
    var tree: BlockTree
    /// The block that this node works on: its chain is that of the log on the disk.
    var tipHash: Digest

    var queue = EntryQueue()
    var votes = VoteBook()
    /// A prepared certificate whose block was not handed to the disk yet.
    var preparedAhead: PreparedCertificate?
    /// Proposals that come too high or too early.
    var early: [Verified<CheckedProposal>] = []

    /// The view that each node asks for: its own, or the one after it.
    var asks: [View]
    var isComplaining = false
    /// PREPAREs of this view that may have left, and that this node does not know any more.
    var forgotten: ForgottenVotes?
    /// The VIEW-CHANGE of the highest view that each node sent.
    var changes: [ViewChange?]
    /// A NEW-VIEW whose base is not here yet.
    var arriving: NewView?

    var peers: PeerTable
    var fetch: FetchUnderWay?
    var timers = Timers()
    var disk = DiskLedger()

    /// Heights of one view, the first of them not among them.
    struct ForgottenVotes: Sendable {
        let after: BlockHeight
        let upTo: BlockHeight
    }

    /// A place in the chain with the rules in force after it.
    public struct Position: Sendable {
        public let tip: ChainTip
        public let state: LedgerState

        public init(tip: ChainTip, state: LedgerState) {
            self.tip = tip
            self.state = state
        }

        var height: BlockHeight { tip.header.height }
    }

    /// What a node had on its disk when it stopped.
    public struct Saved: Sendable {
        public var committed: Position
        /// Of the last final block.
        public var certificate: CommitCertificate?
        /// The blocks above it, all branches, parent before child.
        public var blocks: [AcceptedBlock]
        /// The end of the log's chain.
        public var tip: Digest
        public var safety: SafetyState

        public init(
            committed: Position, certificate: CommitCertificate?, blocks: [AcceptedBlock], tip: Digest,
            safety: SafetyState
        ) {
            self.committed = committed
            self.certificate = certificate
            self.blocks = blocks
            self.tip = tip
            self.safety = safety
        }
    }

    /// A replica that continues from what it had saved. Call `start` next.
    ///
    /// - Parameter gathersVotes: the same at every member.
    public init(id: ReplicaID, from saved: Saved, timing: Timing = Timing(), gathersVotes: Bool = false) {
        committee = saved.committed.state.committee
        self.id = id
        self.timing = timing
        self.gathersVotes = gathersVotes
        committed = saved.committed
        highestCommit = saved.certificate
        safety = saved.safety
        if Defect.isActive(.preparedForgottenAtRestart) { safety.prepared = nil }
        tree = BlockTree(root: saved.committed.tip)
        for block in saved.blocks where tree.contains(block.header.parent) {
            tree.insert(block, savedBy: SaveTicket(0))
        }
        precondition(tree.contains(saved.tip), "the end of the log is a block that was read back")
        tipHash = saved.tip
        asks = Array(repeating: View(0), count: committee.size)
        asks[Int(id.value)] = safety.view
        changes = Array(repeating: nil, count: committee.size)
        peers = PeerTable(size: committee.size)
        abstainWithoutBase()
    }

    public var view: View { safety.view }
    public var primary: ReplicaID { committee.primary(of: view) }
    public var isPrimary: Bool { primary == id }
    /// Entries that wait for a block.
    public var waitingCount: Int { queue.count }

    /// The end of the chain that this node works on.
    public var tip: ChainTip { tree[tipHash]?.accepted.tip ?? committed.tip }
    /// The rules in force there.
    public var state: LedgerState { tree[tipHash]?.accepted.state ?? committed.state }

    /// When `tick` is wanted next.
    public var deadline: Duration { timers.next }

    /// What a node does first: it finds out what it may have said before it stopped, and says again what it knows of it.
    public mutating func start(at now: Tick, knowing documents: some CommittedDocuments) -> Effects {
        var turn = Turn(now: now, documents: documents, ticket: disk.nextTicket)
        timers.start(at: now.uptime)
        peers.hearAll(at: now.uptime)
        if hasBegunItsView {
            // Of the blocks on its disk too it may have accepted some without a vote, because it had forgotten others.
            let end = BlockHeight(tip.header.height.value + Limits.window)
            forgetVotes(above: committed.height, upTo: end, &turn)
        }
        repeatVotes(&turn)
        resend(&turn)
        return finish(&turn)
    }

    /// Handles one event to the end. Pure: same state and event, same result, on every machine.
    public mutating func handle(
        _ event: Event, at now: Tick, knowing documents: some CommittedDocuments
    ) -> Effects {
        var turn = Turn(now: now, documents: documents, ticket: disk.nextTicket)
        switch event {
        case .entries(let entries): take(entries, areOwn: true, &turn)
        case .forwarded(let entries): take(entries, areOwn: false, &turn)
        case .message(let message): receive(message, &turn)
        case .proposal(let proposal): receive(proposal, &turn)
        case .badProposal(let proposal): receiveBad(proposal, &turn)
        case .fetched(let blocks): receive(blocks, &turn)
        case .durable(let ticket): markDurable(ticket, &turn)
        case .notDurable(let ticket): takeBack(from: ticket, &turn)
        case .tick: tick(&turn)
        }
        return finish(&turn)
    }

    private mutating func receive(_ message: Verified<Message>, _ turn: inout Turn) {
        let sender = message.sender
        peers.hear(sender, at: turn.now.uptime)
        switch message.value {
        case .prepare(let prepare): note(prepare, &turn)
        case .commit(let vote): note(vote, &turn)
        case .prepared(let certificate): adopt(certificate, &turn)
        case .committed(let certificate): learn(certificate, &turn)
        case .complaint(let view): receiveComplaint(about: view, from: sender, &turn)
        case .viewChange(let change): receive(change, &turn)
        case .newView(let newView): receive(newView, &turn)
        case .status(let status): receive(status, from: sender, &turn)
        case .proposal, .entries, .fetch, .fetched: break
        }
    }

    private mutating func finish(_ turn: inout Turn) -> Effects {
        acceptEarly(&turn)
        propose(&turn)
        updateFetch(&turn)
        updateTimers(&turn)
        save(&turn)
        checkInvariants(&turn)
        return turn.effects
    }
}

/// One call of `handle`: what it is given, and what it brings about.
struct Turn {
    let now: Tick
    let documents: any CommittedDocuments
    /// Of the record that this turn saves, if it saves one.
    let ticket: SaveTicket
    var steps: [SafetyRecord.Step] = []
    var savesState = false
    var effects = Effects()

    mutating func send(_ content: Outgoing.Content, to recipients: Outgoing.Recipients) {
        effects.send.append(Outgoing(content, to: recipients))
    }
}
