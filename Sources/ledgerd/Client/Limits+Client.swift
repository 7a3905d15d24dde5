import Ledger

extension Limits {
    // MARK: Requests

    /// Addresses of one ledger that a command may be given: every member, and as many names besides.
    static let ledgerURLs = 2 * members
    /// How long a connection may take to be made, in seconds. A node that is there answers in milliseconds.
    static let connectSeconds: Int64 = 5
    /// How long one request may take, in seconds: a quorum that is slow is given up by the node before.
    static let requestSeconds: Int64 = 60
    /// How long the answer to a question may take, in seconds: longer than a node computes, so that it can say why not.
    static let queryAnswerSeconds = Int64(querySeconds) + 30
    /// How long an answer may take that comes in pieces, in seconds: a day, for a ledger of years over a slow line.
    static let streamSeconds: Int64 = 86_400
    /// How often all addresses are tried before the ledger counts as away.
    static let requestRounds = 3
    /// The longest `Retry-After` that is waited for, in seconds: a pipeline waits for us.
    static let retryAfterSeconds = 20.0
    /// An answer without a limit of its own, in bytes: JSON of a node about itself.
    static let smallAnswerBytes = 1 << 20
    /// Certified headers of one answer of `/v1/blocks`, in bytes: 1000 lines of a header and 64 votes in base64.
    static let blocksAnswerBytes = 16 << 20
    /// An entry bundle, in bytes: 256 leaves with their lengths.
    static let bundleBytes = 256 * (leafBytes + 2)
    /// The answer to a query, in bytes: what a terminal or a spreadsheet can still hold.
    static let queryAnswerBytes = 256 << 20
    /// A disclosure, in bytes: a document in base64, and the commitments of a block.
    static let disclosureBytes = 4 << 20
    /// The proofs that one node knows, in bytes: 256 of two statements of 20 KB each, in base64.
    static let evidenceAnswerBytes = 16 << 20

    /// Between a stream that broke off and the next, in seconds: a node that starts again takes as long.
    static let listenPauseSeconds = 5

    // MARK: Sending

    /// A file or standard input that is a document itself, in bytes. Reports have no limit: they are read in pieces.
    static let inputBytes = submissionBytes
    /// A report is read in pieces of this many bytes.
    static let inputPieceBytes = 1 << 16
    /// From how many documents in one call on a session is opened first. A document sealed by RSA costs each node an
    /// RSA operation of 1.5 ms and 0.55 KB per node more than one of a session; a session costs one more entry and its
    /// round trip, a few milliseconds.
    static let sessionFromDocuments = 16
    /// How long a session that `append` opens lasts, in milliseconds: longer than any call.
    static let appendSessionMilliseconds: Int64 = 3_600_000
    /// Entries in a spool: a busy build machine makes some thousands a day.
    static let spoolEntries = 10_000
    /// Bytes in a spool.
    static let spoolBytes = 1 << 30

    // MARK: Reading

    /// Payloads that an auditor's run asks for at one time.
    static let payloadsAtOnce = 16
    /// Entries that one answer of the HTTPS source holds: at most 1 MiB each.
    static let auditAnswerEntries: UInt64 = 64
    /// How long a token that a command makes for itself lasts, in seconds: an auditor's run of a large ledger.
    static let ownTokenSeconds = 3600
    /// How long a token may last at most, in seconds: it cannot be taken back.
    static let tokenSeconds: Int64 = 366 * 86_400
    /// Series that a plot shows: more cannot be told apart.
    static let plotSeries = 10
}
