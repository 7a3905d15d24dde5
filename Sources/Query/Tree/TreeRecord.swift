internal import Ledger

/// The number of a tree: of a series, or of an aggregate across series. They share one count.
typealias TreeID = SeriesID

/// The top of a tree: its root, and the samples that are not sealed yet.
struct TreeRecord: Hashable {
    /// Of the root; 0 while nothing is sealed.
    var level: UInt8 = 0
    var root: NodeID = 0
    /// Samples before it belong into the sealed part.
    var sealed = SamplePlace(time: .min, index: 0, position: 0)
    var head = SampleChunk()
}

/// Layout: `sample count of the head u16 ‖ level u8`, above 0 followed by `root varint ‖ time, signed varint ‖ index
/// varint ‖ position varint` of the last sample that was sealed in order; then the head's samples in the order in which
/// they came, so that more can be written behind them without a look at them:
/// `time ‖ index`, signed varints, of the second and later ones above the first's; `2 · position varint ‖ quantity`, or
/// `2 · position + 1 ‖ quantity ‖ index of the correction varint` for one that a correction took out.
extension TreeRecord: TableValue {
    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 32 + 14 * head.count)
        writer.write(UInt16(head.count))
        writer.write(level)
        if level > 0 {
            writer.writeVarint(root)
            writer.writeSignedVarint(sealed.time)
            writer.writeVarint(sealed.index)
            writer.writeVarint(UInt64(sealed.position))
        }
        var base: SamplePlace?
        for sample in head.live { Self.write(sample, by: nil, base: &base, to: &writer) }
        for one in head.withdrawn { Self.write(one.sample, by: one.by, base: &base, to: &writer) }
        return writer.bytes
    }

    private static func write(
        _ sample: Sample, by correction: EntryIndex?, base: inout SamplePlace?, to writer: inout ByteWriter
    ) {
        writer.writeSignedVarint(sample.time - (base?.time ?? 0))
        writer.writeSignedVarint(Int64(bitPattern: sample.index.value &- (base?.index ?? 0)))
        writer.writeVarint(UInt64(sample.position) << 1 | (correction == nil ? 0 : 1))
        writer.writeQuantity(sample.value)
        if let correction { writer.writeVarint(correction.value) }
        if base == nil { base = sample.place }
    }

    /// The bytes of a record with more samples in its head.
    ///
    /// - Parameters:
    ///   - bytes: the record's, empty for a new one.
    ///   - limit: how many the head may hold.
    /// - Returns: `nil` where it would hold more: then some are to be sealed.
    static func adding(
        _ samples: [Sample], to bytes: [UInt8], limit: Int
    ) throws(DecodingFailure) -> [UInt8]? {
        var record = TreeRecord()
        guard !bytes.isEmpty else {
            guard samples.count <= limit else { return nil }
            record.head.live = samples
            return record.valueBytes
        }
        var reader = ByteReader(bytes)
        let count = Int(try record.readTop(&reader))
        guard count + samples.count <= limit else { return nil }
        var base: SamplePlace?
        if count > 0 {
            let time = try reader.readSignedVarint("time")
            let index = UInt64(bitPattern: try reader.readSignedVarint("index"))
            base = SamplePlace(time: time, index: index, position: 0)
        }
        var writer = ByteWriter(capacity: bytes.count + 14 * samples.count)
        writer.write(UInt16(count + samples.count))
        writer.write(bytes[2...])
        for sample in samples { write(sample, by: nil, base: &base, to: &writer) }
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            try TreeRecord(reading: &reader)
        }
    }

    init(reading reader: inout ByteReader) throws(DecodingFailure) {
        let count = try readTop(&reader)
        var base: SamplePlace?
        for _ in 0..<count {
            let time = (base?.time ?? 0) &+ (try reader.readSignedVarint("time"))
            let index = (base?.index ?? 0) &+ UInt64(bitPattern: try reader.readSignedVarint("index"))
            let position = try reader.readVarint("position")
            let sample = Sample(
                time: time, index: EntryIndex(index), position: UInt32(truncatingIfNeeded: position >> 1),
                value: try reader.readQuantity("value"))
            if base == nil { base = sample.place }
            if position & 1 == 0 {
                head.live.append(sample)
            } else {
                let correction = EntryIndex(try reader.readVarint("correction"))
                head.withdrawn.append(SampleChunk.Withdrawn(sample: sample, by: correction))
            }
        }
        head.sort()
    }

    /// Reads all but the head, and returns how many samples it has.
    private mutating func readTop(_ reader: inout ByteReader) throws(DecodingFailure) -> UInt16 {
        let count = try reader.read(UInt16.self, "sample count")
        level = try reader.read(UInt8.self, "level")
        guard level > 0 else { return count }
        root = try reader.readVarint("root")
        sealed = SamplePlace(
            time: try reader.readSignedVarint("time"), index: try reader.readVarint("index"),
            position: UInt32(truncatingIfNeeded: try reader.readVarint("position")))
        return count
    }
}
