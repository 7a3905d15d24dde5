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
        var head = bytes.prefix(256)
        if head.starts(with: mark) { head = head.dropFirst(mark.count) }
        guard head.starts(with: "<?xml".utf8) else { return }
        // The one that most tools write, ours among them, needs no looking into.
        guard !head.starts(with: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".utf8) else { return }
        head = head.prefix { $0 != UInt8(ascii: ">") }
        let name = Array("encoding".utf8)
        while head.count >= name.count, !head.starts(with: name) { head = head.dropFirst() }
        guard head.starts(with: name) else { return }
        let isQuote: (UInt8) -> Bool = { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
        let quoted = head.drop { !isQuote($0) }.dropFirst().prefix { !isQuote($0) }
        let value = String(decoding: quoted, as: UTF8.self)
        guard value.lowercased() == "utf-8" else {
            throw .malformed("the encoding should be UTF-8", line: 1, column: 1)
        }
    }
}
