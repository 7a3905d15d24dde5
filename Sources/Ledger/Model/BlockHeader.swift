/// What is agreed on: the head of a block, which fixes everything in it and, through `parent`, all before it.
///
/// Shape: 165 bytes, big-endian, fixed widths, in this order: version `u8` = 1, ledger id 32, height `u64`,
/// view `u64`, epoch `u32`, time `u64`, parent 32, tree size `u64`, tree root 32, key commitments 32.
/// - Source: docs/formats.md 4.1.
public struct BlockHeader: Hashable, Sendable {
    public static let version: UInt8 = 1
    public static let byteCount = 165

    /// SHA-256 of the genesis document: blocks of two ledgers never pass for each other.
    public let ledgerID: Digest
    public let height: BlockHeight
    /// The view in which the block was proposed.
    public let view: View
    public let epoch: Epoch
    /// Never before 1970, nor before the parent's. Stored as milliseconds.
    public let time: Timestamp
    /// The hash of the header before this one; 32 zero bytes in the genesis block.
    public let parent: Digest
    /// Leaves of the tree after this block.
    public let treeSize: UInt64
    public let treeRoot: Digest
    /// Fixes the content key of every payload in the block (docs/formats.md 4.2).
    public let keyCommitments: Digest

    /// - Precondition: `time` is not before 1970, and `treeSize` not above `Limits.treeLeaves`.
    public init(
        ledgerID: Digest, height: BlockHeight, view: View, epoch: Epoch, time: Timestamp, parent: Digest,
        treeSize: UInt64, treeRoot: Digest, keyCommitments: Digest
    ) {
        precondition(time.milliseconds >= 0, "a block's time is not before 1970")
        precondition(treeSize <= Limits.treeLeaves, "a tree has at most Limits.treeLeaves leaves")
        self.ledgerID = ledgerID
        self.height = height
        self.view = view
        self.epoch = epoch
        self.time = time
        self.parent = parent
        self.treeSize = treeSize
        self.treeRoot = treeRoot
        self.keyCommitments = keyCommitments
    }

    /// Whole seconds since 1970: what the votes for this block state.
    public var seconds: UInt64 { UInt64(time.seconds) }

    /// `SHA256(02 ‖ header)`: the block's name, which no leaf (00) or node (01) of a tree can have.
    public var hash: Digest {
        Digest.sha256 { hash in
            hash.update(0x02)
            hash.update(encoded)
        }
    }

    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.write(Self.version)
        writer.write(ledgerID)
        writer.write(height.value)
        writer.write(view.value)
        writer.write(epoch.value)
        writer.write(UInt64(time.milliseconds))
        writer.write(parent)
        writer.write(treeSize)
        writer.write(treeRoot)
        writer.write(keyCommitments)
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { (reader) throws(DecodingFailure) in
            try BlockHeader(from: &reader)
        }
    }

    /// Reads a header inside a longer encoding.
    public init(from reader: inout ByteReader) throws(DecodingFailure) {
        let start = reader.offset
        guard try reader.read(UInt8.self, "header version") == Self.version else {
            throw DecodingFailure("the header is of another version", at: start)
        }
        let ledgerID = try reader.readDigest("ledger id")
        let numbersOffset = reader.offset
        let height = try reader.read(UInt64.self, "height")
        let view = try reader.read(UInt64.self, "view")
        guard max(height, view) <= Limits.sequenceNumber else {
            throw DecodingFailure("height or view is over the limit", at: numbersOffset)
        }
        let epoch = try reader.read(UInt32.self, "epoch")
        let timeOffset = reader.offset
        guard let milliseconds = Int64(exactly: try reader.read(UInt64.self, "time")),
            let time = Timestamp(milliseconds: milliseconds)
        else { throw DecodingFailure("the time is after the year 9999", at: timeOffset) }
        let parent = try reader.readDigest("parent")
        let sizeOffset = reader.offset
        let treeSize = try reader.read(UInt64.self, "tree size")
        guard treeSize <= Limits.treeLeaves else {
            throw DecodingFailure("the tree size is over the limit", at: sizeOffset)
        }
        self.init(
            ledgerID: ledgerID, height: BlockHeight(height), view: View(view), epoch: Epoch(epoch),
            time: time,
            parent: parent, treeSize: treeSize, treeRoot: try reader.readDigest("tree root"),
            keyCommitments: try reader.readDigest("key commitments"))
    }
}
