import Ledger

/// Every maximum of the replication, with its unit and its reason.
public enum Limits {
    /// Blocks that may be accepted above the last committed one.
    public static let window = Ledger.Limits.unsettledBlocks
    /// Entries that wait to be ordered. Beyond, clients are told to come back (HTTP 429).
    public static let waitingEntries = 8192
    /// Bytes that wait to be ordered, statements and payloads together.
    public static let waitingBytes = 64 << 20
}
