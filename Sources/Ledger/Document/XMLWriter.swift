/// Writes XML as text, one way only: UTF-8, two spaces a level, a line feed after each element.
///
/// What it writes reads back as it was, for texts without the characters that XML 1.0 cannot hold at all.
struct XMLWriter {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    private var depth = 0

    /// An element with `text`, or an empty one.
    mutating func element(_ name: String, _ attributes: [(String, String?)] = [], text content: String? = nil)
    {
        indent()
        startTag(name, attributes)
        if let content {
            text += ">"
            escape(content, quotes: false)
            endTag(name)
        } else {
            text += "/>\n"
        }
    }

    /// An element with elements inside.
    mutating func element(
        _ name: String, _ attributes: [(String, String?)] = [], _ body: (inout XMLWriter) -> Void
    ) {
        indent()
        startTag(name, attributes)
        text += ">\n"
        depth += 1
        body(&self)
        depth -= 1
        indent()
        endTag(name)
    }

    /// An element on one line: small elements with text, then text of its own.
    mutating func mixedElement(
        _ name: String, _ attributes: [(String, String?)],
        children: [(String, [(String, String?)], text: String)],
        text content: String
    ) {
        indent()
        startTag(name, attributes)
        text += ">"
        for (child, childAttributes, childText) in children {
            startTag(child, childAttributes)
            text += ">"
            escape(childText, quotes: false)
            text += "</\(child)>"
        }
        escape(content, quotes: false)
        endTag(name)
    }

    private mutating func indent() { text += String(repeating: "  ", count: depth) }

    private mutating func startTag(_ name: String, _ attributes: [(String, String?)]) {
        text += "<\(name)"
        for (name, value) in attributes {
            guard let value else { continue }
            text += " \(name)=\""
            escape(value, quotes: true)
            text += "\""
        }
    }

    private mutating func endTag(_ name: String) { text += "</\(name)>\n" }

    private mutating func escape(_ content: String, quotes: Bool) {
        for scalar in content.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            // Only `]]>` must not stand in text, but then there is no need to look for it.
            case ">": text += "&gt;"
            case "\"" where quotes: text += "&quot;"
            // A parser turns these into spaces or drops them unless they are references.
            case "\t", "\n", "\r": text += "&#\(scalar.value);"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
