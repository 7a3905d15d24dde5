/// The tables of the log, and how their rows are laid out.
///
/// The log on disk follows the tip of this node, not only what is final: a block is written once, when the node
/// accepts it, with all rows that follow from it. Readers stop at the final block. A tip that moves away from blocks
/// (a view change, a refused write) takes their rows back with `LogStore.truncate`.
struct LogTables: Sendable {
    static let format: UInt32 = 2

    /// Height and header hash → header. Rivals of one height lie side by side.
    let blocks: Table<BlockKey, BlockHeader>
    /// Height, start of the header hash, position → statement and payload.
    let entries: Table<EntryKey, StoredEntry>
    /// Height → header hash, along the tip's chain.
    let chain: Table<BlockHeight, Digest>
    /// First index of a block that has entries → its height, along the tip's chain.
    let starts: Table<EntryIndex, BlockHeight>
    /// Submitter and document id → index.
    let documents: Table<DocumentKey, UInt64>
    /// Index → what kind of entry, for those that change the rules: governance and sessions.
    let special: Table<EntryIndex, UInt64>
    /// Height → commit certificate, where this node has one.
    let certificates: Table<BlockHeight, CommitCertificate>
    /// One table a level: index → root over 256^level leaves. A table per level, so that all grow at their end.
    let tree: [Table<UInt64, Digest>]
    /// Single values by name.
    let state: Table<[UInt8], [UInt8]>

    /// 256⁵ leaves are 10¹².
    static let treeLevels = 6

    static let schema = Store.Schema(
        format: format,
        tables: ["blocks", "entries", "chain", "starts", "documents", "special", "certificates", "state"]
            + (0..<treeLevels).map { "tree.\($0)" })

    init(_ store: Store) {
        blocks = store.table("blocks")
        entries = store.table("entries")
        chain = store.table("chain")
        starts = store.table("starts")
        documents = store.table("documents")
        special = store.table("special")
        certificates = store.table("certificates")
        tree = (0..<Self.treeLevels).map { store.table("tree.\($0)") }
        state = store.table("state")
    }
}

/// `height u64 ‖ header hash 32`.
struct BlockKey: TableKey {
    let height: BlockHeight
    let hash: Digest

    var keyBytes: [UInt8] {
        var writer = ByteWriter(capacity: 8 + Digest.byteCount)
        writer.write(height.value)
        writer.write(hash)
        return writer.bytes
    }

    init(height: BlockHeight, hash: Digest) {
        self.height = height
        self.hash = hash
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        (height, hash) = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            (BlockHeight(try reader.read(UInt64.self, "height")), try reader.readDigest("header hash"))
        }
    }
}

/// `height u64 ‖ first 8 bytes of the header hash ‖ position u32`.
struct EntryKey: TableKey {
    let height: BlockHeight
    let hashStart: UInt64
    let position: UInt32

    init(height: BlockHeight, hash: Digest, position: UInt32) {
        self.height = height
        hashStart = hash.firstWord
        self.position = position
    }

    var keyBytes: [UInt8] {
        var writer = ByteWriter(capacity: 20)
        writer.write(height.value)
        writer.write(hashStart)
        writer.write(position)
        return writer.bytes
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        (height, hashStart, position) = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            (
                BlockHeight(try reader.read(UInt64.self, "height")),
                try reader.read(UInt64.self, "header hash"), try reader.read(UInt32.self, "position")
            )
        }
    }
}

/// `submitter ‖ 00 ‖ id`: neither holds a zero byte, and their limits keep the key under LMDB's 511 bytes.
struct DocumentKey: TableKey {
    let identity: DocumentIdentity

    init(_ identity: DocumentIdentity) { self.identity = identity }

    var keyBytes: [UInt8] {
        let (submitter, id) = (identity.submitter.utf8, identity.id.utf8)
        var writer = ByteWriter(capacity: submitter.count + 1 + id.count)
        writer.write(submitter)
        writer.writeByte(0)
        writer.write(id)
        return writer.bytes
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        guard let zero = keyBytes.firstIndex(of: 0),
            let submitter = String(validating: keyBytes[..<zero], as: UTF8.self),
            let id = String(validating: keyBytes[(zero + 1)...], as: UTF8.self)
        else { throw DecodingFailure("not a submitter and an id", at: 0) }
        identity = DocumentIdentity(submitter: submitter, id: id)
    }
}

/// `slot u64 ‖ key commitment 32 ‖ submitter u32-sized ‖ id u32-sized ‖ statement u32-sized ‖ payload as sealed at
/// rest`.
///
/// The commitment is the entry's part of what the block's header says about keys. It is kept from the beginning, and
/// after an erasure: without it nobody could recompute the header's value for the other entries of the block.
/// The slot names the payload's keys in the key file; `noSlot` where there is no payload, because the entry is a
/// governance record or because it was erased. Submitter and id are empty for governance records; they stay after an
/// erasure, because the id stays taken.
struct StoredEntry: TableValue, Hashable {
    static let noSlot = UInt64.max

    let slot: UInt64
    /// Zero for a governance record.
    let commitment: Digest
    let identity: DocumentIdentity?
    let statement: [UInt8]
    /// Empty where there is none.
    let payload: [UInt8]

    var valueBytes: [UInt8] {
        let (submitter, id) = (identity?.submitter ?? "", identity?.id ?? "")
        var writer = ByteWriter(
            capacity: 52 + submitter.utf8.count + id.utf8.count + statement.count + payload.count)
        writer.write(slot)
        writer.write(commitment)
        writer.writeSized(submitter)
        writer.writeSized(id)
        writer.writeSized(statement)
        writer.write(payload)
        return writer.bytes
    }

    init(
        slot: UInt64, commitment: Digest, identity: DocumentIdentity?, statement: [UInt8], payload: [UInt8]
    ) {
        self.slot = slot
        self.commitment = commitment
        self.identity = identity
        self.statement = statement
        self.payload = payload
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(valueBytes)
        slot = try reader.read(UInt64.self, "slot")
        commitment = try reader.readDigest("key commitment")
        let submitter = try reader.readSizedText("submitter", limitBytes: Limits.identityBytes)
        let id = try reader.readSizedText("id", limitBytes: Limits.documentIDBytes)
        identity = submitter.isEmpty ? nil : DocumentIdentity(submitter: submitter, id: id)
        statement = try reader.readSized("statement", limitBytes: Limits.leafBytes)
        payload = try reader.readBytes(reader.remaining, "payload")
    }

    /// The same entry after its payload was destroyed.
    var erased: StoredEntry {
        StoredEntry(
            slot: Self.noSlot, commitment: commitment, identity: identity, statement: statement, payload: [])
    }
}

extension BlockHeader: TableValue {
    public var valueBytes: [UInt8] { encoded }
    public init(valueBytes: [UInt8]) throws(DecodingFailure) { try self.init(decoding: valueBytes) }
}

extension CommitCertificate: TableValue {
    public var valueBytes: [UInt8] { encoded }
    public init(valueBytes: [UInt8]) throws(DecodingFailure) { try self.init(decoding: valueBytes) }
}
