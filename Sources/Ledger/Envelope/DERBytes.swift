/// Writes DER values, inside out.
///
/// SwiftASN1's serialiser writes a value first and moves it byte by byte to make room for a long length, once a level:
/// that was a quarter of the cost of a statement, and milliseconds for a megabyte.
enum DERBytes {
    static func sequence(_ parts: [UInt8]...) -> [UInt8] { value(0x30, parts) }

    static func set(_ parts: [[UInt8]]) -> [UInt8] { value(0x31, parts) }

    /// A constructed value with a context-specific tag: an explicit tag, or an implicit one of a structure.
    static func context(_ number: UInt8, _ parts: [UInt8]...) -> [UInt8] { value(0xA0 | number, parts) }

    /// An OCTET STRING with an implicit context-specific tag.
    static func contextOctets(_ number: UInt8, _ octets: [UInt8]) -> [UInt8] {
        value(0x80 | number, [octets])
    }

    static func octets(_ octets: [UInt8]) -> [UInt8] { value(0x04, [octets]) }

    static func integer(_ small: UInt8) -> [UInt8] {
        precondition(small < 128, "a small integer is one byte without a sign bit")
        return [0x02, 1, small]
    }

    /// An INTEGER that is positive, from its big-endian digits.
    static func integer(positive digits: [UInt8]) -> [UInt8] {
        let shortest = digits.drop { $0 == 0 }
        let sign: [UInt8] = (shortest.first ?? 0x80) >= 0x80 ? [0] : []
        return value(0x02, [sign, Array(shortest)])
    }

    static let null: [UInt8] = [0x05, 0x00]

    /// `AlgorithmIdentifier`, with parameters or without.
    static func algorithm(_ oid: OID, _ parameters: [UInt8] = []) -> [UInt8] {
        value(0x30, [oid.der, parameters])
    }

    /// Tag, the shortest length, and the parts one after the other. The tag's number is below 31.
    static func value(_ tag: UInt8, _ parts: [[UInt8]]) -> [UInt8] {
        precondition(tag & 0x1F != 0x1F, "a tag is one byte")
        let count = parts.reduce(0) { $0 + $1.count }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 10)
        bytes.append(tag)
        if count < 0x80 {
            bytes.append(UInt8(count))
        } else {
            let digits = (0..<8).reversed().map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }.drop {
                $0 == 0
            }
            bytes.append(0x80 | UInt8(digits.count))
            bytes.append(contentsOf: digits)
        }
        for part in parts { bytes.append(contentsOf: part) }
        return bytes
    }
}
