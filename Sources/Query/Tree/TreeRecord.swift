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

/// Layout: `count of loose samples u16 ‖ where they begin u32 ‖ level u8`, above 0 followed by `root varint ‖
/// time, signed varint ‖ index varint ‖ position varint` of the last sample that was sealed in order; then samples of the
/// head as a chunk has them, and behind these the loose ones in the order in which they came, so that more can be written without a look at the others:
/// `time ‖ index`, signed varints, of the second and later ones above the first's; `position varint ‖ quantity`.
extension TreeRecord: TableValue {
    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 64 + 8 * head.count)
        writer.writeByte(level)
        if level > 0 {
            writer.writeVarint(root)
            writer.writeSignedVarint(sealed.time)
            writer.writeVarint(sealed.index)
            writer.writeVarint(UInt64(sealed.position))
        }
        head.write(SampleColumns(head.live), to: &writer)
        return Self.start(looseCount: 0, looseStart: Self.startBytes + writer.bytes.count) + writer.bytes
    }

    private static let startBytes = 6

    private static func start(looseCount: Int, looseStart: Int) -> [UInt8] {
        var writer = ByteWriter(capacity: startBytes)
        writer.write(UInt16(looseCount))
        writer.write(UInt32(looseStart))
        return writer.bytes
    }

    /// The bytes of a record with more loose samples.
    ///
    /// - Parameters:
    ///   - bytes: the record's, empty for a new one.
    ///   - limit: how many may be loose.
    /// - Returns: `nil` where it would be more.
    static func adding(
        _ samples: [Sample], to bytes: [UInt8], limit: Int
    ) throws(DecodingFailure) -> [UInt8]? {
        let bytes = bytes.isEmpty ? TreeRecord().valueBytes : bytes
        var reader = ByteReader(bytes)
        let count = Int(try reader.read(UInt16.self, "loose count"))
        guard count + samples.count <= limit else { return nil }
        let start = Int(try reader.read(UInt32.self, "start of loose samples"))
        var base: Sample?
        if count > 0 {
            _ = try reader.skip(start - startBytes, "samples")
            base = try readLoose(above: nil, &reader)
        }
        var writer = ByteWriter(capacity: bytes.count + 16 * samples.count)
        writer.write(Self.start(looseCount: count + samples.count, looseStart: start))
        writer.write(bytes[startBytes...])
        for sample in samples {
            writer.writeSignedVarint(sample.time - (base?.time ?? 0))
            writer.writeSignedVarint(Int64(bitPattern: sample.index.value &- (base?.index.value ?? 0)))
            writer.writeVarint(UInt64(sample.position))
            writer.writeQuantity(sample.value)
            if base == nil { base = sample }
        }
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            try TreeRecord(reading: &reader)
        }
    }

    init(reading reader: inout ByteReader) throws(DecodingFailure) {
        let count = try reader.read(UInt16.self, "loose count")
        let start = Int(try reader.read(UInt32.self, "start of loose samples"))
        try readTop(&reader)
        head = try SampleChunk(reading: &reader)
        guard reader.offset == start else {
            throw DecodingFailure("loose samples at byte \(start)", at: reader.offset)
        }
        var base: Sample?
        for _ in 0..<count {
            let sample = try Self.readLoose(above: base, &reader)
            if base == nil { base = sample }
            head.live.append(sample)
        }
        if count > 0 { head.sort() }
    }

    /// What questions about values need: the packed samples of the head stay columns, without their places, and the head
    /// of the record holds the loose ones alone. What corrections took out is left out.
    static func values(
        reading reader: inout ByteReader
    ) throws(DecodingFailure) -> (record: TreeRecord, packed: SampleColumns) {
        let count = try reader.read(UInt16.self, "loose count")
        let start = Int(try reader.read(UInt32.self, "start of loose samples"))
        var record = TreeRecord()
        try record.readTop(&reader)
        let packed = try SampleColumns(reading: &reader, places: false)
        _ = try reader.skip(start - reader.offset, "samples")
        for _ in 0..<count {
            record.head.live.append(try readLoose(above: record.head.live.first, &reader))
        }
        record.head.sort()
        return (record, packed)
    }

    private static func readLoose(
        above base: Sample?, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> Sample {
        Sample(
            time: try reader.readTime(above: base?.time ?? 0),
            index: EntryIndex(
                (base?.index.value ?? 0) &+ UInt64(bitPattern: try reader.readSignedVarint("index"))),
            position: UInt32(truncatingIfNeeded: try reader.readVarint("position")),
            value: try reader.readQuantity("value"))
    }

    /// Reads what stands before the head.
    private mutating func readTop(_ reader: inout ByteReader) throws(DecodingFailure) {
        level = try reader.readByte("level")
        guard level > 0 else { return }
        root = try reader.readVarint("root")
        sealed = SamplePlace(
            time: try reader.readSignedVarint("time"), index: try reader.readVarint("index"),
            position: UInt32(truncatingIfNeeded: try reader.readVarint("position")))
    }
}
