internal import Ledger

/// Layout: `count varint`; where there are any samples, their columns:
/// times (`unit u8 ‖ first, signed varint ‖ differences in units, Rice`);
/// values (`scale u8 ‖ middle coefficient, signed varint ‖ distances from it, zigzag, Rice`; a scale of 255 is followed by
/// a Rice column of the scales, and the coefficients are each at its own);
/// indexes (`way u8 ‖ first varint`, then by the way as `IndexWay` says); positions (`smallest varint ‖ positions above
/// it, Rice`).
extension SampleColumns {
    /// Milliseconds: times that are all whole units apart need fewer bits.
    private static let units: [Int64] = [1, 10, 100, 1000, 60_000, 3_600_000]
    private static let mixedScales: UInt8 = 0xFF

    /// How indexes follow from what stands before them: whichever way takes fewer bits.
    private enum IndexWay: UInt8 {
        /// `differences, Rice`: they ascend.
        case ascending = 0
        /// `differences, zigzag, Rice`.
        case mixed = 1
        /// `pace varint ‖ middle, signed varint ‖ distances from it, zigzag, Rice`: what `expected` says of the time and
        /// the pace is taken off first. The log grows evenly enough that a time tells where in it a sample stands.
        case paced = 2
    }

    func write(to writer: inout ByteWriter) {
        writer.writeVarint(UInt64(count))
        guard count > 0 else { return }
        writeTimes(to: &writer)
        writeValues(to: &writer)
        writeIndexes(to: &writer)
        let smallest = positions.min() ?? 0
        writer.writeVarint(smallest)
        RiceColumn(positions.map { $0 - smallest }).write(to: &writer)
    }

    /// - Parameter places: whether the places in the log are wanted too. Without, `reader` is left behind the values.
    init(reading reader: inout ByteReader, places: Bool) throws(DecodingFailure) {
        let count = try reader.readVarint("sample count")
        // A sample takes no bit at all where everything is equal; this bounds what damaged bytes may ask for.
        guard count <= TreeShape.largestChunk else {
            throw DecodingFailure("a chunk of \(count) samples", at: reader.offset)
        }
        guard count > 0 else {
            (times, coefficients, scale, scales, indexes, positions) = ([], [], 0, [], [], [])
            return
        }
        times = try Self.readTimes(Int(count), &reader)
        (coefficients, scale, scales) = try Self.readValues(Int(count), &reader)
        guard places else {
            (indexes, positions) = ([], [])
            return
        }
        indexes = try Self.readIndexes(times, &reader)
        let smallest = try reader.readVarint("smallest position")
        positions = try RiceColumn.read(Int(count), from: &reader, "positions").map { $0 &+ smallest }
    }

    // MARK: Times

    private func writeTimes(to writer: inout ByteWriter) {
        var differences: [UInt64] = []
        differences.reserveCapacity(count)
        var before = times[0]
        // Once a unit does not divide a difference, a smaller one is tried.
        var unit = Self.units.count - 1
        for time in times {
            // In order, and times span less than 2⁴⁹ milliseconds.
            let difference = time - before
            while unit > 0, difference % Self.units[unit] != 0 { unit -= 1 }
            differences.append(UInt64(difference))
            before = time
        }
        if unit > 0 {
            let divisor = UInt64(Self.units[unit])
            for place in differences.indices { differences[place] /= divisor }
        }
        writer.writeByte(UInt8(unit))
        writer.writeSignedVarint(times[0])
        RiceColumn(differences).write(to: &writer)
    }

