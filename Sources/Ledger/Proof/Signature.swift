import Crypto

/// An Ed25519 public key: checks signatures.
///
/// - Source: RFC 8032.
public struct VerificationKey: Hashable, Sendable {
    public static let byteCount = 32

    public let bytes: [UInt8]

    /// `nil` unless there are exactly 32 bytes. Bytes that are no point of the curve verify nothing.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Whether this key's owner signed `message`; false for a signature of any other length than 64 bytes.
    public func isValid(_ signature: [UInt8], over message: [UInt8]) -> Bool {
        guard signature.count == SigningKey.signatureByteCount else { return false }
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature, for: message)
    }
}

/// An Ed25519 private key: signs. Never printed, compared or encoded.
///
/// - Source: RFC 8032.
public struct SigningKey: Sendable {
    public static let seedByteCount = 32
    public static let signatureByteCount = 64

    private let key: Curve25519.Signing.PrivateKey
    public let verificationKey: VerificationKey

    /// `nil` unless there are exactly 32 bytes.
    public init?(seed: [UInt8]) {
        guard seed.count == Self.seedByteCount else { return nil }
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed) else { return nil }
        guard let verificationKey = VerificationKey(Array(key.publicKey.rawRepresentation)) else {
            return nil
        }
        self.key = key
        self.verificationKey = verificationKey
    }

    /// 64 bytes. The same message gives the same bytes.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        guard let signature = try? key.signature(for: message) else {
            preconditionFailure("an Ed25519 key signs every message")
        }
        return Array(signature)
    }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "SigningKey(of \(verificationKey.bytes.hexadecimal))" }
    /// A log line or a crash report must not show the seed.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
