internal import Ledger

/// Integers in as few bytes as they need: seven bits a byte, the low ones first, the top bit for "more follows".
extension ByteWriter {
    mutating func writeVarint(_ value: some FixedWidthInteger & UnsignedInteger) {
        var rest = value
        while rest >= 0x80 {
            writeByte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeByte(UInt8(truncatingIfNeeded: rest))
    }

    /// Small magnitudes of either sign are short.
    mutating func writeSignedVarint(_ value: Int64) { writeVarint(UInt64(zigzag: value)) }

    mutating func writeSignedVarint(_ value: Int128) {
        writeVarint(UInt128(bitPattern: value << 1) ^ UInt128(bitPattern: value >> 127))
    }
}

extension ByteReader {
    mutating func readVarint(_ what: String) throws(DecodingFailure) -> UInt64 {
        try readVarint(UInt64.self, what)
    }

    mutating func readSignedVarint(_ what: String) throws(DecodingFailure) -> Int64 {
        Int64(zigzag: try readVarint(UInt64.self, what))
    }

    mutating func readLongVarint(_ what: String) throws(DecodingFailure) -> UInt128 {
        try readVarint(UInt128.self, what)
    }

    mutating func readSignedLongVarint(_ what: String) throws(DecodingFailure) -> Int128 {
        let value = try readVarint(UInt128.self, what)
        return Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1)
    }

    @inline(__always)
    private mutating func readVarint<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type, _ what: String
    ) throws(DecodingFailure) -> Value {
        let first = try readByte(what)
        // Most are of one byte.
        if first < 0x80 { return Value(truncatingIfNeeded: first) }
        var value = Value(truncatingIfNeeded: first & 0x7F)
        var shift = 7
        while shift < Value.bitWidth {
            let byte = try readByte(what)
            // The last byte has room for what is left of the width.
            guard Value.bitWidth - shift >= 7 || byte >> UInt8(Value.bitWidth - shift) == 0 else {
                throw DecodingFailure("\(what) is too large", at: offset)
            }
            value |= Value(truncatingIfNeeded: byte & 0x7F) << Value(truncatingIfNeeded: shift)
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw DecodingFailure("\(what) does not end", at: offset)
    }
}

extension UInt64 {
    /// Small magnitudes of either sign become small numbers.
    init(zigzag value: Int64) { self.init(bitPattern: value << 1 ^ value >> 63) }
}

extension Int64 {
    init(zigzag value: UInt64) { self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}
