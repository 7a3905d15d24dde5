/// The numbers of other tools' reports, read exactly.
enum ReportNumber {
    /// Largest magnitude of a quantity without fraction, in units of 10⁻⁹.
    private static let largestNanos = Int128(999_999_999_999_999_999) * 1_000_000_000

    /// What a decimal text such as `312.5`, `1.0E-4` or `-0.25` comes to in units of 10⁻⁹, rounded half to even.
    /// `nil` for anything else, and for more than 18 digits before the point.
    static func nanos(_ text: String) -> Int128? {
        var digits: [UInt8] = []
        var exponent = 9
        var isNegative = false
        var pointSeen = false
        var digitSeen = false
        var bytes = Substring(text.trimmingXMLSpace).utf8
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        while let byte = bytes.first, byte != UInt8(ascii: "e"), byte != UInt8(ascii: "E") {
            bytes.removeFirst()
            if byte == UInt8(ascii: "."), !pointSeen {
                pointSeen = true
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            digitSeen = true
            // No tool writes a hundred digits; what does is no number.
            guard digits.count < 100 else { return nil }
            if pointSeen { exponent -= 1 }
            if byte != 0x30 || !digits.isEmpty { digits.append(byte - 0x30) }
            guard exponent > -200 else { return nil }
        }
        guard digitSeen else { return nil }
        if !bytes.isEmpty {
            guard let written = Int(Substring(bytes.dropFirst())), written.magnitude < 1000 else {
                return nil
            }
            exponent += written
        }
        guard let magnitude = scaled(digits, by: exponent) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// `digits · 10^exponent`, a whole number.
    private static func scaled(_ digits: [UInt8], by exponent: Int) -> Int128? {
        let wholeDigits = digits.count + exponent
        guard digits.isEmpty || wholeDigits <= 27 else { return nil }
        var value: Int128 = 0
        for position in 0..<max(0, wholeDigits) {
            value = value * 10 + Int128(position < digits.count ? digits[position] : 0)
        }
        guard exponent < 0, !digits.isEmpty else { return value <= largestNanos ? value : nil }
        if wholeDigits >= 0 {
            let rest = digits[wholeDigits...]
            let isAboveHalf =
                rest.first.map { $0 > 5 || ($0 == 5 && rest.dropFirst().contains { $0 != 0 }) } ?? false
            let isHalf = rest.first == 5 && !rest.dropFirst().contains { $0 != 0 }
            if isAboveHalf || (isHalf && value % 2 == 1) { value += 1 }
        }
        return value <= largestNanos ? value : nil
    }

    /// A number with commas between groups of three and a point, `1,234.5`, without the commas. `nil` where a comma
    /// may mean anything else: `1,234` is a thousand in one country and one in another.
    static func withoutGroups(_ text: String) -> String? {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2, !halves[1].contains(",") else { return nil }
        let groups = halves[0].split(separator: ",", omittingEmptySubsequences: false)
        guard groups.count >= 2, (1...3).contains(groups[0].utf8.count), groups[0].first != "0",
            groups.dropFirst().allSatisfy({ $0.utf8.count == 3 })
        else { return nil }
        return groups.joined() + "." + halves[1]
    }

    /// A count, as in `tests="12"`.
    static func count(_ text: String?) -> UInt64? {
        guard let text, let value = UInt64(text.trimmingXMLSpace), value <= 1_000_000_000_000 else {
            return nil
        }
        return value
    }

    /// A moment with a zone; `nil` without one. Fractions are cut to milliseconds.
    static func time(_ text: String?) -> Timestamp? {
        guard let text else { return nil }
        var spelled = String(text.trimmingXMLSpace)
        if let point = spelled.firstIndex(of: ".") {
            let fraction = spelled[spelled.index(after: point)...].prefix { ("0"..."9").contains($0) }
            spelled = String(spelled[...point] + fraction.prefix(3) + spelled[fraction.endIndex...])
        }
        // `+0100`, as some loggers write it.
        if let sign = spelled.lastIndex(where: { $0 == "+" || $0 == "-" }),
            spelled.utf8.count > 19, spelled[sign...].utf8.count == 5
        {
            spelled.insert(":", at: spelled.index(sign, offsetBy: 3))
        }
        return Timestamp(rfc3339: spelled)
    }

    /// A moment as a count since 1970. Cobertura writes milliseconds, tools that imitate it seconds; a count of
    /// milliseconds below 10¹¹ would lie before March 1973.
    static func time(sinceEpoch text: String?) -> Timestamp? {
        guard let text, let value = Int64(text.trimmingXMLSpace), value > 0 else { return nil }
        return Timestamp(milliseconds: value < 100_000_000_000 ? value * 1000 : value)
    }
}

extension Quantity {
    /// The quantity nearest to a sum in units of 10⁻⁹: the fraction gives way where there are more than 18 digits,
    /// half to even. `nil` over 18 digits before the point.
    init?(nearestToNanos nanos: Int128) {
        var coefficient = nanos
        var scale: UInt8 = 9
        var divisor: Int128 = 1
        while coefficient.magnitude > 999_999_999_999_999_999 {
            guard scale > 0 else { return nil }
            scale -= 1
            divisor *= 10
            let (quotient, rest) = nanos.quotientAndRemainder(dividingBy: divisor)
            let twice = rest.magnitude * 2
            let roundsUp = twice > divisor.magnitude || (twice == divisor.magnitude && quotient % 2 != 0)
            coefficient = roundsUp ? quotient + nanos.signum() : quotient
        }
        self.init(coefficient: Int64(coefficient), scale: scale)
    }
}

extension String {
    /// A name of a report as a label's value: one line, within the limit. `nil` where nothing is left.
    func asLabelValue() -> String? {
        var kept = ""
        for scalar in String(trimmingXMLSpace).unicodeScalars {
            let next: Unicode.Scalar = scalar.isControl ? " " : scalar
            guard kept.utf8.count + UTF8.width(next) <= Limits.labelValueBytes else { break }
            kept.unicodeScalars.append(next)
        }
        return kept.isEmpty ? nil : kept
    }
}
