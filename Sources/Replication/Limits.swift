import Ledger

/// Every maximum of the replication, with its unit and its reason.
public enum Limits {
    /// Blocks that may be accepted above the last committed one.
    public static let window = Ledger.Limits.unsettledBlocks
    /// Entries beside which it matters little what a block costs by itself, in signatures and writes of all nodes.
    public static let entriesWorthABlock = 128
    /// Entries that wait to be ordered. Beyond, clients are told to come back (HTTP 429).
    public static let waitingEntries = 8192
    /// Bytes that wait to be ordered, statements and payloads together.
    public static let waitingBytes = 64 << 20
    /// Members up to which each votes to all; in a larger committee the primary gathers the votes
    /// (docs/performance.md has the measurement).
    public static let votersAmongAll = 6
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

extension Limits {
    // MARK: Frames between nodes

    /// Entries in one message to another node.
    public static let forwardedEntries = Ledger.Limits.blockEntries
    /// Votes, certificates, a NEW-VIEW of 64 claims: in bytes, with room.
    public static let smallFrameBytes = 64 << 10
    /// What is copied together with others so that they leave in one write, in bytes.
    static let mergedFrameBytes = 4 << 10
    /// What an entry takes on the wire beside its statement and payload, in bytes, with room.
    static let entryFrameBytes = 64
    /// A block, in bytes.
    public static let proposalFrameBytes =
        Ledger.Limits.blockBytes + Ledger.Limits.blockEntries * entryFrameBytes + smallFrameBytes
    /// Entries that are passed on, in bytes: one that fills a message, behind others.
    public static let entriesFrameBytes =
        forwardedBytes + Ledger.Limits.submissionBytes + Ledger.Limits.leafBytes
        + forwardedEntries * entryFrameBytes + smallFrameBytes
    /// Blocks that a node asked for, in bytes: those that one certificate settles are sent as one, full ones too.
    public static let fetchedFrameBytes = 64 << 20
    /// Blocks that are sent at once beyond those that one certificate settles, in bytes.
    public static let fetchedBytes = 4 << 20
    /// Blocks in one answer.
    public static let fetchedBlocks = 1024
}

extension Limits {
    // MARK: Between peers and the ordering queue

    /// How long what nobody waits for may stay where it is, in milliseconds: a COMMIT for a peer without clients, a block
    /// before its certificate. Some blocks long, so that the next can take it along, and far less than a timeout.
    public static let lazyMilliseconds: Int64 = 10
    /// Of so many blocks in a row, the COMMITs for one leave at once all the same: a peer may be as far behind as its
    /// window has room, no further.
    public static let lazyCommits = window - 1
    /// A flush in less time than this is done where it is asked for, in microseconds.
    static let quickMicroseconds: Int64 = 300
    /// How long a client waits for a quorum, in milliseconds: a few failed views.
    public static let submissionMilliseconds: Int64 = 10_000
    /// How long a node that stops waits for what its clients wait for, in milliseconds.
    public static let stopMilliseconds: Int64 = 2_000
    /// Checked messages of one peer that wait for the ordering queue.
    public static let peerEvents = 2048
    /// The same, in bytes: the largest answer to a fetch, and what comes behind it.
    public static let peerEventBytes = fetchedFrameBytes
    /// Frames of one peer that wait to be checked; beyond, the connection is not read for a while.
    public static let uncheckedFrames = 512
    /// The same, in bytes.
    public static let uncheckedBytes = 16 << 20
    /// Members up to which small frames are checked on the event loop that brings them: five votes, at 65 µs each.
    public static let votersCheckedAtOnce = 7
    /// A proposal, or entries passed on, that are checked on the event loop, in bytes: one or two documents.
    public static let smallEntriesBytes = 4096
    /// Proposals of one peer that cannot be judged before the tip has moved.
    public static let undecidedProposals = 8
    /// Valid signatures that are remembered, 32 bytes each, twice as many in all: those of a window of blocks and of some
    /// changes of view, in a committee of a hundred.
    public static let rememberedSignatures = 4096
    /// Entries kept as checked, in bytes; twice as much in all.
    public static let checkedBytes = 32 << 20
    /// Certificates that wait for the next flush.
    public static let unsavedCertificates = 64
    /// Proofs that a node lied which one run of a node takes note of.
    public static let evidence = 256
    /// Entries that one core checks at a time.
    static let checkedAtOnce = 32

    // MARK: Connections

    /// Frames that wait for one peer; the oldest are dropped, since everything may be lost.
    public static let outgoingFrames = 4096
    /// The same, in bytes.
    public static let outgoingBytes = 32 << 20
    /// Connections that others may have open to this node at one time, for each member.
    public static let incomingPerMember = 4
    /// How long a connection may take to say who is there, in milliseconds.
    public static let greetingMilliseconds: Int64 = 5_000
    /// How long a peer may be silent, in milliseconds: many heartbeats.
    public static let silenceMilliseconds: Int64 = 10_000
    /// Before a lost connection is tried again, in milliseconds: at first, and at most.
    public static let reconnectMilliseconds = (first: Int64(50), most: Int64(2_000))
    /// Failed attempts in a row before operators hear of it: a second or two.
    static let attemptsBeforeTrouble = 5
}
