import CLibXML2

/// An element of a document that is being read.
///
/// Valid only inside the closure that it was handed to: the tree is freed when the closure returns.
@safe struct XMLElement {
    private let node: UnsafeMutablePointer<xmlNode>

    init(_ node: UnsafeMutablePointer<xmlNode>) { unsafe self.node = unsafe node }

    /// The name without its prefix.
    var name: String { unsafe String(xml: node.pointee.name) }

    /// Whether this is the name, without its prefix.
    func isNamed(_ name: StaticString) -> Bool {
        unsafe xmlStrEqual(node.pointee.name, name.utf8Start) == 1
    }

    /// Empty outside any namespace.
    var namespace: String {
        guard let namespace = unsafe node.pointee.ns else { return "" }
        return unsafe String(xml: namespace.pointee.href)
    }

    var line: Int { Int(unsafe xmlGetLineNo(node)) }

    /// The attribute's value; `nil` where there is none. Attributes with a prefix are refused before.
    func attribute(_ name: StaticString) -> String? {
        var attribute = unsafe node.pointee.properties
        while let current = unsafe attribute {
            if unsafe xmlStrEqual(current.pointee.name, name.utf8Start) == 1 {
                return unsafe Self.text(from: current.pointee.children) ?? ""
            }
            unsafe attribute = unsafe current.pointee.next
        }
        return nil
    }

    enum Content {
        case element(XMLElement)
        case text(String)
        case comment
    }

    /// What the element holds, in order.
    var contents: Contents { unsafe Contents(next: node.pointee.children) }

    /// The child elements, in order; text between them and comments are passed over.
    var elements: [XMLElement] {
        var found: [XMLElement] = []
        for content in contents {
            if case .element(let element) = content { found.append(element) }
        }
        return found
    }

    /// The text, where the element holds nothing else; `nil` with a comment or an element inside.
    var text: String? { unsafe Self.text(from: unsafe node.pointee.children, isStrict: true) }

    private static func text(
        from first: UnsafeMutablePointer<xmlNode>?, isStrict: Bool = false
    ) -> String? {
        guard var node = unsafe first else { return "" }
        // Nearly every text is one node.
        if unsafe node.pointee.next == nil, unsafe node.pointee.type == XML_TEXT_NODE {
            return unsafe String(xml: node.pointee.content)
        }
        var text = ""
        while true {
            guard unsafe node.pointee.type == XML_TEXT_NODE else { return isStrict ? nil : text }
            unsafe text += String(xml: node.pointee.content)
            guard let next = unsafe node.pointee.next else { return text }
            unsafe node = unsafe next
        }
    }

    @safe struct Contents: Sequence, IteratorProtocol {
        private var upcoming: UnsafeMutablePointer<xmlNode>?

        fileprivate init(next: UnsafeMutablePointer<xmlNode>?) { unsafe upcoming = unsafe next }

        mutating func next() -> Content? {
            guard let node = unsafe upcoming else { return nil }
            unsafe upcoming = unsafe node.pointee.next
            return switch unsafe node.pointee.type {
            case XML_ELEMENT_NODE: .element(unsafe XMLElement(node))
            case XML_TEXT_NODE: .text(unsafe String(xml: node.pointee.content))
            // Comments. Nothing else gets into a tree: processing instructions, entity references and CDATA nodes
            // are refused or turned into text while it is built.
            default: .comment
            }
        }
    }
}

extension String {
    /// A text of libxml2: UTF-8, ended by a zero byte.
    init(xml text: UnsafePointer<xmlChar>?) {
        self = if let text = unsafe text { unsafe String(cString: text) } else { "" }
    }

    /// Without the white space of XML (space, tab, line feed, carriage return) at both ends.
    var trimmingXMLSpace: Substring {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }
        guard let first = utf8.firstIndex(where: { !isSpace($0) }),
            let last = utf8.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return self[first...last]
    }
}
