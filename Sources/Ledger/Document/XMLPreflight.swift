/// What is checked on the bytes of a document before libxml2 sees them.
enum XMLPreflight {
    /// More `=` between two `<` than any tag of ours, and any label of ours, can hold. libxml2 2.9 compares every
    /// attribute of a tag with every other before it reports the first, so a megabyte of them would take seconds.
    private static let equalsSigns = 4096

    static func check(_ bytes: [UInt8], limitBytes: Int) throws(DocumentError) {
        guard !bytes.isEmpty else { throw .malformed("the document is empty", line: 1, column: 1) }
        guard bytes.count <= limitBytes else {
            throw .malformed(
                "the document has \(bytes.count) bytes, the limit is \(limitBytes)", line: 1, column: 1)
        }
        guard (try? UTF8Span(validating: bytes.span)) != nil else {
            throw .malformed("the document is not UTF-8", line: 1, column: 1)
        }
        try checkBytes(bytes)
        try checkEncodingDeclaration(bytes)
    }

    private static func checkBytes(_ bytes: [UInt8]) throws(DocumentError) {
        var signs = 0
        for byte in bytes {
            if byte == UInt8(ascii: "<") {
                signs = 0
            } else if byte == UInt8(ascii: "=") {
                signs += 1
                guard signs <= equalsSigns else {
                    throw .malformed("a tag has too many attributes", line: 1, column: 1)
                }
            } else if byte == 0 {
                throw .malformed("the document holds a zero byte", line: 1, column: 1)
            }
        }
    }

    /// Another encoding in the declaration would be read one way here and another way by other tools.
    private static func checkEncodingDeclaration(_ bytes: [UInt8]) throws(DocumentError) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = bytes.starts(with: mark) ? mark.count : 0
        guard bytes.dropFirst(start).starts(with: "<?xml".utf8) else { return }
        let head = bytes[start..<min(bytes.count, start + 256)]
        let end = head.firstIndex(of: UInt8(ascii: ">")) ?? head.endIndex
        let declaration = String(decoding: head[..<end], as: UTF8.self)
        guard let name = declaration.firstRange(of: "encoding") else { return }
        let value = declaration[name.upperBound...].drop { $0 != "\"" && $0 != "'" }.dropFirst()
            .prefix { $0 != "\"" && $0 != "'" }
        guard value.lowercased() == "utf-8" else {
            throw .malformed("the encoding should be UTF-8", line: 1, column: 1)
        }
    }
}
