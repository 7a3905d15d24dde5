/// The rules that several documents share, checked at one element.
///
/// The schema has been checked before. What it says as well is checked again where an allocation or a key in the store
/// depends on it, since it counts characters and we count bytes.
extension XMLElement {
    func required(_ name: StaticString) throws(DocumentError) -> String {
        guard let value = attribute(name) else {
            throw .invalid(self, "the attribute \"\(name)\" is missing")
        }
        return value
    }

    /// A required attribute that is one line of 1 to `limitBytes` bytes.
    func line(_ name: StaticString, limitBytes: Int = Limits.nameBytes) throws(DocumentError) -> String {
        try checkedLine(try required(name), "the attribute \"\(name)\"", limitBytes: limitBytes)
    }

    func optionalLine(_ name: StaticString, limitBytes: Int) throws(DocumentError) -> String? {
        guard let value = attribute(name) else { return nil }
        return try checkedLine(value, "the attribute \"\(name)\"", limitBytes: limitBytes)
    }

    func time(_ name: StaticString) throws(DocumentError) -> Timestamp {
        let text = try required(name)
        guard let time = Timestamp(rfc3339: text) else {
            throw .invalid(
                self,
                "\"\(DocumentError.excerpt(text))\" is not a time of RFC 3339 with a zone and milliseconds at most"
            )
        }
        return time
    }

    /// A whole number in its one spelling.
    func count(_ name: StaticString) throws(DocumentError) -> UInt64 {
        let text = try required(name)
        guard let value = UInt64(text), String(value) == text else {
            throw .invalid(self, "the attribute \"\(name)\" is not a whole number of 64 bits")
        }
        return value
    }

    /// The element's text, where it holds nothing else.
    func onlyText() throws(DocumentError) -> String {
        guard let text else { throw .invalid(self, "a comment or an element stands inside a value") }
        return text
    }

    func onlyLine(limitBytes: Int) throws(DocumentError) -> String {
        try checkedLine(try onlyText(), "the content", limitBytes: limitBytes)
    }

    /// Bytes in base64; white space may break the lines.
    func onlyBytes(_ range: ClosedRange<Int>) throws(DocumentError) -> [UInt8] {
        let text = try onlyText()
        let digits = String(
            decoding: text.utf8.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }, as: UTF8.self)
        guard let bytes = Base64.decode(digits) else { throw .invalid(self, "the content is not base64") }
        guard range.contains(bytes.count) else {
            let expected =
                range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
            throw .invalid(self, "the content has \(bytes.count) bytes and should have \(expected)")
        }
        return bytes
    }

    /// Free of control characters, `what` names the text in the reason.
    func checkedLine(
        _ text: String, _ what: @autoclosure () -> String, limitBytes: Int
    ) throws(DocumentError) -> String {
        guard !text.isEmpty else { throw .invalid(self, "\(what()) is empty") }
        guard text.utf8.count <= limitBytes else {
            throw .invalid(self, "\(what()) has \(text.utf8.count) bytes, the limit is \(limitBytes)")
        }
        guard !text.holdsControl else { throw .invalid(self, "\(what()) holds a control character") }
        return text
    }

    /// The children named `name`, which must all stand together; the schema has seen to that.
    func children(_ name: String) -> [XMLElement] { elements.filter { $0.name == name } }

    func child(_ name: StaticString) throws(DocumentError) -> XMLElement {
        guard let child = elements.first(where: { $0.isNamed(name) }) else {
            throw .invalid(self, "the element \"\(name)\" is missing")
        }
        return child
    }
}