    private static func readTimes(
        _ count: Int, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> [Int64] {
        let unit = Int(try reader.read(UInt8.self, "unit of time"))
        guard unit < units.count else { throw DecodingFailure("unknown unit of time", at: reader.offset) }
        var time = try reader.readTime()
        let factor = units[unit]
        var times: [Int64] = []
        times.reserveCapacity(count)
        // As many as a chunk holds of these overflow nothing.
        let most = UInt64(2 * SampleTime.bound / factor)
        var isLegal = true
        try RiceColumn.read(count, from: &reader, "times") { difference in
            isLegal = isLegal && difference <= most
            time = time &+ Int64(bitPattern: difference) &* factor
            times.append(time)
        }
        guard isLegal else { throw DecodingFailure("times out of order", at: reader.offset) }
        _ = try SampleTime.checked(time, at: reader.offset)
        return times
    }

    // MARK: Values

    private func writeValues(to writer: inout ByteWriter) {
        // Most values lie about the middle one, to both sides.
        let middle = coefficients.sorted()[count / 2]
        writer.writeByte(scales.isEmpty ? scale : Self.mixedScales)
        writer.writeSignedVarint(middle)
        if !scales.isEmpty { RiceColumn(scales.map { UInt64($0) }).write(to: &writer) }
        RiceColumn(coefficients.map { UInt64(zigzag: $0 - middle) }).write(to: &writer)
    }

    private static func readValues(
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

    // MARK: Indexes

    private func writeIndexes(to writer: inout ByteWriter) {
        let isAscending = zip(indexes, indexes.dropFirst()).allSatisfy { $0 <= $1 }
        var before = indexes[0]
        let differences = RiceColumn(
            indexes.map { index in
                defer { before = index }
                return isAscending ? index - before : UInt64(zigzag: Int64(bitPattern: index &- before))
            })
        var way: IndexWay = isAscending ? .ascending : .mixed
        let pace = Self.pace(times, indexes)
        var (column, middle) = (differences, Int64(0))
        if pace > 0 {
            let distances = zip(times, indexes).map { time, index in
                Int64(bitPattern: index &- Self.expected(time &- times[0], indexes[0], pace))
            }
            let central = distances.sorted()[count / 2]
            let paced = RiceColumn(distances.map { UInt64(zigzag: $0 &- central) })
            if paced.bitCount + Self.pacedExtraBits < differences.bitCount {
                (way, column, middle) = (.paced, paced, central)
            }
        }
        writer.writeByte(way.rawValue)
        writer.writeVarint(indexes[0])
        if way == .paced {
            writer.writeVarint(pace)
            writer.writeSignedVarint(middle)
        }
        column.write(to: &writer)
    }

    /// What the pace and the middle take beside the distances, about.
    private static let pacedExtraBits: UInt64 = 40

    /// How many entries the log grew by in a millisecond, in units of 2⁻³²; 0 where that cannot be said.
    private static func pace(_ times: [Int64], _ indexes: [UInt64]) -> UInt64 {
        let duration = times[times.count - 1] - times[0]
        let growth = indexes[indexes.count - 1] &- indexes[0]
        guard duration > 0, growth < 1 << 31 else { return 0 }
        return growth << 32 / UInt64(duration)
    }

    /// Wraps around where numbers are beyond all reason, the same for the one who writes and the one who reads.
    private static func expected(_ duration: Int64, _ first: UInt64, _ pace: UInt64) -> UInt64 {
        first &+ (UInt64(bitPattern: duration) &* pace) >> 32
    }

    private static func readIndexes(
        _ times: [Int64], _ reader: inout ByteReader
    ) throws(DecodingFailure) -> [UInt64] {
        guard let way = IndexWay(rawValue: try reader.readByte("way of indexes")) else {
            throw DecodingFailure("unknown way of indexes", at: reader.offset)
        }
        let first = try reader.readVarint("index")
        var indexes: [UInt64] = []
        indexes.reserveCapacity(times.count)
        if way == .paced {
            let pace = try reader.readVarint("pace")
            let middle = try reader.readSignedVarint("middle distance")
            try RiceColumn.read(times.count, from: &reader, "indexes") { distance in
                let expected = expected(times[indexes.count] &- times[0], first, pace)
                indexes.append(expected &+ UInt64(bitPattern: middle &+ Int64(zigzag: distance)))
            }
            return indexes
        }
        var index = first
        try RiceColumn.read(times.count, from: &reader, "indexes") { difference in
            index = index &+ (way == .mixed ? UInt64(bitPattern: Int64(zigzag: difference)) : difference)
            indexes.append(index)
        }
        return indexes
    }
}
