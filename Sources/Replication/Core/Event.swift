public import Ledger

/// A fact that the replica is told. Whatever comes from outside was checked before it became an event.
public enum Event: Sendable {
    /// Entries of this node's own clients, to be ordered.
    case entries([CheckedEntry])
    /// Entries that a peer holds and asks to be ordered.
    case forwarded([CheckedEntry])
    case message(Verified<Message>)
    case proposal(Verified<CheckedProposal>)
    case fetched(Verified<CheckedBlocks>)
    /// A proposal with the primary's signature whose entries do not hold.
    case badProposal(Verified<CheckedProposal>)
    /// Everything that was to be saved, up to this record, is on the disk.
    case durable(SaveTicket)
    /// This record and all after it could not be saved.
    case notDurable(SaveTicket)
    /// `Replica.deadline` has come.
    case tick
}

/// The number of a `SafetyRecord`, counted from 1 since the node started.
public struct SaveTicket: Hashable, Comparable, Sendable {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}
