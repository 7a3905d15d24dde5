public import Ledger

/// The documents of the log that are final, as far as the replica asks for them. A fact like an event, only too large
/// to be handed over whole. Two conform: the log on the disk, and the simulator's.
public protocol CommittedDocuments {
    /// Those of these documents that the first `size` entries of the log hold: looked up all at once, a block's, since a
    /// look-up alone costs several times as much.
    func known(among identities: [DocumentIdentity], below size: UInt64) -> Set<DocumentIdentity>
}
