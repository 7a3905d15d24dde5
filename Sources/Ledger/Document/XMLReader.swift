import CLibXML2

/// Reads one XML document at a time, safely, and checks it against its schema.
///
/// What a stranger could use against us is refused while the tree is built: a DOCTYPE of any kind (and with it every
/// entity, external or growing), processing instructions, encodings other than UTF-8, nesting over
/// `Limits.xmlDepth`, more attributes or namespace declarations than any document of ours has.
///
/// The contexts of libxml2 are made once and used again, which saves most of the time of a small document. They are
/// dropped after a refusal, and when documents have filled the context's dictionary of names.
///
/// `@unchecked Sendable`: one thread holds a reader at a time; `XMLReaderPool` hands it out under a lock.
final class XMLReader: @unchecked Sendable {
    private var parser: XMLParserContext?
    private var validators: [XMLValidationContext?] = XMLVocabulary.allCases.map { _ in nil }

    /// Reads `bytes`, finds out which of `vocabularies` it is written in, validates it, and hands its root to `body`.
    func read<Value>(
        _ bytes: [UInt8], as vocabularies: [XMLVocabulary], limitBytes: Int,
        _ body: (XMLVocabulary, XMLElement) throws(DocumentError) -> Value
    ) throws(DocumentError) -> Value {
        try XMLPreflight.check(bytes, limitBytes: limitBytes)
        let context = try parserContext()
        let document: XMLTree
        do throws(DocumentError) {
            document = try context.parse(bytes)
        } catch {
            parser = nil
            throw error
        }
        let root = try document.root()
        let namespace = root.namespace
        guard let vocabulary = vocabularies.first(where: { $0.namespace == namespace }) else {
            let expected = vocabularies.map(\.namespace).joined(separator: " or ")
            throw .invalid(
                root,
                "the namespace is \"\(DocumentError.excerpt(namespace))\" and should be \(expected)")
        }
        let validator = try validationContext(vocabulary)
        do throws(DocumentError) {
            try validator.validate(document)
        } catch {
            validators[vocabulary.rawValue] = nil
            throw error
        }
        return try body(vocabulary, root)
    }

    private func parserContext() throws(DocumentError) -> XMLParserContext {
        if let parser, !parser.isWornOut { return parser }
        guard let fresh = XMLParserContext() else { throw .outOfMemory }
        parser = fresh
        return fresh
    }

    private func validationContext(_ vocabulary: XMLVocabulary) throws(DocumentError) -> XMLValidationContext
    {
        if let validator = validators[vocabulary.rawValue] { return validator }
        guard let fresh = XMLValidationContext(vocabulary.schema) else { throw .outOfMemory }
        validators[vocabulary.rawValue] = fresh
        return fresh
    }
}

/// A parsed document; the elements handed out die with it.
@safe struct XMLTree: ~Copyable {
    fileprivate let document: UnsafeMutablePointer<xmlDoc>

    fileprivate init(_ document: UnsafeMutablePointer<xmlDoc>) { unsafe self.document = unsafe document }

    deinit { unsafe xmlFreeDoc(document) }

    func root() throws(DocumentError) -> XMLElement {
        guard let root = unsafe xmlDocGetRootElement(document) else {
            throw .malformed("there is no element", line: 1, column: 1)
        }
        return unsafe XMLElement(root)
    }
}

/// A parser of libxml2 that builds trees.
@safe private final class XMLParserContext {
    private let context: UnsafeMutablePointer<xmlParserCtxt>
    private let state = State()

    /// What the callbacks of one run have seen.
    private final class State {
        var refusal: DocumentError?
        var namespaceDeclarations = 0
    }

    private static let options = Int32(
        XML_PARSE_NONET.rawValue | XML_PARSE_NOCDATA.rawValue | XML_PARSE_NOERROR.rawValue
            | XML_PARSE_NOWARNING.rawValue | XML_PARSE_COMPACT.rawValue | XML_PARSE_BIG_LINES.rawValue
            // The bytes are UTF-8, checked; no declaration may make libxml2 load another decoder.
            | XML_PARSE_IGNORE_ENC.rawValue)

