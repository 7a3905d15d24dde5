internal import Ledger

/// Integers in as few bytes as they need: seven bits a byte, the low ones first, the top bit for "more follows".
extension ByteWriter {
    mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(UInt8(rest))
    }

    /// Small magnitudes of either sign are short.
    mutating func writeSignedVarint(_ value: Int64) {
        writeVarint(UInt64(zigzag: value))
    }
}

extension ByteWriter {
    mutating func writeVarint(_ value: UInt128) {
        var rest = value
        while rest >= 0x80 {
            write(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(UInt8(rest))
    }

    mutating func writeSignedVarint(_ value: Int128) {
        writeVarint(UInt128(bitPattern: value << 1) ^ UInt128(bitPattern: value >> 127))
    }
}

extension ByteReader {
    mutating func readLongVarint(_ what: String) throws(DecodingFailure) -> UInt128 {
        var value: UInt128 = 0
        for shift in stride(from: UInt128(0), through: 126, by: 7) {
            let byte = try read(UInt8.self, what)
            // The nineteenth byte has room for two bits.
            guard shift < 126 || byte <= 3 else { throw DecodingFailure("\(what) is too large", at: offset) }
            value |= UInt128(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw DecodingFailure("\(what) does not end", at: offset)
    }

    mutating func readSignedLongVarint(_ what: String) throws(DecodingFailure) -> Int128 {
        let value = try readLongVarint(what)
        return Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1)
    }

    mutating func readVarint(_ what: String) throws(DecodingFailure) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = try read(UInt8.self, what)
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { throw DecodingFailure("\(what) is too large", at: offset) }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw DecodingFailure("\(what) does not end", at: offset)
    }

    mutating func readSignedVarint(_ what: String) throws(DecodingFailure) -> Int64 {
        Int64(zigzag: try readVarint(what))
    }
}

extension UInt64 {
    /// Small magnitudes of either sign become small numbers.
    init(zigzag value: Int64) { self.init(bitPattern: value << 1 ^ value >> 63) }
}

extension Int64 {
    init(zigzag value: UInt64) { self = Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
}
