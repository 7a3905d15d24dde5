/// Where an auditor reads a ledger: a directory, or a node over HTTPS.
///
/// Nothing that a source says is believed. Methods that take a range answer a beginning of it, at least one item, as
/// much as they hold in memory lightly; whoever asks asks again for the rest. What cannot be read because it is not what
/// it must be is thrown as an `AuditFault`; any other error (no network, no permission) ends the run without a verdict.
public protocol AuditSource: Sendable {
    /// How far the ledger goes now.
    func extent() async throws -> AuditExtent

    /// Blocks by height.
    func blocks(_ heights: Range<UInt64>) async throws -> [AuditBlock]

    /// Leaves by index.
    func leaves(_ indexes: Range<UInt64>) async throws -> [[UInt8]]

    /// Entries by index: leaves with their payloads.
    func entries(_ indexes: Range<UInt64>) async throws -> [AuditEntry]

    /// The hashes that proofs are served from, all of the range, or `nil` where the source has none to offer.
    ///
    /// - Parameter range: at most 4,096 hashes of a level that the tree has.
    func tileHashes(level: Int, range: Range<UInt64>) async throws -> [Digest]?
}

/// The end of a ledger, and totals of one moment.
public struct AuditExtent: Sendable {
    public let height: BlockHeight
    /// The checkpoint that is served; `nil` where a source serves none.
    public let checkpoint: CheckpointNote?
    /// Rows of the index of documents up to `height`; `nil` where the source does not show it.
    public let documents: UInt64?
    /// Rows of the index of entries that change the rules.
    public let ruleChanges: UInt64?

    public init(
        height: BlockHeight, checkpoint: CheckpointNote?, documents: UInt64? = nil, ruleChanges: UInt64? = nil
    ) {
        self.height = height
        self.checkpoint = checkpoint
        self.documents = documents
        self.ruleChanges = ruleChanges
    }
}

/// A block as a source shows it.
public struct AuditBlock: Sendable {
    public let header: BlockHeader
    /// `nil` where the source has none: that of a later block then settles it.
    public let certificate: CommitCertificate?
    /// What the source itself noticed about it.
    public let faults: [AuditFault]

    public init(header: BlockHeader, certificate: CommitCertificate?, faults: [AuditFault] = []) {
        self.header = header
        self.certificate = certificate
        self.faults = faults
    }
}

/// An entry as a source shows it.
public struct AuditEntry: Sendable {
    public let leaf: [UInt8]
    public let payload: Payload
    /// What the source's own indexes say about it; `nil` where it does not show them.
    public let rows: Rows?

    public enum Payload: Sendable {
        /// A governance record has none.
        case none
        case held(Entry.Sealed)
        /// Gone, with its part of the block's key commitments where the source has it.
        case erased(commitment: Digest?)
        /// This reader may not have it.
        case withheld(commitment: Digest?)
        case damaged(reason: String)
    }

    public struct Rows: Hashable, Sendable {
        /// Whose document it is, and its id.
        public let identity: DocumentIdentity?
        /// Where the index of documents finds that identity.
        public let documentIndex: UInt64?
        /// Whether the index of rule changes has it.
        public let changesRules: Bool
        /// Its part of the block's key commitments.
        public let commitment: Digest
    }

    public init(leaf: [UInt8], payload: Payload, rows: Rows? = nil) {
        self.leaf = leaf
        self.payload = payload
        self.rows = rows
    }
}