    init?() {
        XMLLibrary.prepare()
        guard let context = unsafe xmlNewParserCtxt() else { return nil }
        unsafe self.context = unsafe context
        unsafe context.pointee._private = unsafe Unmanaged.passUnretained(state).toOpaque()
        guard let handler = unsafe context.pointee.sax else { return nil }
        unsafe handler.pointee.serror = { context, error in
            guard let error = unsafe error else { return }
            unsafe XMLParserContext.refuse(context) { _, _ in
                .malformed(
                    XMLErrorText.sentence(parserCode: unsafe error.pointee.code),
                    line: Int(unsafe error.pointee.line), column: Int(unsafe error.pointee.int2))
            }
        }
        unsafe handler.pointee.internalSubset = { context, _, _, _ in
            unsafe XMLParserContext.refuse(context) {
                .malformed("a DOCTYPE is not accepted", line: $0, column: $1)
            }
        }
        unsafe handler.pointee.externalSubset = nil
        unsafe handler.pointee.resolveEntity = nil
        unsafe handler.pointee.processingInstruction = { context, _, _ in
            unsafe XMLParserContext.refuse(context) {
                .malformed("processing instructions are not accepted", line: $0, column: $1)
            }
        }
        unsafe handler.pointee.startElementNs = {
            context, name, prefix, uri, namespaceCount, namespaces, attributeCount, defaultedCount, attributes
            in
            guard
                unsafe XMLParserContext.accepts(
                    context, namespaceCount: Int(namespaceCount), attributeCount: Int(attributeCount),
                    attributes: attributes)
            else { return }
            unsafe xmlSAX2StartElementNs(
                context, name, prefix, uri, namespaceCount, namespaces, attributeCount, defaultedCount,
                attributes)
        }
    }

    deinit { unsafe xmlFreeParserCtxt(context) }

    /// Names stay in the dictionary for as long as the context lives, so strangers would fill the memory with them.
    /// Our own documents hold a few dozen.
    var isWornOut: Bool { unsafe xmlDictSize(context.pointee.dict) > 1000 }

    func parse(_ bytes: [UInt8]) throws(DocumentError) -> XMLTree {
        state.refusal = nil
        state.namespaceDeclarations = 0
        guard let parsed = unsafe build(bytes) else {
            throw state.refusal ?? .malformed("not well-formed XML", line: 1, column: 1)
        }
        let tree = unsafe XMLTree(parsed)
        if let refusal = state.refusal { throw refusal }
        guard unsafe String(xml: parsed.pointee.version) == "1.0" else {
            throw .malformed("the version of XML should be 1.0", line: 1, column: 1)
        }
        return tree
    }

    /// What `xmlCtxtReadMemory` does, with an input that lies where it is: that function's input buffer is asked for more
    /// at every step through the last 250 bytes, which are half of a document of ours.
    ///
    /// - Precondition: no byte is zero, which ends the input.
    private func build(_ bytes: [UInt8]) -> UnsafeMutablePointer<xmlDoc>? {
        unsafe xmlCtxtReset(context)
        guard unsafe xmlCtxtUseOptions(context, Self.options) == 0 else { return nil }
        let text = bytes + [0]
        return unsafe text.withUnsafeBufferPointer { buffer in
            guard let input = unsafe xmlNewStringInputStream(context, buffer.baseAddress) else { return nil }
            guard unsafe inputPush(context, input) >= 0 else {
                unsafe xmlFreeInputStream(input)
                return nil
            }
            unsafe xmlParseDocument(context)
            // Nothing in the context may point to the text when this closure ends.
            while let used = unsafe inputPop(context) { unsafe xmlFreeInputStream(used) }
            let document = unsafe context.pointee.myDoc
            unsafe context.pointee.myDoc = nil
            guard unsafe context.pointee.wellFormed == 1 else {
                unsafe xmlFreeDoc(document)
                return nil
            }
            return unsafe document
        }
    }

