internal import Ledger

/// A run of samples of one tree: those that count, and those that a correction took out, which questions about the
/// past still see. Both in the order of time and place.
struct SampleChunk: Hashable, Sendable {
    /// A sample that no longer counts.
    struct Withdrawn: Hashable, Sendable {
        let sample: Sample
        /// The entry that took it out.
        let by: EntryIndex
    }

    var live: [Sample] = []
    var withdrawn: [Withdrawn] = []

    var count: Int { live.count + withdrawn.count }
    var isEmpty: Bool { live.isEmpty && withdrawn.isEmpty }
    /// Of the last sample, whether it counts or not.
    var end: SamplePlace? {
        [live.last, withdrawn.last?.sample].compactMap { $0?.place }.max()
    }

    mutating func merge(_ other: SampleChunk) {
        live += other.live
        withdrawn += other.withdrawn
        sort()
    }

    /// Brings samples into their order, which they nearly always have.
    mutating func sort() {
        if zip(live, live.dropFirst()).contains(where: { $1.precedes($0) }) {
            live.sort { $0.precedes($1) }
        }
        if withdrawn.count > 1 { withdrawn.sort { $0.sample.precedes($1.sample) } }
    }

    /// Takes off the first `number` samples, or all where there are fewer.
    mutating func removeFirst(_ number: Int) -> SampleChunk {
        var (counted, gone) = (0, 0)
        while counted + gone < number {
            if counted < live.count,
                gone == withdrawn.count || !withdrawn[gone].sample.precedes(live[counted])
            {
                counted += 1
            } else if gone < withdrawn.count {
                gone += 1
            } else {
                break
            }
        }
        let first = SampleChunk(live: Array(live[..<counted]), withdrawn: Array(withdrawn[..<gone]))
        live.removeFirst(counted)
        withdrawn.removeFirst(gone)
        return first
    }

    /// Takes off all that stand before `place`.
    mutating func removeAll(before place: SamplePlace) -> SampleChunk {
        let counted = live.prefix { $0.place < place }.count
        let gone = withdrawn.prefix { $0.sample.place < place }.count
        return removeFirst(counted + gone)
    }

    /// The samples of a window that counted when the log had `size` entries, in order.
    func samples(asOf size: UInt64, in window: TimeWindow) -> [Sample] {
        if size == .max { return live.filter { window.contains($0.time) } }
        let known = live.filter { $0.index.value < size && window.contains($0.time) }
        let gone = withdrawn.filter {
            $0.by.value >= size && $0.sample.index.value < size && window.contains($0.sample.time)
        }
        return gone.isEmpty ? known : (known + gone.map(\.sample)).sorted { $0.precedes($1) }
    }
}

