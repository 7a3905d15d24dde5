/// What a client sent, split into the leaf and what lies beside it.
public struct Submission: Hashable, Sendable {
    public let statement: Statement
    /// The sealed content, `nil` for a governance record, whose statement holds it.
    public let payload: [UInt8]?

    /// Splits a SignedData with its content attached, as `openssl cms -sign -nodetach` makes it.
    ///
    /// Whatever anybody could add or change around a valid signature is dropped or put into its one form:
    /// certificates, revocation lists, unsigned attributes, names of algorithms, a high `s`. What then differs from
    /// the one form is refused, so that one signature makes one leaf.
    ///
    /// - Throws: never because a signature is wrong; ask the statement.
    public init(_ bytes: [UInt8]) throws(EnvelopeError) {
        guard bytes.count <= Limits.submissionBytes else {
            throw EnvelopeError(
                .tooLarge,
                "a submission of \(bytes.count) bytes is over the limit of \(Limits.submissionBytes)")
        }
        let parts = try SignedData(bytes)
        guard let content = parts.content else {
            throw EnvelopeError(.unsupported, "the content is detached; it must be in the message")
        }
        statement = try Statement(parts)
        payload = statement.content == nil ? content : nil
    }

    /// Puts the two halves together again, as a peer or an auditor receives them.
    ///
    /// - Throws: `.digestMismatch` where the payload is not the one that was signed; `.unsupported` where a payload is
    ///   missing or one too many.
    public init(statement: Statement, payload: [UInt8]?) throws(EnvelopeError) {
        guard (payload != nil) == (statement.content == nil) else {
            throw EnvelopeError(
                .unsupported, "a sealed entry has a payload, and a governance record has none")
        }
        if let payload, Digest.sha256(payload) != statement.payloadDigest {
            throw EnvelopeError(.digestMismatch, "the payload is not the one that was signed")
        }
        self.statement = statement
        self.payload = payload
    }

    /// A message that any node accepts and splits into the same two halves.
    public var bytes: [UInt8] {
        guard let payload else { return statement.bytes }
        return SignedData(statement).encoded(withContent: payload)
    }
}

extension SignedData {
    /// What a statement was built from; valid because the statement is.
    init(_ statement: Statement) {
        contentType = statement.contentType
        content = statement.content
        signers = statement.signers
        messageDigest = statement.payloadDigest
    }
}
