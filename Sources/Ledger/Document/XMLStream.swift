import CLibXML2

/// Follows the elements of an XML report, piece by piece, without keeping them.
///
/// Reports come from other tools, so other encodings and a DOCTYPE that names an external DTD (JaCoCo, Cobertura) are
/// read; the DTD is never loaded, since no callback that could load one exists. Declared entities are refused.
@safe final class XMLStream {
    private let context: UnsafeMutablePointer<xmlParserCtxt>
    private let state: State

    /// What follows the elements. It may refuse the report by throwing.
    protocol Follower {
        mutating func start(_ element: StartTag) throws(ReportError)
        mutating func end(_ name: String) throws(ReportError)
    }

    /// What the callbacks see and change.
    private final class State {
        var follower: any Follower
        var refusal: ReportError?
        var depth = 0
        var rootSeen = false

        init(_ follower: any Follower) { self.follower = follower }
    }

    /// libxml2 gathers a whole tag before it reports it; pieces of this size let us see how long one has become.
    private static let pieceBytes = 65_536
    private var attributesOfOpenTag = 0
    private var sections = XMLSectionFilter()
    private var kept: [UInt8] = []

    init(_ follower: some Follower) throws(ReportError) {
        XMLLibrary.prepare()
        state = State(follower)
        var handler = unsafe xmlSAXHandler()
        unsafe handler.initialized = UInt32(XML_SAX2_MAGIC)
        unsafe handler.startElementNs = { state, name, _, _, _, _, count, _, attributes in
            unsafe XMLStream.visit(state) { state throws(ReportError) in
                state.depth += 1
                state.rootSeen = true
                guard state.depth <= Limits.xmlDepth else {
                    throw .malformed("elements are nested deeper than \(Limits.xmlDepth)", line: 0)
                }
                try state.follower.start(unsafe StartTag(name, attributes, count: Int(count)))
            }
        }
        unsafe handler.endElementNs = { state, name, _, _ in
            unsafe XMLStream.visit(state) { state throws(ReportError) in
                state.depth -= 1
                try state.follower.end(unsafe String(xml: name))
            }
        }
        unsafe handler.entityDecl = { state, _, _, _, _, _ in
            unsafe XMLStream.visit(state) { _ throws(ReportError) in
                throw .malformed("the DOCTYPE declares entities, which are not read", line: 0)
            }
        }
        unsafe handler.serror = { state, error in
            guard let error = unsafe error, unsafe error.pointee.level == XML_ERR_FATAL else { return }
            let sentence = XMLErrorText.sentence(parserCode: unsafe error.pointee.code)
            let line = Int(unsafe error.pointee.line)
            unsafe XMLStream.visit(state) { _ throws(ReportError) in throw .malformed(sentence, line: line) }
        }
        guard
            let context = unsafe xmlCreatePushParserCtxt(
                &handler, Unmanaged.passUnretained(state).toOpaque(), nil, 0, nil)
        else { throw .malformed("the XML library failed", line: 0) }
        unsafe self.context = unsafe context
        _ = unsafe xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue | XML_PARSE_BIG_LINES.rawValue))
    }

    deinit {
        if let document = unsafe context.pointee.myDoc { unsafe xmlFreeDoc(document) }
        unsafe xmlFreeParserCtxt(context)
    }

    func consume(_ bytes: RawSpan) throws(ReportError) {
        var start = 0
        while start < bytes.byteCount {
            let end = min(start + Self.pieceBytes, bytes.byteCount)
            kept.removeAll(keepingCapacity: true)
            let piece = unsafe bytes.extracting(start..<end).withUnsafeBytes { unsafe Array($0) }
            sections.filter(piece, into: &kept)
            try parse(kept, isLast: false)
            start = end
        }
    }

    /// - Returns: the follower, at the end of a well-formed document.
    func finish() throws(ReportError) -> any Follower {
        guard !sections.isInside else { throw .malformed("the report is cut short", line: max(1, line)) }
        do throws(ReportError) {
            try parse([], isLast: true)
        } catch {
            // libxml2 has one code for an end that comes too early and for text after the end.
            guard case .malformed(_, let line) = error else { throw error }
            if state.depth > 0 { throw .malformed("the report is cut short", line: line) }
            if !state.rootSeen { throw .malformed("there is no element", line: line) }
            throw error
        }
        return state.follower
    }

    private func parse(_ piece: [UInt8], isLast: Bool) throws(ReportError) {
        if let refusal = state.refusal { throw refusal }
        let code = unsafe piece.withUnsafeBytes { buffer in
            let text = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe xmlParseChunk(context, text, Int32(buffer.count), isLast ? 1 : 0)
        }
        if let refusal = state.refusal { throw refusal.located(atLine: line) }
        guard unsafe code == 0 || context.pointee.wellFormed == 1 else {
            throw .malformed(XMLErrorText.sentence(parserCode: code), line: line)
        }
        try checkOpenTag(after: piece)
    }

    private var line: Int { Int(unsafe xmlSAX2GetLineNumber(context)) }

    /// libxml2 2.9 compares every attribute of a tag with every other, so a tag that grows over several pieces is
    /// looked at before it is complete.
    private func checkOpenTag(after piece: [UInt8]) throws(ReportError) {
        guard let input = unsafe context.pointee.input, let waiting = unsafe input.pointee.cur,
            unsafe input.pointee.end - waiting >= piece.count, piece.count > 1,
            unsafe waiting[0] == UInt8(ascii: "<"), unsafe waiting[1] != UInt8(ascii: "!"),
            unsafe waiting[1] != UInt8(ascii: "?")
        else { return attributesOfOpenTag = 0 }
        for position in 1..<piece.count where piece[position - 1] == UInt8(ascii: "=") {
            let next = piece[position]
            if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { attributesOfOpenTag += 1 }
        }
        guard attributesOfOpenTag <= Limits.reportAttributes else {
            throw .malformed("a tag has more than \(Limits.reportAttributes) attributes", line: line)
        }
    }

    /// Runs a callback's work and keeps the first refusal, which is the cause of those that follow.
    private static func visit(
        _ pointer: UnsafeMutableRawPointer?, _ body: (State) throws(ReportError) -> Void
    ) {
        guard let pointer = unsafe pointer else { return }
        let state = unsafe Unmanaged<State>.fromOpaque(pointer).takeUnretainedValue()
        // The parser runs on to the end of its piece after a refusal; nothing of that is looked at.
        guard state.refusal == nil else { return }
        do throws(ReportError) {
            try body(state)
        } catch {
            state.refusal = error
        }
    }
}