/// Layout: `live count varint`; where there are any, their columns:
/// times (`unit u8 ‖ first, signed varint ‖ differences in units, Rice`),
/// values (`scale u8 ‖ middle coefficient, signed varint ‖ distances from it, zigzag, Rice`; a scale of 255 is followed by
/// a Rice column of the scales, and the coefficients are each at its own),
/// indexes (`signed u8 ‖ first varint ‖ differences, Rice, zigzag where signed is 1`), positions (`smallest varint ‖
/// positions above it, Rice`);
/// then `withdrawn count varint`, and for each `time, signed varint ‖ index varint ‖ position varint ‖ quantity ‖ by
/// varint`.
extension SampleChunk: TableValue {
    /// Milliseconds: times that are all whole units apart need fewer bits.
    private static let units: [Int64] = [1, 10, 100, 1000, 60_000, 3_600_000]
    private static let mixedScales: UInt8 = 0xFF

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 32 + 9 * live.count + 24 * withdrawn.count)
        writer.writeVarint(UInt64(live.count))
        if let first = live.first {
            Self.writeTimes(live, first.time, to: &writer)
            Self.writeValues(live, to: &writer)
            Self.writePlaces(live, first, to: &writer)
        }
        writer.writeVarint(UInt64(withdrawn.count))
        for one in withdrawn {
            writer.writeSignedVarint(one.sample.time)
            writer.writeVarint(one.sample.index.value)
            writer.writeVarint(UInt64(one.sample.position))
            writer.writeQuantity(one.sample.value)
            writer.writeVarint(one.by.value)
        }
        return writer.bytes
    }

    private static func writeTimes(_ samples: [Sample], _ first: Int64, to writer: inout ByteWriter) {
        var differences: [UInt64] = []
        differences.reserveCapacity(samples.count)
        var before = first
        // A power of ten or none: once a unit does not divide a difference, a smaller one is tried.
        var unit = units.count - 1
        for sample in samples {
            // In order, and times span less than 2⁴⁹ milliseconds.
            let difference = sample.time - before
            while difference % units[unit] != 0 { unit -= 1 }
            differences.append(UInt64(difference))
            before = sample.time
        }
        if unit > 0 {
            let divisor = UInt64(units[unit])
            for place in differences.indices { differences[place] /= divisor }
        }
        writer.write(UInt8(unit))
        writer.writeSignedVarint(first)
        RiceColumn.write(differences, to: &writer)
    }

    private static func writePlaces(
        _ samples: [Sample], _ first: Sample, to writer: inout ByteWriter
    ) {
        // Most samples come in the order of their time: then no difference needs a sign.
        let isAscending = zip(samples, samples.dropFirst()).allSatisfy { $0.index <= $1.index }
        var before = first.index.value
        let differences = samples.map { sample in
            defer { before = sample.index.value }
            let difference = sample.index.value &- before
            return isAscending ? difference : UInt64(zigzag: Int64(bitPattern: difference))
        }
        writer.write(UInt8(isAscending ? 0 : 1))
        writer.writeVarint(first.index.value)
        RiceColumn.write(differences, to: &writer)
        // A pipeline's documents are alike: a KPI has the same position in each.
        let smallest = samples.reduce(UInt32.max) { min($0, $1.position) }
        writer.writeVarint(UInt64(smallest))
        RiceColumn.write(samples.map { UInt64($0.position - smallest) }, to: &writer)
    }

    private static func writeValues(_ samples: [Sample], to writer: inout ByteWriter) {
        let scale = samples.reduce(0) { max($0, $1.value.scale) }
        var coefficients: [Int64] = []
        coefficients.reserveCapacity(samples.count)
        for sample in samples {
            guard let coefficient = sample.value.coefficient(atScale: scale) else { break }
            coefficients.append(coefficient)
        }
        let isMixed = coefficients.count < samples.count
        if isMixed { coefficients = samples.map(\.value.coefficient) }
        // Most values lie about the middle one, to both sides.
        let middle = coefficients.sorted()[coefficients.count / 2]
        writer.write(isMixed ? mixedScales : scale)
        writer.writeSignedVarint(middle)
        if isMixed { RiceColumn.write(samples.map { UInt64($0.value.scale) }, to: &writer) }
        RiceColumn.write(coefficients.map { UInt64(zigzag: $0 - middle) }, to: &writer)
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            try SampleChunk(reading: &reader)
        }
    }

    init(reading reader: inout ByteReader) throws(DecodingFailure) {
        live = try SampleColumns(reading: &reader, places: true).samples()
        for _ in 0..<(try reader.readVarint("withdrawn count")) {
            withdrawn.append(try Self.readWithdrawn(&reader))
        }
    }

    private static func readWithdrawn(_ reader: inout ByteReader) throws(DecodingFailure) -> Withdrawn {
        Withdrawn(
            sample: Sample(
                time: try reader.readSignedVarint("time"),
                index: EntryIndex(try reader.readVarint("index")),
                position: UInt32(truncatingIfNeeded: try reader.readVarint("position")),
                value: try reader.readQuantity("value")),
            by: EntryIndex(try reader.readVarint("correction")))
    }

    static func readTimes(
        _ count: Int, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> [Int64] {
        let unit = Int(try reader.read(UInt8.self, "unit of time"))
        guard unit < units.count else { throw DecodingFailure("unknown unit of time", at: reader.offset) }
        var time = try reader.readSignedVarint("time")
        let factor = units[unit]
        var times: [Int64] = []
        times.reserveCapacity(count)
        try RiceColumn.read(count, from: &reader, "times") { difference in
            time = time &+ Int64(bitPattern: difference) &* factor
            times.append(time)
        }
        return times
    }

    static func readValues(
        _ count: Int, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> (coefficients: [Int64], scale: UInt8, scales: [UInt8]) {
        let scale = try reader.read(UInt8.self, "scale")
        guard scale <= 9 || scale == mixedScales else {
            throw DecodingFailure("unknown scale", at: reader.offset)
        }
        let middle = try reader.readSignedVarint("middle value")
        var scales: [UInt8] = []
        if scale == mixedScales {
            try RiceColumn.read(count, from: &reader, "scales") { scales.append(UInt8(clamping: $0)) }
        }
        var coefficients: [Int64] = []
        coefficients.reserveCapacity(count)
        try RiceColumn.read(count, from: &reader, "values") {
            coefficients.append(middle &+ Int64(zigzag: $0))
        }
        return (coefficients, scale == mixedScales ? 0 : scale, scales)
    }
}
