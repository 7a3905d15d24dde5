/// String literals, in the syntax of Go, which PromQL took over.
enum QuotedText {
    enum Failure: Error {
        case unknownEscape, invalidCodePoint, notUTF8
        var reason: String {
            switch self {
            case .unknownEscape: "unknown escape sequence"
            case .invalidCodePoint: "escape sequence is an invalid Unicode code point"
            case .notUTF8: "string is not valid UTF-8"
            }
        }
    }

    /// The value of a literal with its quotes, as the lexer passed it.
    static func value(_ literal: String) throws(Failure) -> String {
        let bytes = Array(literal.utf8)
        guard let quote = bytes.first, bytes.count >= 2 else { return "" }
        let content = Array(bytes[1..<bytes.count - 1])
        if quote == UInt8(ascii: "`") { return String(decoding: content, as: UTF8.self) }
        var result: [UInt8] = []
        var position = 0
        while position < content.count {
            guard content[position] == UInt8(ascii: "\\") else {
                result.append(content[position])
                position += 1
                continue
            }
            position += 1
            guard position < content.count else { throw .unknownEscape }
            let escape = content[position]
            position += 1
            switch escape {
            case UInt8(ascii: "a"): result.append(0x07)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "v"): result.append(0x0B)
            case UInt8(ascii: "\\"), quote: result.append(escape)
            case 0x30...0x37:
                let value = try number(content, at: position - 1, digits: 3, base: 8)
                guard value <= 255 else { throw .invalidCodePoint }
                result.append(UInt8(value))
                position += 2
            case UInt8(ascii: "x"):
                result.append(UInt8(try number(content, at: position, digits: 2, base: 16)))
                position += 2
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let digits = escape == UInt8(ascii: "u") ? 4 : 8
                let value = try number(content, at: position, digits: digits, base: 16)
                guard let scalar = Unicode.Scalar(value) else { throw .invalidCodePoint }
                result.append(contentsOf: String(Character(scalar)).utf8)
                position += digits
            default: throw .unknownEscape
            }
        }
        guard let text = String(validating: result, as: UTF8.self) else { throw .notUTF8 }
        return text
    }

    private static func number(
        _ bytes: [UInt8], at start: Int, digits: Int, base: UInt32
    ) throws(Failure) -> UInt32 {
        guard start + digits <= bytes.count else { throw .unknownEscape }
        var value: UInt32 = 0
        for byte in bytes[start..<start + digits] {
            guard let digit = byte.hexadecimalDigit, UInt32(digit) < base else { throw .unknownEscape }
            // Eight hexadecimal digits fill 32 bits and never overflow them.
            value = value &* base &+ UInt32(digit)
        }
        return value
    }
}

extension String {
    /// In double quotes with the escapes of Go's `strconv.Quote`.
    var goQuoted: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{07}": text += "\\a"
            case "\u{08}": text += "\\b"
            case "\u{0C}": text += "\\f"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0B}": text += "\\v"
            default:
                if scalar.isPrintable {
                    text.unicodeScalars.append(scalar)
                } else if scalar.value < 0x80 {
                    text += "\\x" + Self.padded(scalar.value, 2)
                } else if scalar.value < 0x10000 {
                    text += "\\u" + Self.padded(scalar.value, 4)
                } else {
                    text += "\\U" + Self.padded(scalar.value, 8)
                }
            }
        }
        return text + "\""
    }

    private static func padded(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}

extension Unicode.Scalar {
    fileprivate var isPrintable: Bool {
        if self == " " { return true }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default:
            return true
        }
    }
}
