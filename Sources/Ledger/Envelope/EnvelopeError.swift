/// A statement, payload, certificate or key that is not what it must be: what a stranger sent, never a bug of ours.
public struct EnvelopeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What callers compare; the raw values are stable and may be shown to programs.
    public enum Code: String, CaseIterable, Hashable, Sendable {
        /// Not DER, or not the structure that stands in this place.
        case malformed
        /// Larger than a limit, which the reason names.
        case tooLarge = "too-large"
        /// Well formed, but with an algorithm, version, attribute or field that the ledger does not take.
        case unsupported
        /// A statement in another than its one form.
        case notCanonical = "not-canonical"
        /// The signed digest is not the digest of the content.
        case digestMismatch = "digest-mismatch"
        /// A certificate without what the ledger needs, or a key of another kind.
        case badCertificate = "bad-certificate"
        /// A private or secret key that cannot be used here.
        case badKey = "bad-key"
        /// The payload is sealed, but not to this key.
        case notARecipient = "not-a-recipient"
        /// The payload does not open. One answer for every cause, so that nobody learns from the difference.
        case decryptionFailed = "decryption-failed"
        /// The crypto library failed where no input explains it.
        case libraryFailure = "library-failure"
    }

    public let code: Code
    /// A sentence for people.
    public let reason: String
    /// Counted from the first byte of the input; `nil` where no byte is to blame.
    public let offset: Int?

    public init(_ code: Code, _ reason: String, at offset: Int? = nil) {
        self.code = code
        self.reason = reason
        self.offset = offset
    }

    public var description: String {
        if let offset { return "\(code.rawValue): \(reason) (at byte \(offset))" }
        return "\(code.rawValue): \(reason)"
    }

    /// The one answer to a payload that does not open.
    static let decryptionFailed = EnvelopeError(.decryptionFailed, "the payload does not open")

    static func libraryFailure(_ operation: String) -> EnvelopeError {
        EnvelopeError(.libraryFailure, "OpenSSL could not \(operation)")
    }
}
