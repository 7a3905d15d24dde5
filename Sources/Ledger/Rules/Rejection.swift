/// Why an entry is not taken into the log: a rule, told to the one who sent it.
public struct Rejection: Error, Hashable, Sendable {
    /// What callers compare; the HTTP status follows from it in one table.
    public enum Code: String, CaseIterable, Hashable, Sendable {
        /// The bytes are not the CMS or XML that they claim to be.
        case malformed
        /// More bytes than a limit allows.
        case tooLarge = "too-large"
        /// No enrolled key, or not a valid signature of it.
        case unauthenticated
        /// A known key without the role, revoked, or outside its certificate's validity.
        case forbidden
        /// Not sealed to exactly the nodes in force, with an unknown session, or with a key that does not open it.
        case sealing
        /// Well-formed, and against the schema or a rule.
        case invalid
        /// Another content, or another record, already has this id or sequence number.
        case conflict
        /// The document was in the log and has been erased; its id stays taken.
        case erased
    }

    public let code: Code
    /// A sentence for people: what, where, what to do.
    public let reason: String
    /// Where in an XML document, counted from 1; only with `malformed`.
    public let line: Int?
    public let column: Int?

    public init(_ code: Code, _ reason: String, line: Int? = nil, column: Int? = nil) {
        self.code = code
        self.reason = reason
        self.line = line
        self.column = column
    }
}
