/// Every maximum, with its unit and its reason.
public enum Limits {
    // MARK: Submissions and documents

    /// A submission, in bytes. One XML report of thousands of suites fits; more is split by the client.
    public static let submissionBytes = 1 << 20
    /// A leaf, in bytes: entry bundles give its length in 16 bits (C2SP tlog-tiles).
    public static let leafBytes = 65_535
    /// Nesting of XML elements. Our documents need 3; reports of real tools stay below 20.
    public static let xmlDepth = 64
    /// Attributes of one element, and namespace declarations of a whole document. Ours need 6; the XML library's time
    /// grows with the square.
    public static let xmlAttributes = 16
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
    /// A document written by `ReportSummary.documents`, in bytes: a submission less 64 KiB for the seal to 64 members
    /// and the signature.
    public static let documentBytes = submissionBytes - 65_536
    /// Suites or packages of one report: they and their measures stay in memory, about 1 KB each.
    public static let reportGroups = 50_000
    /// Warnings that a converter keeps; the rest is counted.
    public static let reportWarnings = 100
    /// Attributes of one start tag in a report. Real ones have 20; the XML library's time grows with the square.
    public static let reportAttributes = 10_000
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
    /// Heights and views read from outside: one can add to them without overflow.
    public static let sequenceNumber = UInt64(Int64.max)

    /// Blocks above the last final one that a node accepts. Enough to keep disk and votes busy at once; a node that was
    /// killed leaves as many without a certificate.
    public static let unsettledBlocks: UInt64 = 4

    // MARK: Audit

    /// Entries that an audit has in its hands at one time, about: enough to keep every core busy.
    public static let auditEntries = 4096
    /// Blocks, likewise: where each holds an entry or two, their votes are the work.
    public static let auditBlocks = 1024
    /// Entries that one core takes at a time. Divides the 256 of an entry bundle.
    public static let auditPieceEntries = 128
    /// Certificates that one core takes at a time.
    public static let auditPieceBlocks = 32
    /// Faults after which an audit ends unless told otherwise: the first one decides, the rest help to find the cause.
    public static let auditFaults = 16

    // MARK: Proofs

    /// Leaves of the tree: readers in Go hold tree sizes in 63 bits.
    public static let treeLeaves = UInt64(Int64.max)
    /// Hashes in one proof: a tree of 2^63 leaves has paths of 63, and a consistency proof one hash more.
    public static let proofHashes = 64
    /// A signed note, in bytes: 16 post-quantum signatures of 5 kB must fit (C2SP signed-note).
    public static let noteBytes = 256 << 10
    /// Signature lines of a note: a vote of every member, the ledger key, and room for foreign witnesses.
    public static let noteSignatures = 2 * members
    /// The name of a note key, in bytes: C2SP tlog-cosignature gives its length in 8 bits.
    public static let keyNameBytes = 255
    /// A receipt, in bytes: a note, 63 hashes and extra data as large as a note.
    public static let receiptBytes = 2 * noteBytes + 4096
    /// A trust policy, in bytes.
    public static let policyBytes = 128 << 10
    /// Logs of one policy: C2SP tlog-policy asks for 32 at least.
    public static let policyLogs = 64
    /// Witnesses and groups of one policy together: C2SP asks for 32 of each, and every member is a witness.
    public static let policyComponents = 4 * members
    /// The path of a tile, in bytes: seven groups of an index of 56 bits, and the rest of the path.
    public static let tilePathBytes = 64

    /// A signed statement of a node, in bytes: a NEW-VIEW with the claims of 43 of 64 members has 10 kB, and two of them
    /// must fit into a leaf.
    public static let evidenceBytes = 20_480

    /// Bytes left on a disk below which a write that came short means that it is full.
    static let fullDiskBytes: UInt64 = 1 << 20

    // MARK: Envelopes

    /// Values and structures of one DER document: 64 recipients with long names need half. Bounds what parsing costs
    /// before any signature is known.
    public static let derNodes = 8192
    /// Subject key identifiers, in bytes: tools make 20, some up to 64 (a SHA-512).
    public static let keyIdentifierBytes = 64
    /// Moduli of RSA keys, in bits: 128 bits of security at least; beyond, one check would cost too much.
    public static let rsaBits = 3072...4096
    /// A certificate, in bytes: it is part of a governance record, which is a leaf.
    public static let certificateBytes = 8192
    /// A certificate or private key in PEM, in bytes, with the text that tools put in front.
    public static let pemBytes = 65_536
}
