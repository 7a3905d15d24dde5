/// Numbers as Prometheus writes them: the shortest digits that read back as the same double.
public enum FloatText {
    /// Without an exponent, however long (Go's `FormatFloat(v, 'f', -1, 64)`).
    public static func fixed(_ value: Double) -> String {
        guard let parts = Parts(value) else { return special(value) }
        let digits = parts.digits
        let point = parts.point
        var text = parts.isNegative ? "-" : ""
        if point <= 0 {
            text += "0." + String(repeating: "0", count: -point) + digits
        } else if point >= digits.count {
            text += digits + String(repeating: "0", count: point - digits.count)
        } else {
            text += digits.prefix(point) + "." + digits.dropFirst(point)
        }
        return text
    }

    /// With an exponent below 10⁻⁶ and from 10²¹ on, as sample values are in the HTTP API: `1e-07`.
    public static func sample(_ value: Double) -> String {
        let magnitude = value.magnitude
        guard magnitude != 0, magnitude < 1e-6 || magnitude >= 1e21, let parts = Parts(value) else {
            return fixed(value)
        }
        var text = (parts.isNegative ? "-" : "") + parts.digits.prefix(1)
        if parts.digits.count > 1 { text += "." + parts.digits.dropFirst() }
        let exponent = parts.point - 1
        return text + (exponent < 0 ? "e-" : "e+") + (abs(exponent) < 10 ? "0" : "") + String(abs(exponent))
    }

    /// With six digits behind the point, as `%f` of Go.
    static func sixDigits(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return fixed(value) }
        let millionths = (value * 1_000_000).rounded(.toNearestOrEven)
        let digits = String(Int64(millionths.magnitude))
        let padded = String(repeating: "0", count: max(0, 7 - digits.count)) + digits
        return "\(value < 0 ? "-" : "")\(padded.dropLast(6)).\(padded.suffix(6))"
    }

    /// Milliseconds as seconds, with exactly `digits` behind the point, or with none where they are zero.
    static func seconds(milliseconds: Int64, digits: Int? = nil) -> String {
        let magnitude = milliseconds.magnitude
        let fraction = String(magnitude % 1000)
        let sign = milliseconds < 0 ? "-" : ""
        let whole = sign + String(magnitude / 1000)
        if magnitude % 1000 == 0, digits == nil { return whole }
        return whole + "." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }

    private static func special(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.sign == .minus ? "-0" : "0"
    }

    /// The digits without zeros around them, and where the point stands: `0.digits × 10^point`.
    private struct Parts {
        let isNegative: Bool
        let digits: String
        let point: Int

        /// `nil` for zero, infinity and not-a-number. Reads the standard library's description, which has the
        /// shortest digits in one of the forms `12.5`, `1e-07`, `1.25e+16`.
        init?(_ value: Double) {
            guard value.isFinite, value != 0 else { return nil }
            isNegative = value < 0
            var mantissa: [UInt8] = []
            var exponent = 0
            var place: Int?
            var bytes = Array(value.magnitude.description.utf8)[...]
            while let byte = bytes.popFirst() {
                if byte.isDigit {
                    mantissa.append(byte)
                } else if byte == UInt8(ascii: ".") {
                    place = mantissa.count
                } else {
                    if bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
                    exponent = Int(String(decoding: bytes, as: UTF8.self)) ?? 0
                    break
                }
            }
            var before = place ?? mantissa.count
            while mantissa.first == 0x30 {
                mantissa.removeFirst()
                before -= 1
            }
            while mantissa.last == 0x30 { mantissa.removeLast() }
            digits = String(decoding: mantissa, as: UTF8.self)
            point = before + exponent
        }
    }
}
