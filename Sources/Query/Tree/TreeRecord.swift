internal import Ledger

/// The number of a tree: of a series, or of an aggregate across series. They share one count.
typealias TreeID = SeriesID

/// Numbers that shape the trees.
enum SampleTree {
    /// Samples of a sealed chunk when it is made. Measured: half as many cost a byte more for each sample, twice as
    /// many make the edges of a window dearer than all that lies between them.
    static let chunk = 64
    /// What late samples may fill a chunk up to before it is cut.
    static let chunkLimit = 128
    /// Samples that wait in the head, in whatever order they came, until those that are complete are sealed.
    static let headLimit = 96
    /// The newest samples stay in the head when others are sealed: what comes a little late still finds them there.
    static let keptInHead = 8
    /// Children of a node.
    static let fanOut = 32
    /// No chunk is larger, whatever bytes say. So many squares of 18 digits still fit 128 bits.
    static let largestChunk = 256
}

/// The top of a tree: its root, and the samples that are not sealed yet.
///
/// Layout: `level u8`, above 0 followed by `root varint ‖ time, signed varint ‖ index varint ‖ position varint` of the
/// last sample that was sealed in order; then the head, as a chunk.
struct TreeRecord: TableValue, Hashable {
    /// Of the root; 0 while nothing is sealed.
    var level: UInt8 = 0
    var root: NodeID = 0
    /// Samples before it belong into the sealed part.
    var sealed = SamplePlace(time: .min, index: 0, position: 0)
    var head = SampleChunk()

    init() {}

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 32)
        writer.write(level)
        if level > 0 {
            writer.writeVarint(root)
            writer.writeSignedVarint(sealed.time)
            writer.writeVarint(sealed.index)
            writer.writeVarint(UInt64(sealed.position))
        }
        writer.write(head.valueBytes)
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(valueBytes)
        self = try TreeRecord(readingTop: &reader)
        head = try SampleChunk(reading: &reader)
        try reader.finish()
    }

    /// All but the head, which `reader` is left before.
    init(readingTop reader: inout ByteReader) throws(DecodingFailure) {
        level = try reader.read(UInt8.self, "level")
        guard level > 0 else { return }
        root = try reader.readVarint("root")
        sealed = SamplePlace(
            time: try reader.readSignedVarint("time"), index: try reader.readVarint("index"),
            position: UInt32(truncatingIfNeeded: try reader.readVarint("position")))
    }
}
