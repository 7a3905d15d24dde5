/// Reads number literals as Prometheus does: first as an integer of Go (`0x8f`, `0b1`, `0o17`, `017`), then as a
/// decimal fraction with an optional exponent, with single underscores between digits; `Inf` and `NaN` in any case.
enum NumberText {
    static func value(_ text: String) -> Double? {
        switch text.lowercased() {
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        case "nan": return .nan
        default: break
        }
        guard let digits = withoutUnderscores(Array(text.utf8)) else { return nil }
        return integer(digits) ?? decimal(digits)
    }

    /// `nil` where an underscore does not stand between two digits, or between a prefix and a digit.
    private static func withoutUnderscores(_ bytes: [UInt8]) -> [UInt8]? {
        let hexadecimal = bytes.count > 2 && bytes[0] == 0x30 && bytes[1] | 0x20 == UInt8(ascii: "x")
        func isDigit(_ position: Int) -> Bool {
            guard bytes.indices.contains(position) else { return false }
            return hexadecimal ? bytes[position].hexadecimalDigit != nil : bytes[position].isDigit
        }
        for position in bytes.indices where bytes[position] == UInt8(ascii: "_") {
            let afterPrefix = position == 2 && bytes[0] == 0x30 && bytes[1].isLetter
            guard isDigit(position - 1) || afterPrefix, isDigit(position + 1) else { return nil }
        }
        return bytes.filter { $0 != UInt8(ascii: "_") }
    }

    private static func integer(_ digits: [UInt8]) -> Double? {
        var base: UInt64 = 10
        var rest = digits[...]
        if digits.count > 1, digits[0] == 0x30 {
            switch digits[1] | 0x20 {
            case UInt8(ascii: "x"): (base, rest) = (16, digits[2...])
            case UInt8(ascii: "o"): (base, rest) = (8, digits[2...])
            case UInt8(ascii: "b"): (base, rest) = (2, digits[2...])
            default: (base, rest) = (8, digits[1...])
            }
        }
        guard !rest.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in rest {
            guard let digit = byte.hexadecimalDigit, UInt64(digit) < base else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { return nil }
            value = sum
        }
        return Double(value)
    }

    private static func decimal(_ digits: [UInt8]) -> Double? {
        var mantissa = 0
        var points = 0
        var position = 0
        while position < digits.count, digits[position].isDigit || digits[position] == UInt8(ascii: ".") {
            if digits[position] == UInt8(ascii: ".") { points += 1 } else { mantissa += 1 }
            position += 1
        }
        guard mantissa > 0, points <= 1 else { return nil }
        if position < digits.count {
            guard digits[position] | 0x20 == UInt8(ascii: "e") else { return nil }
            position += 1
            if position < digits.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(digits[position]) {
                position += 1
            }
            guard position < digits.count, digits[position...].allSatisfy(\.isDigit) else { return nil }
        }
        // `Double("1.")` and `Double(".5")` depend on strtod's manners: give it digits on both sides.
        var text = String(decoding: digits, as: UTF8.self)
        if text.hasPrefix(".") { text = "0" + text }
        if let point = text.firstIndex(of: ".") {
            let next = text.index(after: point)
            if next == text.endIndex || !text[next].isNumber { text.insert("0", at: next) }
        }
        return Double(text)
    }
}
