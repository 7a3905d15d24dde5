/// Why a document is refused.
///
/// A reason is one sentence of at most 300 bytes and repeats at most 40 bytes of the input, so that it can go into an
/// answer or a log as it is.
public struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Not XML, or XML with something that is never read here (a DOCTYPE, another encoding). Counted from 1.
        case malformed(line: Int, column: Int)
        /// XML that breaks the schema or a rule, at this element.
        case invalid(element: String, line: Int)
    }

    public let kind: Kind
    public let reason: String

    static func malformed(_ reason: String, line: Int, column: Int) -> DocumentError {
        DocumentError(kind: .malformed(line: max(1, line), column: max(1, column)), reason: reason)
    }

    static func invalid(_ element: XMLElement, _ reason: String) -> DocumentError {
        DocumentError(kind: .invalid(element: excerpt(element.name), line: element.line), reason: reason)
    }

    public var description: String {
        switch kind {
        case .malformed(let line, let column): "line \(line), column \(column): \(reason)"
        case .invalid(let element, let line): "line \(line), element \(element): \(reason)"
        }
    }

    /// The beginning of a text from outside, for a reason: at most 40 bytes, control characters shown as `?`.
    static func excerpt(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars {
            let next: Unicode.Scalar = scalar.isControl ? "?" : scalar
            guard shown.utf8.count + UTF8.width(next) <= 37 else { return shown + "…" }
            shown.unicodeScalars.append(next)
        }
        return shown
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1: nothing that a name or a log line should hold.
    var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}

extension String {
    /// Whether one of the scalars is a control, looked for in the bytes: C1 is C2 80 to C2 9F.
    var holdsControl: Bool {
        var previous: UInt8 = 0
        for byte in utf8 {
            if byte < 0x20 || byte == 0x7F || (previous == 0xC2 && byte <= 0x9F) { return true }
            previous = byte
        }
        return false
    }
}
