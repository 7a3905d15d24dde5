/// Every maximum, with its unit and its reason.
public enum Limits {
    // MARK: Submissions and documents

    /// A submission, in bytes. One XML report of thousands of suites fits; more is split by the client.
    public static let submissionBytes = 1 << 20
    /// A leaf, in bytes: entry bundles give its length in 16 bits (C2SP tlog-tiles).
    public static let leafBytes = 65_535
    /// Nesting of XML elements. Our documents need 3; reports of real tools stay below 20.
    public static let xmlDepth = 64
    /// Measures in one document: bounds what one entry costs every follower.
    public static let measuresPerDocument = 10_000
    /// Labels of one measure, the document's included.
    public static let labelsPerMeasure = 32
    /// Names and units, in bytes of UTF-8.
    public static let nameBytes = 255
    /// Label values, in bytes of UTF-8.
    public static let labelValueBytes = 1024
    /// Document ids, in bytes: they are keys in LMDB, beside the submitter's name (511 bytes together at most).
    public static let documentIDBytes = 200
    /// Identities, in bytes, for the same reason.
    public static let identityBytes = 100
    /// How far ahead of its block a measure may lie: a day, for clocks and zones set wrong.
    public static let measureAheadMilliseconds: Int64 = 86_400_000

    // MARK: Governance

    /// Signers of one governance record.
    public static let governanceSigners = 8
    /// Members of a configuration (beyond, the ledger is sharded).
    public static let members = 64
    /// How long a session key may live: a day. It is disclosed to nobody, but it is one key for many documents.
    public static let sessionMilliseconds: Int64 = 86_400_000
    /// Sessions in force at one time, over all submitters.
    public static let sessions = 10_000

    // MARK: Blocks

    /// Entries of one block.
    public static let blockEntries = 1024
    /// Statements and payloads of one block, in bytes: a frame between nodes must hold it.
    public static let blockBytes = 8 << 20
    /// How far a proposal's time may be ahead of the local clock.
    public static let clockDriftMilliseconds: Int64 = 10_000
}
