/// An entry with everything that belongs to it: what the log commits to, and what lies beside the log.
///
/// Copies share one place in memory: a block's entries are passed from hand to hand many times.
public struct Entry: Hashable, Sendable {
    private let parts: Parts

    /// The leaf.
    public var statement: Statement { parts.statement }
    /// What the statement speaks of; `nil` for a governance record, whose content is inside the statement, and for a
    /// document that was erased.
    public var sealed: Sealed? { parts.sealed }
    /// What a block says about its key (docs/formats.md, 4.2); it outlives an erasure.
    public var keyCommitment: Digest { parts.keyCommitment }

    private final class Parts: Sendable {
        let statement: Statement
        let sealed: Sealed?
        let keyCommitment: Digest

        init(statement: Statement, sealed: Sealed?, keyCommitment: Digest) {
            self.statement = statement
            self.sealed = sealed
            self.keyCommitment = keyCommitment
        }
    }

    public struct Sealed: Hashable, Sendable {
        /// CMS AuthEnvelopedData, DER, as it was sent.
        public let payload: [UInt8]
        /// The one key that opens it (32 bytes), committed to by the block.
        public let contentKey: [UInt8]

        public init(payload: [UInt8], contentKey: [UInt8]) {
            self.payload = payload
            self.contentKey = contentKey
        }
    }

    public init(statement: Statement, sealed: Sealed?) {
        let keyCommitment = sealed.map {
            KeyCommitment.of(contentKey: $0.contentKey, payloadDigest: statement.payloadDigest)
        }
        parts = Parts(statement: statement, sealed: sealed, keyCommitment: keyCommitment ?? .zero)
    }

    /// What is left of a document that was erased.
    public init(statement: Statement, erasedKeyCommitment: Digest) {
        parts = Parts(statement: statement, sealed: nil, keyCommitment: erasedKeyCommitment)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.parts === right.parts
            || left.statement == right.statement && left.sealed == right.sealed
                && left.keyCommitment == right.keyCommitment
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(statement.digest) }

    /// Bytes that it takes in a block.
    public var byteCount: Int { statement.bytes.count + (sealed?.payload.count ?? 0) }
}

/// A header and the entries that it commits to.
public struct Block: Hashable, Sendable {
    public let header: BlockHeader
    public let entries: [Entry]

    public init(header: BlockHeader, entries: [Entry]) {
        self.header = header
        self.entries = entries
    }

    /// The index of its first entry.
    ///
    /// - Precondition: the header counts at least the block's own entries, which every check before this assures.
    public var firstIndex: EntryIndex {
        precondition(header.treeSize >= UInt64(entries.count), "a block's tree holds the block's entries")
        return EntryIndex(header.treeSize - UInt64(entries.count))
    }
}

/// An entry as it travels between nodes: nothing in it has been read, and nothing of it is believed.
public struct EntryBytes: Hashable, Sendable {
    /// What should be a statement in its one form.
    public let statement: [UInt8]
    public let sealed: Entry.Sealed?
    /// SHA-256 of the statement: by it a node finds what it has read before.
    public let digest: Digest

    public init(statement: [UInt8], sealed: Entry.Sealed?) {
        self.statement = statement
        self.sealed = sealed
        digest = .sha256(statement)
    }

    public init(_ entry: Entry) {
        statement = entry.statement.bytes
        sealed = entry.sealed
        digest = entry.statement.digest
    }

    /// Bytes that it takes in a block.
    public var byteCount: Int { statement.count + (sealed?.payload.count ?? 0) }

    /// Whether these are exactly the bytes of `entry`.
    public func isSame(as entry: Entry) -> Bool {
        digest == entry.statement.digest && statement == entry.statement.bytes && sealed == entry.sealed
    }
}
