public import Ledger

/// How a node is doing, for people and for measurements.
public struct ReplicaStatus: Sendable {
    public var view = View(0)
    /// It has left the view before, and waits for this one to begin.
    public var isChanging = false
    public var primary = ReplicaID(0)
    /// The end of its chain; what is final may end below.
    public var tip = BlockHeight.genesis
    public var committed = BlockHeight.genesis
    /// Entries that wait for a block.
    public var waiting = 0
    /// One for each member; this node among them, connected to itself.
    public var peers: [Peer] = []
    /// Times that the node left a view for a later one.
    public var viewChanges: UInt64 = 0
    public var flushes: UInt64 = 0
    /// How long they took.
    public var flushTimes = DurationHistogram()
    /// Commit certificates by which blocks became final here.
    public var certificates: UInt64 = 0
    /// Proposals that their primary signed and whose entries do not hold.
    public var badProposals: UInt64 = 0
    /// Connections to this node's peer port that failed: of strangers, nearly always.
    public var failedConnections: UInt64 = 0
    public var catchUp = CatchUp()
    /// Proofs that a node lied, those on record among them.
    public var evidence: [ProvenLie] = []
    /// Why the replica stands still; an operator decides.
    public var halt: String?

    /// Messages of peers that were refused, or found no room.
    public var drops: UInt64 { peers.reduce(0) { $0 + $1.refused } }

    /// What nodes fetch from each other when one is behind.
    public struct CatchUp: Sendable {
        /// Requests that this node sent.
        public var requests: UInt64 = 0
        /// Blocks that came for them.
        public var fetchedBlocks: UInt64 = 0
        /// Blocks that it sent to others.
        public var servedBlocks: UInt64 = 0
    }

    public struct Peer: Sendable {
        public let id: ReplicaID
        public var isConnected: Bool
        /// What it said last; `nil` before it said anything.
        public var view: View?
        public var committed: BlockHeight?
        /// Frames that were not sent, because it was away or too slow.
        public var unsent: UInt64 = 0
        /// Frames that wait to be sent.
        public var waiting = 0
        /// Messages of it that were refused, or found no room.
        public var refused: UInt64 = 0
    }

    public init() {}
}
