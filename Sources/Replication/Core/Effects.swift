public import Ledger

/// What the driver does next, field by field, top to bottom.
///
/// Nothing in `send` waits for anything in `save`: what rests on the disk leaves with the event `durable`.
public struct Effects: Sendable {
    /// Final: shown to readers and acknowledged, in order.
    public var commit: [CertifiedBlock] = []
    /// Signed by the driver; may be lost.
    public var send: [Outgoing] = []
    /// Handed to the disk, in the order of the tickets; `durable` tells of its success.
    public var save: SafetyRecord?
    /// Entries that will not be ordered, each with its reason.
    public var refuse: [Refusal] = []
    /// Proofs that a node lied.
    public var evidence: [Equivocation] = []
    /// A contradiction that only more than `f` liars can bring about: the node stops, and an operator decides.
    public var halt: String?

    public init() {}
}

/// One change of what a node must not forget, because its signatures rest on it. Written in one transaction.
public struct SafetyRecord: Sendable {
    public enum Step: Sendable {
        /// Blocks above this height leave the tip's chain. They stay on the disk.
        case truncate(to: BlockHeight)
        /// The tip's new block.
        case append(AcceptedBlock)
    }

    public let ticket: SaveTicket
    public var steps: [Step] = []
    /// Where it changed.
    public var state: SafetyState?
    /// Whether something waits until it is on the disk. Else it may go there with the next, which must not take long.
    public var isAwaited = true

    public init(ticket: SaveTicket) { self.ticket = ticket }
}

/// A block on the tip's chain, with what was worked out about it once. A class, since it is passed from hand to hand and
/// never changes.
public final class AcceptedBlock: Sendable {
    public let block: Block
    public let entries: [CheckedEntry]
    /// The documents and records in it. Nothing depends on the order in which they are gone through.
    let keys: Set<EntryKey>
    /// Subtrees that its leaves complete.
    public let completed: [TileHash]
    /// The chain and the rules after it.
    public let tip: ChainTip
    public let state: LedgerState

    public init(
        block: Block, entries: [CheckedEntry], completed: [TileHash], tip: ChainTip, state: LedgerState
    ) {
        self.block = block
        self.entries = entries
        keys = Set(entries.lazy.map(\.key))
        self.completed = completed
        self.tip = tip
        self.state = state
    }

    public var header: BlockHeader { block.header }
    public var headerHash: Digest { tip.headerHash }
    var mark: BlockMark { BlockMark(header, hash: headerHash) }
}

/// A block that is final. Its own certificate settles it, or that of a descendant.
public struct CertifiedBlock: Sendable {
    public let accepted: AcceptedBlock
    /// `nil` where the certificate of a block above settles it.
    public let certificate: CommitCertificate?

    public init(accepted: AcceptedBlock, certificate: CommitCertificate?) {
        self.accepted = accepted
        self.certificate = certificate
    }
}

/// A message that leaves this node.
public struct Outgoing: Sendable {
    public enum Recipients: Hashable, Sendable {
        /// All members, this node included: its own votes come back to it as events.
        case everyone
        case others
        case only(ReplicaID)
    }

    /// Ready to go, or to be signed first: the replica has no key.
    public enum Content: Sendable {
        case message(Message)
        /// With this node's PREPARE, which comes back to it as an event.
        case proposal(AcceptedBlock)
        case prepare(Prepare)
        case commit(BlockHeader)
        case viewChange(Claim, prepared: PreparedCertificate?, committed: CommitCertificate?)
        case newView(Installation, BaseCertificate?)
        case entries([CheckedEntry])
    }

    public let recipients: Recipients
    public let content: Content

    public init(_ content: Content, to recipients: Recipients) {
        self.content = content
        self.recipients = recipients
    }

    /// Whether this node puts its name to a block with it.
    var isVote: Bool {
        switch content {
        case .proposal, .prepare, .commit: true
        case .message, .viewChange, .newView, .entries: false
        }
    }
}

/// An entry that is not ordered.
public struct Refusal: Sendable {
    /// The digest of its statement.
    public let entry: Digest
    public let reason: Reason

    public enum Reason: Sendable {
        case rule(Rejection)
        /// The block it stood in could not be saved.
        case notSaved
        /// Too many wait already.
        case busy
    }

    public init(entry: Digest, reason: Reason) {
        self.entry = entry
        self.reason = reason
    }
}

/// Two statements of one kind for one place, signed by one node: it lied, and this proves it to anyone.
public enum Equivocation: Hashable, Sendable {
    case prepares(Signed<Prepare>, Signed<Prepare>)
    case commits(CommitVote, CommitVote)
    case viewChanges(Signed<Claim>, Signed<Claim>)
    case newViews(Signed<Installation>, Signed<Installation>)

    public var culprit: ReplicaID {
        switch self {
        case .prepares(let first, _): first.signer
        case .commits(let first, _): first.signer
        case .viewChanges(let first, _): first.signer
        case .newViews(let first, _): first.signer
        }
    }
}
