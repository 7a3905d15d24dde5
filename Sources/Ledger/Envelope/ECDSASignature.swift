import SwiftASN1

/// An ECDSA signature over P-256 with `0 < r < n` and `0 < s <= n/2`.
///
/// `(r, n - s)` verifies whenever `(r, s)` does, so one of the two must not exist (formats.md 2.2).
struct ECDSASignature: Hashable, Sendable {
    /// Big-endian, 32 bytes each.
    let r: [UInt8]
    let s: [UInt8]

    static let scalarBytes = 32
    /// The order of the group. Source: SEC 2 §2.4.2.
    private static let order: [UInt8] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
    ]
    /// `n/2`, rounded down.
    private static let halfOrder: [UInt8] = [
        0x7F, 0xFF, 0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xDE, 0x73, 0x7D, 0x56, 0xD3, 0x8B, 0xCF, 0x42, 0x79, 0xDC, 0xE5, 0x61, 0x7E, 0x31, 0x92, 0xA8,
    ]

    /// Reads `ECDSA-Sig-Value` (RFC 3279 §2.2.3); a high `s` becomes the low one.
    init(der: [UInt8]) throws(EnvelopeError) {
        let node = try DERDocument.parse(der, "the ECDSA signature")
        var fields = try DERFields(node, .sequence, "the ECDSA signature")
        r = try Self.scalar(try fields.nextBytes("r", .integer), "r")
        let signed = try Self.scalar(try fields.nextBytes("s", .integer), "s")
        try fields.finish()
        s = Self.halfOrder.lexicographicallyPrecedes(signed) ? Self.orderMinus(signed) : signed
    }

    var der: [UInt8] {
        DERBytes.sequence(DERBytes.integer(positive: r), DERBytes.integer(positive: s))
    }

    /// 32 bytes from the shortest form of an INTEGER in `1..<n`.
    private static func scalar(_ content: ArraySlice<UInt8>, _ name: String) throws(EnvelopeError) -> [UInt8]
    {
        let refusal = EnvelopeError(.malformed, "\(name) of the ECDSA signature is no scalar of P-256")
        guard let first = content.first, first < 0x80 else { throw refusal }
        let digits = first == 0 ? content.dropFirst() : content
        // A zero byte in front is there for the sign alone.
        guard let leading = digits.first, leading != 0, digits.count <= scalarBytes,
            (first == 0) == (leading >= 0x80)
        else { throw refusal }
        let padded = [UInt8](repeating: 0, count: scalarBytes - digits.count) + digits
        guard padded.lexicographicallyPrecedes(order) else { throw refusal }
        return padded
    }

    /// `n - scalar` for a scalar below `n`.
    private static func orderMinus(_ scalar: [UInt8]) -> [UInt8] {
        var difference = order
        var borrow = 0
        for position in difference.indices.reversed() {
            let digit = Int(order[position]) - Int(scalar[position]) - borrow
            borrow = digit < 0 ? 1 : 0
            difference[position] = UInt8(truncatingIfNeeded: digit)
        }
        return difference
    }
}
