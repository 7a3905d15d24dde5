/// A Swift file with its code told apart from its comments and string literals.
///
/// The contents of strings, of comments and of raw identifiers become spaces, so that lines and columns stay.
/// Interpolations inside strings are code. Regex literals are read as code: none here holds a quotation mark.
struct SwiftSource {
    let path: String
    /// As written.
    let text: String
    /// The code alone.
    let code: String

    init(path: String, text: String) {
        self.path = path
        self.text = text
        var scrubber = Scrubber(text)
        code = scrubber.scrub()
    }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    var codeLines: [Substring] { code.split(separator: "\n", omittingEmptySubsequences: false) }
}

private struct Scrubber {
    private var bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func scrub() -> String {
        while position < bytes.count { code(insideInterpolation: false) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Passes over code to the end, or to the parenthesis that closes an interpolation.
    private mutating func code(insideInterpolation: Bool) {
        var depth = 0
        while position < bytes.count {
            if starts(with: "//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank() }
            } else if starts(with: "/*") {
                blockComment()
            } else if let hashes = stringStart() {
                string(hashes: hashes)
            } else if bytes[position] == UInt8(ascii: "`") {
                rawIdentifier()
            } else {
                if bytes[position] == UInt8(ascii: "(") { depth += 1 }
                if bytes[position] == UInt8(ascii: ")") { depth -= 1 }
                position += 1
                if insideInterpolation && depth < 0 { return }
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        while position < bytes.count {
            if starts(with: "/*") {
                depth += 1
                blank(2)
            } else if starts(with: "*/") {
                depth -= 1
                blank(2)
                if depth == 0 { return }
            } else {
                blank()
            }
        }
    }

    /// The number of `#` before the quotation mark of a string that begins here.
    private func stringStart() -> Int? {
        var ahead = position
        while ahead < bytes.count, bytes[ahead] == UInt8(ascii: "#") { ahead += 1 }
        return ahead < bytes.count && bytes[ahead] == UInt8(ascii: "\"") ? ahead - position : nil
    }

    private mutating func string(hashes: Int) {
        position += hashes
        let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
        position += quotes.utf8.count
        let end = quotes + String(repeating: "#", count: hashes)
        let escape = "\\" + String(repeating: "#", count: hashes)
        while position < bytes.count {
            if starts(with: end) {
                position += end.utf8.count
                return
            } else if starts(with: escape + "(") {
                blank(escape.utf8.count)
                position += 1
                code(insideInterpolation: true)
            } else if starts(with: escape) {
                blank(escape.utf8.count + 1)
            } else if quotes == "\"", bytes[position] == UInt8(ascii: "\n") {
                return
            } else {
                blank()
            }
        }
    }

    /// `` `a name with spaces` `` is prose; `` `default` `` is code.
    private mutating func rawIdentifier() {
        let rest = bytes[(position + 1)...]
        guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "`") || $0 == UInt8(ascii: "\n") }) else {
            position += 1
            return
        }
        position += 1
        if bytes[position..<end].contains(UInt8(ascii: " ")) { blank(end - position) }
        position = end + 1
    }

    private func starts(with text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] != UInt8(ascii: "\n") { bytes[position] = UInt8(ascii: " ") }
            position += 1
        }
    }
}
