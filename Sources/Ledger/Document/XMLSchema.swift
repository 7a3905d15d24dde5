import CLibXML2

/// The languages that this ledger reads, each with its namespace and its schema.
enum XMLVocabulary: Int, CaseIterable, Sendable {
    case kpi
    case session
    case governance
    case genesis

    var namespace: String {
        switch self {
        case .kpi: "urn:kpi-ledger:kpi:1"
        case .session: "urn:kpi-ledger:session:1"
        case .governance: "urn:kpi-ledger:governance:1"
        case .genesis: "urn:kpi-ledger:genesis:1"
        }
    }

    var schema: XMLSchema {
        switch self {
        case .kpi: .kpi
        case .session: .session
        case .governance: .governance
        case .genesis: .genesis
        }
    }
}

/// An XML Schema, read once from the file that is embedded in the binary.
///
/// `@unchecked Sendable`: libxml2 writes to a schema only in `xmlSchemaParse`, which has returned; what a validation
/// changes lies in its own context. (A validation context that was made *with* a schema ignores `xsi:schemaLocation`,
/// so a document cannot add to it either.)
@safe final class XMLSchema: @unchecked Sendable {
    private let schema: OpaquePointer

    static let kpi = XMLSchema(PackageResources.kpi_xsd)
    static let session = XMLSchema(PackageResources.session_xsd)
    static let governance = XMLSchema(PackageResources.governance_xsd)
    static let genesis = XMLSchema(PackageResources.genesis_xsd)

    /// - Precondition: the bytes are a valid schema; ours are tested.
    private init(_ bytes: [UInt8]) {
        XMLLibrary.prepare()
        // The parser context keeps the caller's pointer: the whole work happens while it is valid.
        let parsed: OpaquePointer? = unsafe bytes.withUnsafeBytes { buffer in
            let text = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            guard let context = unsafe xmlSchemaNewMemParserCtxt(text, Int32(buffer.count)) else {
                return nil
            }
            defer { unsafe xmlSchemaFreeParserCtxt(context) }
            return unsafe xmlSchemaParse(context)
        }
        guard let parsed = unsafe parsed else { preconditionFailure("the embedded schema is valid") }
        unsafe schema = parsed
    }

    deinit { unsafe xmlSchemaFree(schema) }

    /// A context for validations by one thread at a time. `nil` without memory.
    func makeValidationContext() -> OpaquePointer? { unsafe xmlSchemaNewValidCtxt(schema) }
}

/// libxml2 as a whole.
enum XMLLibrary {
    private static let initialised: Void = xmlInitParser()

    /// Must come before the first parser of any thread. No global hook of libxml2 is changed: another user of the
    /// library in this process (Foundation's XMLParser is one) would feel it.
    static func prepare() { initialised }
}
