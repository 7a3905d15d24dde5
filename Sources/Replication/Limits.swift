import Ledger

/// Every maximum of the replication, with its unit and its reason.
public enum Limits {
    /// Blocks that may be accepted above the last committed one.
    public static let window = Ledger.Limits.unsettledBlocks
    /// Entries that wait to be ordered. Beyond, clients are told to come back (HTTP 429).
    public static let waitingEntries = 8192
    /// Bytes that wait to be ordered, statements and payloads together.
    public static let waitingBytes = 64 << 20
    /// Heights above the last final one for which votes are kept: a node further behind fetches blocks instead.
    public static let votedHeights: UInt64 = 32
    /// Views above its own for which a node keeps votes and proposals that come before their NEW-VIEW.
    public static let viewsAhead: UInt64 = 2
    /// Views below its own whose votes may still make a certificate.
    public static let viewsBehind: UInt64 = 6
    /// Proposals that came too high or too early: twice what the window lets a primary send.
    public static let earlyProposals = 8
    /// Commit certificates whose blocks are not on the disk yet; the highest settles all.
    public static let unsettledCertificates = 16
    /// Entries in one message to another node, in bytes; a single entry may be larger.
    public static let forwardedBytes = 1 << 20
    /// Blocks above the last final one, all branches: some views of them, and a range that was fetched.
    public static let knownBlocks = 256
    /// Blocks in memory above the last final one beyond which no more ranges are fetched: the disk is behind.
    public static let fetchedAhead = 96
    /// Places, by view and height, that have votes.
    public static let votePlaces = Int(votedHeights * (viewsAhead + viewsBehind + 1))
    /// Messages that wait for the disk.
    public static let releases = 64
}