    /// Keeps the first refusal, which is the cause of those that follow, and stops the parser.
    private static func refuse(
        _ pointer: UnsafeMutableRawPointer?, _ error: (_ line: Int, _ column: Int) -> DocumentError
    ) {
        guard let pointer = unsafe pointer else { return }
        let context = unsafe pointer.assumingMemoryBound(to: xmlParserCtxt.self)
        guard let state = unsafe state(of: context) else { return }
        if state.refusal == nil {
            state.refusal = error(
                Int(unsafe xmlSAX2GetLineNumber(context)), Int(unsafe xmlSAX2GetColumnNumber(context)))
        }
        unsafe xmlStopParser(context)
    }

    private static func state(of context: UnsafeMutablePointer<xmlParserCtxt>) -> State? {
        guard let state = unsafe context.pointee._private else { return nil }
        return unsafe Unmanaged<State>.fromOpaque(state).takeUnretainedValue()
    }

    private static func accepts(
        _ pointer: UnsafeMutableRawPointer?, namespaceCount: Int, attributeCount: Int,
        attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) -> Bool {
        guard let pointer = unsafe pointer else { return false }
        let context = unsafe pointer.assumingMemoryBound(to: xmlParserCtxt.self)
        guard let state = unsafe state(of: context) else { return false }
        if unsafe Int(context.pointee.nameNr) >= Limits.xmlDepth {
            unsafe refuse(pointer) {
                .malformed("elements are nested deeper than \(Limits.xmlDepth)", line: $0, column: $1)
            }
            return false
        }
        // The library looks names up one by one, so many of them would cost the square of their number.
        state.namespaceDeclarations += namespaceCount
        if state.namespaceDeclarations > Limits.xmlAttributes || attributeCount > Limits.xmlAttributes {
            unsafe refuse(pointer) {
                .malformed("more than \(Limits.xmlAttributes) attributes or namespaces", line: $0, column: $1)
            }
            return false
        }
        // Five pointers an attribute: local name, prefix, namespace, begin and end of the value.
        for position in 0..<attributeCount where unsafe attributes?[position * 5 + 1] != nil {
            unsafe refuse(pointer) {
                .malformed("attributes with a prefix are not accepted", line: $0, column: $1)
            }
            return false
        }
        return true
    }
}

/// A validator of libxml2 for one schema.
@safe private final class XMLValidationContext {
    private let context: OpaquePointer
    private let state = State()

    private final class State {
        var refusal: DocumentError?
    }

    init?(_ schema: XMLSchema) {
        guard let context = unsafe schema.makeValidationContext() else { return nil }
        unsafe self.context = unsafe context
        unsafe xmlSchemaSetValidStructuredErrors(
            context,
            { state, error in
                guard let state = unsafe state, let error = unsafe error else { return }
                let kept = unsafe Unmanaged<State>.fromOpaque(state).takeUnretainedValue()
                if kept.refusal == nil { kept.refusal = unsafe XMLErrorText.refusal(schemaError: error) }
            }, Unmanaged.passUnretained(state).toOpaque())
    }

    deinit { unsafe xmlSchemaFreeValidCtxt(context) }

    func validate(_ tree: borrowing XMLTree) throws(DocumentError) {
        state.refusal = nil
        let result = unsafe xmlSchemaValidateDoc(context, tree.document)
        if let refusal = state.refusal { throw refusal }
        guard result == 0 else { throw .outOfMemory }
    }
}

extension DocumentError {
    /// libxml2 allocates with `malloc` and says so when that fails.
    fileprivate static let outOfMemory = DocumentError.malformed("the XML library failed", line: 1, column: 1)
}
