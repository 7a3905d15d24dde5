/// Splits an expression into tokens, by the rules of Prometheus 3 (`promql/parser/lex.go`).
///
/// The last token is `end`, or the `failure` that the text could not be read beyond.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0
    private var tokens: [Token] = []
    private var openParentheses = 0
    private var insideBraces = false
    private var insideBrackets = false

    private struct Failure: Error {
        let reason: String
        let position: Int
    }

    static func tokens(of text: String) -> [Token] {
        var lexer = Lexer(bytes: Array(text.utf8))
        do {
            while try lexer.readToken() {}
        } catch {
            lexer.tokens.append(Token(kind: .failure(error.reason), text: "", position: error.position))
        }
        return lexer.tokens
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

    private mutating func emit(_ kind: Token.Kind, length: Int) {
        let start = position
        position += length
        tokens.append(Token(kind: kind, text: text(from: start), position: start))
    }

    private func fail(_ reason: String, at place: Int? = nil) -> Failure {
        Failure(reason: reason, position: place ?? position)
    }

    /// The character at a place as Go prints it, `'x'`.
    private func character(_ distance: Int = 0) -> String {
        guard position + distance < bytes.count else { return "EOF" }
        let rest = String(decoding: bytes[(position + distance)...].prefix(4), as: UTF8.self)
        return rest.unicodeScalars.first.map { "'\($0)'" } ?? "EOF"
    }

    private mutating func skipSpaceAndComments() {
        while let byte = peek() {
            if byte.isSpace {
                position += 1
            } else if byte == UInt8(ascii: "#") {
                while let next = peek(), next != UInt8(ascii: "\n"), next != UInt8(ascii: "\r") {
                    position += 1
                }
            } else {
                return
            }
        }
    }

    /// Appends the next token; false after the last.
    private mutating func readToken() throws(Failure) -> Bool {
        skipSpaceAndComments()
        guard let byte = peek() else {
            if insideBraces { throw fail("unexpected end of input inside braces") }
            if openParentheses > 0 { throw fail("unclosed left parenthesis") }
            if insideBrackets { throw fail("unclosed left bracket") }
            tokens.append(Token(kind: .end, text: "", position: position))
            return false
        }
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
            try readString(quote: byte)
        } else if byte == UInt8(ascii: "`") {
            try readRawString()
        } else if insideBraces {
            try readInsideBraces(byte)
        } else if byte.isDigit || byte == UInt8(ascii: ".") && peek(1)?.isDigit == true {
            try readNumberOrDuration()
        } else if byte.isLetter || byte == UInt8(ascii: ":") && !insideBrackets {
            try readWord()
        } else {
            try readSymbol(byte)
        }
        return true
    }

    private mutating func readInsideBraces(_ byte: UInt8) throws(Failure) {
        switch (byte, peek(1)) {
        case (UInt8(ascii: ","), _): emit(.comma, length: 1)
        case (UInt8(ascii: "="), UInt8(ascii: "~")): emit(.equalPattern, length: 2)
        case (UInt8(ascii: "="), _): emit(.equal, length: 1)
        case (UInt8(ascii: "!"), UInt8(ascii: "~")): emit(.notEqualPattern, length: 2)
        case (UInt8(ascii: "!"), UInt8(ascii: "=")): emit(.binary(.notEqual), length: 2)
        case (UInt8(ascii: "!"), _):
            throw fail("unexpected character after '!' inside braces: \(character(1))")
        case (UInt8(ascii: "{"), _): throw fail("unexpected left brace '{'")
        case (UInt8(ascii: "}"), _):
            emit(.rightBrace, length: 1)
            insideBraces = false
        default:
            guard byte.isLetter else { throw fail("unexpected character inside braces: \(character())") }
            var length = 1
            while let next = peek(length), next.isLetter || next.isDigit { length += 1 }
            // Keywords are label names here.
            emit(.identifier, length: length)
        }
    }

    private mutating func readSymbol(_ byte: UInt8) throws(Failure) {
        let next = peek(1)
        switch byte {
        case UInt8(ascii: ","): emit(.comma, length: 1)
        case UInt8(ascii: "*"): emit(.binary(.multiply), length: 1)
        case UInt8(ascii: "/"): emit(.binary(.divide), length: 1)
        case UInt8(ascii: "%"): emit(.binary(.modulo), length: 1)
        case UInt8(ascii: "+"): emit(.binary(.add), length: 1)
        case UInt8(ascii: "-"): emit(.binary(.subtract), length: 1)
        case UInt8(ascii: "^"): emit(.binary(.power), length: 1)
        case UInt8(ascii: "@"): emit(.at, length: 1)
        case UInt8(ascii: "="):
            if next == UInt8(ascii: "~") { throw fail("unexpected character after '=': '~'") }
            if next == UInt8(ascii: "=") { emit(.binary(.equal), length: 2) } else { emit(.equal, length: 1) }
        case UInt8(ascii: "!"):
            guard next == UInt8(ascii: "=") else {
                throw fail("unexpected character after '!': \(character(1))")
            }
            emit(.binary(.notEqual), length: 2)
        case UInt8(ascii: "<"):
            if next == UInt8(ascii: "=") {
                emit(.binary(.lessOrEqual), length: 2)
            } else {
                emit(.binary(.less), length: 1)
            }
        case UInt8(ascii: ">"):
            if next == UInt8(ascii: "=") {
                emit(.binary(.greaterOrEqual), length: 2)
            } else {
                emit(.binary(.greater), length: 1)
            }
        case UInt8(ascii: "("):
            emit(.leftParenthesis, length: 1)
            openParentheses += 1
        case UInt8(ascii: ")"):
            emit(.rightParenthesis, length: 1)
            guard openParentheses > 0 else {
                // The token before counts as read, and the place is behind it, as in Prometheus.
                tokens.removeLast()
                throw fail("unexpected right parenthesis ')'")
            }
            openParentheses -= 1
        case UInt8(ascii: "{"):
            emit(.leftBrace, length: 1)
            insideBraces = true
        case UInt8(ascii: "["):
            guard !insideBrackets else { throw fail("unexpected left bracket '['") }
            emit(.leftBracket, length: 1)
            insideBrackets = true
        case UInt8(ascii: "]"):
            guard insideBrackets else { throw fail("unexpected right bracket ']'") }
            emit(.rightBracket, length: 1)
            insideBrackets = false
        case UInt8(ascii: ":") where insideBrackets: emit(.colon, length: 1)
        default: throw fail("unexpected character: \(character())")
        }
    }

    private mutating func readWord() throws(Failure) {
        if insideBrackets { throw fail("unexpected character in duration expression: \(character())") }
        var length = 1
        while let next = peek(length), next.isLetter || next.isDigit || next == UInt8(ascii: ":") {
            length += 1
        }
        let word = String(decoding: bytes[position..<position + length], as: UTF8.self)
        let lowered = word.lowercased()
        if lowered == "inf" || lowered == "nan" {
            emit(.number, length: length)
        } else if let keyword = Token.Keyword(rawValue: lowered) {
            emit(.keyword(keyword), length: length)
        } else if let aggregator = Aggregator(rawValue: lowered) {
            emit(.aggregator(aggregator), length: length)
        } else if let binary = BinaryOperator(rawValue: lowered) {
            emit(.binary(binary), length: length)
        } else {
            emit(word.utf8.contains(UInt8(ascii: ":")) ? .metricIdentifier : .identifier, length: length)
        }
    }

    // MARK: Strings

    private mutating func readString(quote: UInt8) throws(Failure) {
        var length = 1
        while true {
            guard let byte = peek(length), byte != UInt8(ascii: "\n") else {
                throw fail("unterminated quoted string")
            }
            if byte == quote { break }
            if byte == UInt8(ascii: "\\") {
                guard peek(length + 1) != nil else { throw fail("escape sequence not terminated") }
                length += 1
            }
            length += 1
        }
        emit(.string, length: length + 1)
    }

    private mutating func readRawString() throws(Failure) {
        var length = 1
        while let byte = peek(length), byte != UInt8(ascii: "`") { length += 1 }
        guard peek(length) != nil else { throw fail("unterminated raw string") }
        emit(.string, length: length + 1)
    }

    // MARK: Numbers

    private mutating func readNumberOrDuration() throws(Failure) {
        // The longest run that a number or a duration could be made of, signs of exponents included.
        var length = 0
        let hexadecimal =
            peek() == UInt8(ascii: "0") && (peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X"))
        while let byte = peek(length) {
            let afterExponent =
                length > 0 && !hexadecimal && (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
                && (peek(length - 1).map { $0 | 0x20 } == UInt8(ascii: "e"))
            guard byte.isLetter || byte.isDigit || byte == UInt8(ascii: ".") || afterExponent else { break }
            length += 1
        }
        let word = String(decoding: bytes[position..<position + length], as: UTF8.self)
        if NumberText.value(word) != nil {
            emit(.number, length: length)
        } else if DurationText.looksLikeDuration(word) {
            emit(.duration, length: length)
        } else {
            // Shown as far as Prometheus reads: one character more than is a number.
            var known = word
            while !known.isEmpty, NumberText.value(known) == nil { known.removeLast() }
            throw fail("bad number or duration syntax: \(String(word.prefix(known.count + 1)).goQuoted)")
        }
    }
}

extension UInt8 {
    var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
    var isDigit: Bool { (0x30...0x39).contains(self) }
    /// A letter of ASCII, or an underscore.
    var isLetter: Bool { (0x61...0x7A).contains(self | 0x20) && self >= 0x41 || self == 0x5F }
    var hexadecimalDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
