public import Ledger

/// An entry is final.
public struct Acknowledgement: Hashable, Sendable {
    public let index: EntryIndex
    /// The leaf that stands there: of a document that was sent again, the one of the first time.
    public let leaf: [UInt8]
    /// False where the document was already in the log.
    public let isNew: Bool
}

/// An entry is not final, and what its sender should know.
public enum SubmissionFailure: Error, Sendable {
    case rejected(Rejection)
    /// The queue is full: come back in a moment.
    case busy
    /// The disk is full, or refused otherwise. The entry is not in the log.
    case storage(StoreError)
    /// The node is stopping. The entry is not in the log.
    case stopped
    /// No quorum of nodes settled it in time. It may still become final; sending it again is safe.
    case timeout
}
