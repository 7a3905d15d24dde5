internal import Ledger

/// Layout: `level u8 ‖ parts u8 ‖ count varint`, then for each branch `id, first time, span, first index, first position,
/// first change below it, last change above it`, and then five sections, each `length varint ‖ for each branch …`: counts and
/// scales; sums; squares; extremes; ends. Ids and times are differences to the branch before; sums and squares are in
/// units of the scale; of the ends, times and places are differences to those of the branch. A question reads the
/// sections that it needs; one that is not among the node's parts is empty. Branches without samples have count 0 and
/// nothing else.
extension TreeNode: TableValue {
    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 16 + 72 * branches.count)
        writer.writeByte(level)
        writer.writeByte(parts.rawValue)
        writer.writeVarint(UInt64(branches.count))
        var (id, time): (NodeID, Int64) = (0, 0)
        for branch in branches {
            writer.writeSignedVarint(Int64(bitPattern: branch.id &- id))
            writer.writeSignedVarint(branch.first.time - time)
            writer.writeVarint(UInt64(branch.lastTime - branch.first.time))
            writer.writeVarint(branch.first.index)
            writer.writeVarint(UInt64(branch.first.position))
            writer.writeVarint(branch.first.index - branch.changes.lowerBound)
            writer.writeVarint(branch.changes.upperBound - branch.first.index)
            (id, time) = (branch.id, branch.first.time)
        }
        for section in Section.allCases {
            guard parts.isSuperset(of: section.parts) else {
                writer.writeVarint(UInt64(0))
                continue
            }
            var part = ByteWriter(capacity: 16 * branches.count)
            for branch in branches { section.write(branch, to: &part) }
            writer.writeVarint(UInt64(part.bytes.count))
            writer.write(part.bytes)
        }
        return writer.bytes
    }

    private enum Section: CaseIterable {
        case counts, sums, squares, extremes, ends

        var parts: Rollup.Parts {
            switch self {
            case .counts: []
            case .sums: .sum
            case .squares: .squares
            case .extremes: .extremes
            case .ends: .ends
            }
        }

        func write(_ branch: Branch, to writer: inout ByteWriter) {
            guard let rollup = branch.rollup else {
                if self == .counts { writer.writeVarint(UInt64(0)) }
                return
            }
            switch self {
            case .counts:
                writer.writeVarint(rollup.count)
                writer.write(rollup.scale)
            case .sums: writer.writeSignedVarint(rollup.sum / Quantity.nanos(atScale: rollup.scale))
            case .squares:
                let unit = UInt128(Quantity.nanos(atScale: rollup.scale))
                let squares = rollup.squares.divided(by: unit * unit)
                writer.writeVarint(squares.low)
                writer.writeVarint(squares.high)
            case .extremes:
                writer.writeQuantity(rollup.minimum)
                writer.writeQuantity(rollup.maximum)
            case .ends:
                for (sample, time) in [(rollup.first, branch.first.time), (rollup.last, branch.lastTime)] {
                    writer.writeSignedVarint(sample.time - time)
                    writer.writeSignedVarint(Int64(bitPattern: sample.index.value &- branch.first.index))
                    writer.writeSignedVarint(Int64(sample.position) - Int64(branch.first.position))
                    writer.writeQuantity(sample.value)
                }
            }
        }
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            try TreeNode(reading: &reader, .all)
        }
    }

    /// Reads what a question needs: parts that are left out are zeros.
    init(reading reader: inout ByteReader, _ wanted: Rollup.Parts) throws(DecodingFailure) {
        level = try reader.readByte("level")
        parts = Rollup.Parts(rawValue: try reader.readByte("parts")).intersection(wanted)
        let count = try reader.readVarint("branch count")
        guard level > 0, count > 0, count <= UInt64(reader.remaining) else {
            throw DecodingFailure("a node of \(count) branches at level \(level)", at: reader.offset)
        }
        var heads: [Branch] = []
        heads.reserveCapacity(Int(count))
        var (id, time): (NodeID, Int64) = (0, 0)
        for _ in 0..<count {
            id = id &+ UInt64(bitPattern: try reader.readSignedVarint("id"))
            time = try reader.readTime(above: time)
            heads.append(try Self.readHead(id, time, &reader))
        }
        let counts = try Self.section(&reader, "counts")
        var sums = try Self.section(&reader, "sums")
        var squares = try Self.section(&reader, "squares")
        var extremes = try Self.section(&reader, "extremes")
        var ends = try Self.section(&reader, "ends")
        var countReader = counts
        branches = []
        branches.reserveCapacity(heads.count)
        let nothing = Rollup.unknownEnd
        for head in heads {
            let count = try countReader.readVarint("count")
            guard count > 0 else {
                branches.append(head)
                continue
            }
            let scale = try countReader.read(UInt8.self, "scale")
            guard scale <= 9, count <= Self.mostSamples else {
                throw DecodingFailure("no count", at: countReader.offset)
            }
            let unit = Quantity.nanos(atScale: scale)
            var sum: Int128 = 0
            var square = SquareSum.zero
            var (minimum, maximum) = (Quantity.zero, Quantity.zero)
            var (first, last) = (nothing, nothing)
            if parts.contains(.sum) {
                sum = unit &* (try sums.readSignedLongVarint("sum"))
                // 10²⁷ times a million is below that, and a hundred of these are below 2¹²⁷.
                guard sum.magnitude < 1 << 120 else { throw DecodingFailure("no sum", at: sums.offset) }
            }
            if parts.contains(.squares) {
                let low = try squares.readLongVarint("squares")
                let high = try squares.readLongVarint("squares")
                square = SquareSum(high: high, low: low).multiplied(by: UInt128(unit * unit))
                guard square.high < 1 << 120 else {
                    throw DecodingFailure("no sum of squares", at: squares.offset)
                }
            }
            if parts.contains(.extremes) {
                minimum = try extremes.readQuantity("minimum")
                maximum = try extremes.readQuantity("maximum")
            }
            if parts.contains(.ends) {
                first = try Self.readEnd(head, head.first.time, &ends)
                last = try Self.readEnd(head, head.lastTime, &ends)
            }
            branches.append(
                Branch(
                    id: head.id, first: head.first, lastTime: head.lastTime, changes: head.changes,
                    rollup: Rollup(
                        count: count, scale: scale, sum: sum, squares: square, minimum: minimum,
                        maximum: maximum,
                        first: first, last: last)))
        }
    }

    /// More than a log holds; of a damaged node, a hundred of these still fit.
    private static let mostSamples: UInt64 = 1 << 48

    private static func readHead(
        _ id: NodeID, _ time: Int64, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> Branch {
        let span = try reader.readVarint("span")
        let index = try reader.readVarint("index")
        let position = try reader.readVarint("position")
        let before = try reader.readVarint("first change")
        let (last, isBeyond) = index.addingReportingOverflow(try reader.readVarint("last change"))
        guard before <= index, !isBeyond, span < UInt64(2 * SampleTime.bound) else {
            throw DecodingFailure("changes out of order", at: reader.offset)
        }
        return Branch(
            id: id,
            first: SamplePlace(time: time, index: index, position: UInt32(truncatingIfNeeded: position)),
            lastTime: try SampleTime.checked(time + Int64(span), at: reader.offset),
            changes: index - before...last, rollup: nil)
    }

    private static func readEnd(
        _ head: Branch, _ time: Int64, _ reader: inout ByteReader
    ) throws(DecodingFailure) -> Sample {
        Sample(
            time: try reader.readTime(above: time),
            index: EntryIndex(
                head.first.index &+ UInt64(bitPattern: try reader.readSignedVarint("index"))),
            position: UInt32(
                truncatingIfNeeded: Int64(head.first.position) &+ (try reader.readSignedVarint("position"))),
            value: try reader.readQuantity("value"))
    }

    private static func section(
        _ reader: inout ByteReader, _ what: String
    ) throws(DecodingFailure) -> ByteReader {
        let length = try reader.readVarint(what)
        let range = try reader.skip(Int(clamping: length), what)
        var section = ByteReader(reader.bytes)
        _ = try section.skip(range.lowerBound, what)
        return section
    }
}
