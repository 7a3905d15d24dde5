/// Takes comments and CDATA sections out of a stream of XML, and leaves their line feeds.
///
/// The push parser of libxml2 2.9 keeps an unfinished section whole, looks through it again with every piece and
/// gives up at 10 MB; logs in reports are longer. Nothing that a converter reads stands in a section. (So the control
/// characters that colour such logs, which XML does not allow, do no harm either.)
///
/// Works on bytes, in every encoding that keeps ASCII as it is; in others it finds nothing and changes nothing.
struct XMLSectionFilter {
    private enum State {
        case content
        /// After `<`, while what follows may still open a section; these bytes are held back.
        case opening(held: [UInt8])
        /// Left out up to `--` and `>`, or `]]` and `>`; how many of the two have just been seen.
        case section(closedBy: UInt8, seen: Int)
        /// Handed on to `?>`, since it may hold what looks like a section.
        case instruction(isAfterQuestionMark: Bool)
    }

    private var state = State.content
    private static let bracket = Array("<".utf8)
    private static let comment = Array("<!--".utf8)
    private static let data = Array("<![CDATA[".utf8)

    /// Whether a section or a tag's first bytes are still open.
    var isInside: Bool {
        if case .content = state { false } else { true }
    }

    mutating func filter(_ bytes: [UInt8], into kept: inout [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            if case .content = state {
                // Nearly all of a report passes here, so it is copied in one go.
                let end = bytes[offset...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
                kept.append(contentsOf: bytes[offset..<end])
                guard end < bytes.count else { return }
                state = .opening(held: Self.bracket)
                offset = end + 1
            } else {
                take(bytes[offset], into: &kept)
                offset += 1
            }
        }
    }

    private mutating func take(_ byte: UInt8, into kept: inout [UInt8]) {
        switch state {
        case .content:
            kept.append(byte)
        case .opening(let held):
            open(held, byte, into: &kept)
        case .section(let mark, let seen):
            if byte == UInt8(ascii: "\n") { kept.append(byte) }
            if byte == UInt8(ascii: ">"), seen >= 2 {
                state = .content
            } else {
                state = .section(closedBy: mark, seen: byte == mark ? min(2, seen + 1) : 0)
            }
        case .instruction(let isAfterQuestionMark):
            kept.append(byte)
            state =
                isAfterQuestionMark && byte == UInt8(ascii: ">")
                ? .content : .instruction(isAfterQuestionMark: byte == UInt8(ascii: "?"))
        }
    }

    private mutating func open(_ begun: [UInt8], _ byte: UInt8, into kept: inout [UInt8]) {
        if begun.count == 1, byte != UInt8(ascii: "!"), byte != UInt8(ascii: "?"), byte != UInt8(ascii: "<") {
            // A tag, as almost always.
            kept.append(contentsOf: begun)
            kept.append(byte)
            state = .content
            return
        }
        let held = begun + [byte]
        if held == Self.comment {
            state = .section(closedBy: UInt8(ascii: "-"), seen: 0)
        } else if held == Self.data {
            state = .section(closedBy: UInt8(ascii: "]"), seen: 0)
        } else if Self.comment.starts(with: held) || Self.data.starts(with: held) {
            state = .opening(held: held)
        } else if held.count == 2, held[1] == UInt8(ascii: "?") {
            kept.append(contentsOf: held)
            state = .instruction(isAfterQuestionMark: false)
        } else if let last = held.last, last == UInt8(ascii: "<") {
            kept.append(contentsOf: held.dropLast())
            state = .opening(held: [last])
        } else {
            kept.append(contentsOf: held)
            state = .content
        }
    }
}
