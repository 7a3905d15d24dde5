public import Ledger

/// A fact that the replica is told. Whatever comes from outside was checked before it became an event.
public enum Event: Sendable {
    /// Entries to order, each with a document that is not in the committed log.
    case entries([CheckedEntry])
    /// All that was to be saved, up to this height of the tip, is on the disk.
    case durable(BlockHeight)
    /// What was to be saved above this height could not be.
    case notDurable(above: BlockHeight)
    /// A node's COMMIT vote: its cosignature of the checkpoint after the block. This node's own comes back the same way.
    case commitVote(CommitVote)
}

/// `COMMIT(view, height, header hash)`.
public struct CommitVote: Hashable, Sendable {
    public let replica: ReplicaID
    public let view: View
    public let height: BlockHeight
    public let headerHash: Digest
    /// Ed25519, 64 bytes, over the cosigned checkpoint.
    public let signature: [UInt8]

    public init(
        replica: ReplicaID, view: View, height: BlockHeight, headerHash: Digest, signature: [UInt8]
    ) {
        self.replica = replica
        self.view = view
        self.height = height
        self.headerHash = headerHash
        self.signature = signature
    }
}
