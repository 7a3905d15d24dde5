public import Ledger

/// What the driver does next, field by field, top to bottom.
public struct Effects: Sendable {
    /// Durable before anything below.
    public var save: SafetyRecord?
    /// Final: shown to readers and acknowledged, in order.
    public var commit: [CertifiedBlock] = []
    /// Signed by the driver; may be lost.
    public var send: [Outgoing] = []
    /// Entries that will not be ordered, each with its reason.
    public var refuse: [Refusal] = []

    public init() {}
}

/// What a node must not forget, because its signatures rest on it.
public struct SafetyRecord: Sendable {
    /// Blocks above this height leave the tip's chain.
    public var truncateTo: BlockHeight?
    /// Blocks that this node accepts, parent before child.
    public var accepted: [AcceptedBlock] = []
    /// The highest block that this node has seen prepared, by (view, height). Never falls.
    public var highestPrepared: PreparedMark?

    public init() {}
}

/// The identity of a prepared certificate, `PC(view, height, header hash)`.
public struct PreparedMark: Hashable, Comparable, Sendable {
    public let view: View
    public let height: BlockHeight
    public let headerHash: Digest

    public init(_ header: BlockHeader) {
        view = header.view
        height = header.height
        headerHash = header.hash
    }

    /// By (view, height); the hash only makes the order total.
    public static func < (left: Self, right: Self) -> Bool {
        (left.view, left.height, left.headerHash) < (right.view, right.height, right.headerHash)
    }
}

/// A block on the tip's chain, with what was worked out about it once.
public struct AcceptedBlock: Sendable {
    public let block: Block
    public let entries: [CheckedEntry]
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
        self.completed = completed
        self.tip = tip
        self.state = state
    }
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

/// A message that leaves this node. The driver signs it, sends it to the other members, and hands a vote of this
/// node's own back as an event.
public enum Outgoing: Sendable {
    case commit(BlockHeader)
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
    }

    public init(entry: Digest, reason: Reason) {
        self.entry = entry
        self.reason = reason
    }
}
