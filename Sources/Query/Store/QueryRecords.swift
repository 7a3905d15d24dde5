public import Ledger

// What the query store keeps, and how. Integers are big-endian, times have their sign bit flipped in keys, so that
// LMDB's order of bytes is the order of time.

/// `series u64 ‖ time u64 ‖ index u64 ‖ position u32`: the samples of a series lie together, in order.
struct SampleKey: TableKey, Hashable {
    let series: SeriesID
    let time: Int64
    let index: UInt64
    let position: UInt32

    init(series: SeriesID, time: Int64, index: UInt64, position: UInt32) {
        self.series = series
        self.time = time
        self.index = index
        self.position = position
    }

    var keyBytes: [UInt8] {
        var writer = ByteWriter(capacity: 28)
        writer.write(series.value)
        writer.write(time.ordered)
        writer.write(index)
        writer.write(position)
        return writer.bytes
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            SampleKey(
                series: SeriesID(try reader.read(UInt64.self, "series")),
                time: Int64(ordered: try reader.read(UInt64.self, "time")),
                index: try reader.read(UInt64.self, "index"),
                position: try reader.read(UInt32.self, "position"))
        }
    }
}

/// `series u64 ‖ day u64`: a day of UTC, counted from 1970.
struct DayKey: TableKey, Hashable, Comparable {
    static let milliseconds: Int64 = 86_400_000

    let series: SeriesID
    let day: Int64

    init(series: SeriesID, day: Int64) {
        self.series = series
        self.day = day
    }

    init(series: SeriesID, time: Int64) {
        self.init(series: series, day: Self.day(of: time))
    }

    /// Rounds down, before 1970 too.
    static func day(of time: Int64) -> Int64 {
        time / milliseconds - (time % milliseconds < 0 ? 1 : 0)
    }

    /// All times of the day.
    var window: TimeWindow {
        TimeWindow(after: day * Self.milliseconds - 1, through: (day + 1) * Self.milliseconds - 1)
    }

    var keyBytes: [UInt8] {
        var writer = ByteWriter(capacity: 16)
        writer.write(series.value)
        writer.write(day.ordered)
        return writer.bytes
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            DayKey(
                series: SeriesID(try reader.read(UInt64.self, "series")),
                day: Int64(ordered: try reader.read(UInt64.self, "day")))
        }
    }

    static func < (left: Self, right: Self) -> Bool { (left.series, left.day) < (right.series, right.day) }
}

extension SeriesID: TableKey {
    public var keyBytes: [UInt8] { value.keyBytes }
    public init(keyBytes: [UInt8]) throws(DecodingFailure) { self.init(try UInt64(keyBytes: keyBytes)) }
}

/// `scale u8 ‖ coefficient varint`: 2 to 11 bytes.
struct QuantityRecord: TableValue, Hashable {
    let quantity: Quantity

    init(_ quantity: Quantity) { self.quantity = quantity }

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 11)
        writer.write(quantity.scale)
        writer.writeSignedVarint(quantity.coefficient)
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        quantity = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            try reader.readQuantity("value")
        }
    }
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

/// What an entry brought, so that it can be taken back when the entry is erased: for each sample the series, the time
/// as a difference to the one before, and the position likewise, as varints.
struct EntryRecord: TableValue, Hashable {
    struct Item: Hashable {
        let series: SeriesID
        let time: Int64
        let position: UInt32
    }

    var items: [Item]

    init(items: [Item]) { self.items = items }

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: items.count * 4)
        var time: Int64 = 0
        var position: UInt32 = 0
        for item in items {
            writer.writeVarint(item.series.value)
            // Timestamps span less than 2⁴⁹ milliseconds.
            writer.writeSignedVarint(item.time - time)
            writer.writeVarint(UInt64(item.position - position))
            time = item.time
            position = item.position
        }
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        items = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            var items: [Item] = []
            var time: Int64 = 0
            var position: UInt64 = 0
            while reader.remaining > 0 {
                let series = SeriesID(try reader.readVarint("series"))
                time = time &+ (try reader.readSignedVarint("time"))
                position = position &+ (try reader.readVarint("position"))
                guard let place = UInt32(exactly: position) else {
                    throw DecodingFailure("position is too large", at: reader.offset)
                }
                items.append(Item(series: series, time: time, position: place))
            }
            return items
        }
    }
}

/// `count u64 ‖ sum u128 ‖ minimum ‖ maximum ‖ first sample ‖ last sample`.
extension Rollup: TableValue {
    public var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 80)
        writer.write(count)
        writer.write(UInt128(bitPattern: sum))
        writer.writeQuantity(minimum)
        writer.writeQuantity(maximum)
        for sample in [first, last] {
            writer.write(sample.time.ordered)
            writer.write(sample.index.value)
            writer.write(sample.position)
            writer.writeQuantity(sample.value)
        }
        return writer.bytes
    }

    public init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            func readSample() throws(DecodingFailure) -> Sample {
                Sample(
                    time: Int64(ordered: try reader.read(UInt64.self, "time")),
                    index: EntryIndex(try reader.read(UInt64.self, "index")),
                    position: try reader.read(UInt32.self, "position"),
                    value: try reader.readQuantity("value"))
            }
            return Rollup(
                count: try reader.read(UInt64.self, "count"),
                sum: Int128(bitPattern: try reader.read(UInt128.self, "sum")),
                minimum: try reader.readQuantity("minimum"), maximum: try reader.readQuantity("maximum"),
                first: try readSample(), last: try readSample())
        }
    }
}

extension Int64 {
    /// Unsigned, in the same order.
    var ordered: UInt64 { UInt64(bitPattern: self) ^ (1 << 63) }
    init(ordered value: UInt64) { self = Int64(bitPattern: value ^ (1 << 63)) }
}

extension ByteWriter {
    mutating func writeQuantity(_ quantity: Quantity) { write(QuantityRecord(quantity).valueBytes) }
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