/// A start tag, valid only while it is being reported.
@safe struct StartTag {
    /// Without its prefix.
    let name: String
    private let attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    private let count: Int

    fileprivate init(
        _ name: UnsafePointer<xmlChar>?, _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?,
        count: Int
    ) {
        self.name = unsafe String(xml: name)
        unsafe self.attributes = unsafe attributes
        self.count = count
    }

    /// The attribute's value. Only what is asked for is copied.
    subscript(_ name: StaticString) -> String? {
        guard let attributes = unsafe attributes else { return nil }
        for position in 0..<count where unsafe xmlStrEqual(attributes[position * 5], name.utf8Start) == 1 {
            // Five pointers an attribute: local name, prefix, namespace, begin and end of the value.
            guard let start = unsafe attributes[position * 5 + 3],
                let end = unsafe attributes[position * 5 + 4]
            else { return nil }
            let value = unsafe UnsafeBufferPointer(start: start, count: max(0, end - start))
            return unsafe XMLReference.resolved(String(decoding: value, as: UTF8.self))
        }
        return nil
    }
}

/// The five references that every document knows, in an attribute's value.
///
/// A parser without entity substitution hands on `&amp;` as `&#38;` and leaves it to us.
enum XMLReference {
    static func resolved(_ text: String) -> String {
        text.utf8.contains(UInt8(ascii: "&")) ? text.replacing("&#38;", with: "&") : text
    }
}
