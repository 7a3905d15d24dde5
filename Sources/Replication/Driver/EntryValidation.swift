public import Ledger

/// The port through which a node reads the entries that its peers send.
///
/// `full` is what every node does. A measurement of the ordering alone puts something in its place that takes entries
/// at their word.
public struct EntryValidation: Sendable {
    /// An entry that is to be ordered: everything that does not depend on its place in the log.
    public let proposed: @Sendable (EntryBytes, LedgerState, Timestamp) throws(Rejection) -> CheckedEntry
    /// An entry of a block that a certificate vouches for.
    public let certified: @Sendable (EntryBytes) throws(Rejection) -> CheckedEntry

    public init(
        proposed: @escaping @Sendable (EntryBytes, LedgerState, Timestamp) throws(Rejection) -> CheckedEntry,
        certified: @escaping @Sendable (EntryBytes) throws(Rejection) -> CheckedEntry
    ) {
        self.proposed = proposed
        self.certified = certified
    }

    public static let full = EntryValidation(
        proposed: { entry, state, time throws(Rejection) in
            try EntryChecker.checkProposed(entry, state: state, at: time)
        },
        certified: { entry throws(Rejection) in try CheckedEntry(certified: entry) })
}
