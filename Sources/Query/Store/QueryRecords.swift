public import Ledger

// What the query store keeps besides its trees, and how. Integers are big-endian.

extension SeriesID: TableKey {
    public var keyBytes: [UInt8] { value.keyBytes }
    public init(keyBytes: [UInt8]) throws(DecodingFailure) { self.init(try UInt64(keyBytes: keyBytes)) }
}

/// `name ‖ unit ‖ label count u32 ‖ (name ‖ value)*`, texts with their length before them.
struct SeriesRecord: TableValue, Hashable {
    let name: String
    let unit: String
    let labels: [Label]

    init(name: String, unit: String, labels: [Label]) {
        self.name = name
        self.unit = unit
        self.labels = labels
    }

    var valueBytes: [UInt8] {
        var writer = ByteWriter()
        writer.writeSized(name)
        writer.writeSized(unit)
        writer.write(UInt32(truncatingIfNeeded: labels.count))
        for label in labels {
            writer.writeSized(label.name)
            writer.writeSized(label.value)
        }
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            // Documents are held to `Limits` before they get here; this bounds what damaged bytes may ask for.
            let limit = valueBytes.count
            let name = try reader.readSizedText("name", limitBytes: limit)
            let unit = try reader.readSizedText("unit", limitBytes: limit)
            var labels: [Label] = []
            for _ in 0..<(try reader.read(UInt32.self, "label count")) {
                labels.append(
                    Label(
                        name: try reader.readSizedText("label name", limitBytes: limit),
                        value: try reader.readSizedText("label value", limitBytes: limit)))
            }
            return SeriesRecord(name: name, unit: unit, labels: labels)
        }
    }
}

/// Series by number, ascending: `count varint ‖ differences to the one before, Rice`.
struct SeriesList: TableValue, Hashable {
    private(set) var ids: [SeriesID]

    init(_ ids: Set<SeriesID>) { self.ids = ids.sorted() }

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 8 + ids.count)
        writer.writeVarint(UInt64(ids.count))
        var before: UInt64 = 0
        RiceColumn(
            ids.map { id in
                defer { before = id.value }
                return id.value - before
            }
        ).write(to: &writer)
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        ids = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            let count = try reader.readVarint("series count")
            // A series takes a bit at least; all at number 0 would be one.
            guard count <= UInt64(valueBytes.count) * 8 else {
                throw DecodingFailure("a list of \(count) series", at: reader.offset)
            }
            var ids: [SeriesID] = []
            var id: UInt64 = 0
            try RiceColumn.read(Int(count), from: &reader, "series") { difference in
                id = id &+ difference
                ids.append(SeriesID(id))
            }
            return ids
        }
    }
}

/// What an aggregate's series have in common: `kind u8 ‖ name ‖ unit ‖ (value of a label of the kind)*`, texts with their
/// length before them. `kind` is a place among the kinds of the store.
struct AggregateRecord: TableValue, Hashable {
    let kind: UInt8
    let name: String
    let unit: String
    let values: [String]

    var valueBytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(kind)
        writer.writeSized(name)
        writer.writeSized(unit)
        for value in values { writer.writeSized(value) }
        return writer.bytes
    }

    init(kind: UInt8, name: String, unit: String, values: [String]) {
        self.kind = kind
        self.name = name
        self.unit = unit
        self.values = values
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            let limit = valueBytes.count
            let kind = try reader.read(UInt8.self, "kind")
            let name = try reader.readSizedText("name", limitBytes: limit)
            let unit = try reader.readSizedText("unit", limitBytes: limit)
            var values: [String] = []
            while reader.remaining > 0 {
                values.append(try reader.readSizedText("value", limitBytes: limit))
            }
            return AggregateRecord(kind: kind, name: name, unit: unit, values: values)
        }
    }
}

/// What a correction replaces: `replaced varint ‖ origin varint`.
struct CorrectionRecord: TableValue, Hashable {
    /// The entry that it names.
    let replaced: EntryIndex
    /// The first document of its chain, under which the chain is kept.
    let origin: EntryIndex

    init(replaced: EntryIndex, origin: EntryIndex) {
        self.replaced = replaced
        self.origin = origin
    }

    var valueBytes: [UInt8] {
        var writer = ByteWriter()
        writer.writeVarint(replaced.value)
        writer.writeVarint(origin.value)
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            CorrectionRecord(
                replaced: EntryIndex(try reader.readVarint("replaced")),
                origin: EntryIndex(try reader.readVarint("origin")))
        }
    }
}

/// A document and its corrections, in order: `(index varint)*`. What counts is the last one's; each of the others was
/// taken out by the one after it.
struct CorrectionChain: TableValue, Hashable {
    /// The document itself first, unless it is erased.
    var entries: [EntryIndex]

    init(_ entries: [EntryIndex]) { self.entries = entries }

    func successor(of entry: EntryIndex) -> EntryIndex? { entries.first { $0 > entry } }

    var valueBytes: [UInt8] {
        var writer = ByteWriter()
        for entry in entries { writer.writeVarint(entry.value) }
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        entries = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            var entries: [EntryIndex] = []
            while reader.remaining > 0 { entries.append(EntryIndex(try reader.readVarint("entry"))) }
            return entries
        }
    }
}

extension Int64 {
    /// Unsigned, in the same order.
    var ordered: UInt64 { UInt64(bitPattern: self) ^ (1 << 63) }
    init(ordered value: UInt64) { self = Int64(bitPattern: value ^ (1 << 63)) }
}

extension ByteWriter {
    /// `scale u8 ‖ coefficient varint`: 2 to 11 bytes.
    mutating func writeQuantity(_ quantity: Quantity) {
        writeByte(quantity.scale)
        writeSignedVarint(quantity.coefficient)
    }
}

extension ByteReader {
    mutating func readQuantity(_ what: String) throws(DecodingFailure) -> Quantity {
        let scale = try read(UInt8.self, what)
        let coefficient = try readSignedVarint(what)
        guard let quantity = Quantity(coefficient: coefficient, scale: scale) else {
            throw DecodingFailure("\(what) is no quantity", at: offset)
        }
        return quantity
    }
}
