import SwiftASN1

/// UTCTime and GeneralizedTime in the one form that DER and RFC 5280 §4.1.2.5 leave: to the second, in UTC.
enum DERTime {
    static func timestamp(_ node: ASN1Node, _ what: String) throws(EnvelopeError) -> Timestamp {
        let refusal = EnvelopeError(.malformed, "\(what) is not a time to the second in UTC", at: node.offset)
        guard case .primitive(let content) = node.content, content.last == UInt8(ascii: "Z") else {
            throw refusal
        }
        var digits = Array(content.dropLast())
        if node.identifier == .utcTime {
            guard digits.count == 12 else { throw refusal }
            // Two digits of a year mean 1950 to 2049.
            digits = Array((digits[0] >= UInt8(ascii: "5") ? "19" : "20").utf8) + digits
        }
        guard node.identifier == .utcTime || node.identifier == .generalizedTime, digits.count == 14 else {
            throw refusal
        }
        func text(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        let date = "\(text(0..<4))-\(text(4..<6))-\(text(6..<8))"
        guard let timestamp = Timestamp(rfc3339: "\(date)T\(text(8..<10)):\(text(10..<12)):\(text(12..<14))Z")
        else { throw refusal }
        return timestamp
    }

    /// UTCTime from 1950 to 2049, else GeneralizedTime; a fraction of a second is dropped.
    static func encoded(_ timestamp: Timestamp) -> [UInt8] {
        let digits = timestamp.description.utf8.prefix(19).filter { (0x30...0x39).contains($0) }
        let isUTCTime = (1950...2049).contains(digits.prefix(4).reduce(0) { $0 * 10 + Int($1 - 0x30) })
        let zone = [UInt8(ascii: "Z")]
        return isUTCTime
            ? DERBytes.value(0x17, [Array(digits.dropFirst(2)), zone])
            : DERBytes.value(0x18, [digits, zone])
    }
}
