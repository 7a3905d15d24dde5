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
    public var flushes: UInt64 = 0
    /// Commit certificates by which blocks became final here.
    public var certificates: UInt64 = 0
    /// Messages of peers that were refused, or found no room.
    public var drops: UInt64 = 0
    /// Proofs that a node lied, as lines for people.
    public var evidence: [String] = []
    /// Why the replica stands still; an operator decides.
    public var halt: String?

    public struct Peer: Sendable {
        public let id: ReplicaID
        public var isConnected: Bool
        /// What it said last; `nil` before it said anything.
        public var view: View?
        public var committed: BlockHeight?
        /// Frames that were not sent, because it was away or too slow.
        public var unsent: UInt64
    }

    public init() {}
}
