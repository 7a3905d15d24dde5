internal import Ledger

/// A column of whole numbers in nearly as few bits as they need: each is a quotient in ones and a zero, and a
/// remainder of a width that suits the column. Source: R. F. Rice, "Some practical universal noiseless coding
/// techniques", 1979.
///
/// Layout: `k u8`, then for `k` of 0 to 63 `length varint ‖ bits`. All numbers zero: `k` is 255 and nothing follows.
/// A quotient of `longest` or more is written as that many ones, how many bits the number has (6, less one), and these.
struct RiceColumn {
    private static let allZero: UInt8 = 0xFF
    private static let longest: UInt64 = 12

    private let values: [UInt64]
    /// The remainder's.
    private let width: Int
    /// What the numbers take.
    let bitCount: UInt64

    init(_ values: [UInt64]) {
        self.values = values
        (width, bitCount) = Self.bestWidth(values)
    }

    /// The cheapest of those near the mean's; no bits at all where all numbers are zero.
    private static func bestWidth(_ values: [UInt64]) -> (width: Int, bits: UInt64) {
        var sum: UInt128 = 0
        for value in values { sum += UInt128(value) }
        guard sum > 0 else { return (0, 0) }
        let mean = UInt64(sum / UInt128(values.count))
        let near = 64 - mean.leadingZeroBitCount
        var best = (width: 0, bits: UInt64.max)
        for width in max(0, near - 2)...min(63, near + 1) {
            var bits: UInt64 = 0
            for value in values {
                let quotient = value >> UInt64(width)
                bits +=
                    quotient >= longest
                    ? longest + 6 + UInt64(64 - value.leadingZeroBitCount) : quotient + 1 + UInt64(width)
            }
            if bits < best.bits { best = (width, bits) }
        }
        return best
    }

    func write(to writer: inout ByteWriter) {
        guard bitCount > 0 else {
            writer.writeByte(Self.allZero)
            return
        }
        var bits = BitWriter(bitCount: bitCount)
        for value in values {
            let quotient = value >> UInt64(width)
            if quotient >= Self.longest {
                bits.write(1 << Self.longest - 1, width: Int(Self.longest))
                let size = 64 - value.leadingZeroBitCount
                bits.write(UInt64(size - 1), width: 6)
                bits.write(value, width: size)
            } else {
                // `quotient` ones, and a zero above them.
                bits.write(1 << quotient - 1, width: Int(quotient) + 1)
                bits.write(value & (1 << UInt64(width) - 1), width: width)
            }
        }
        let bytes = bits.finish()
        writer.writeByte(UInt8(width))
        writer.writeVarint(UInt64(bytes.count))
        writer.write(bytes)
    }

    /// Hands each of `count` numbers to `body`, in order.
    @inline(__always)
    static func read(
        _ count: Int, from reader: inout ByteReader, _ what: String, _ body: (UInt64) -> Void
    ) throws(DecodingFailure) {
        guard let (width, range) = try extent(&reader, what) else {
            for _ in 0..<count { body(0) }
            return
        }
        var bits = BitReader(reader.bytes, range)
        for _ in 0..<count {
            let quotient = bits.readOnes(limit: Int(longest))
            if quotient < Int(longest) {
                body(UInt64(quotient) << UInt64(width) | bits.read(width: width))
            } else {
                let size = Int(bits.read(width: 6)) + 1
                body(bits.read(width: size))
            }
        }
        if bits.isOverrun { throw DecodingFailure("\(what) is cut short", at: reader.offset) }
    }

    static func read(
        _ count: Int, from reader: inout ByteReader, _ what: String
    ) throws(DecodingFailure) -> [UInt64] {
        var values: [UInt64] = []
        values.reserveCapacity(count)
        try read(count, from: &reader, what) { values.append($0) }
        return values
    }

    private static func extent(
        _ reader: inout ByteReader, _ what: String
    ) throws(DecodingFailure) -> (width: Int, range: Range<Int>)? {
        let width = try reader.read(UInt8.self, what)
        if width == allZero { return nil }
        guard width <= 63 else { throw DecodingFailure("\(what) has no known coding", at: reader.offset) }
        let length = try reader.readVarint(what)
        return (Int(width), try reader.skip(Int(clamping: length), what))
    }
}
