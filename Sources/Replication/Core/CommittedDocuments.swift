public import Ledger

/// The documents of the log that are final, as far as the replica asks for them. A fact like an event, only too large
/// to be handed over whole. Two conform: the log on the disk, and the simulator's.
public protocol CommittedDocuments {
    /// Whether the first `size` entries of the log hold this document.
    func contains(_ identity: DocumentIdentity, below size: UInt64) -> Bool
}
