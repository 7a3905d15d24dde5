/// A signature of a checkpoint that states a time: a node's COMMIT vote, or a foreign witness's word.
///
/// Shape: `u64 seconds ‖ Ed25519 signature`, 72 bytes, over `cosignature/v1\ntime <seconds>\n` and the text.
/// One cosignature proves nothing: an honest node may have voted for two trees in two views. A quorum does.
/// - Source: C2SP tlog-cosignature; docs/formats.md 4.4.
public struct Cosignature: Hashable, Sendable {
    public static let byteCount = 8 + SigningKey.signatureByteCount

    /// Since 1970. Nodes state the time of their block, so that all sign the same bytes.
    public let seconds: UInt64
    /// Ed25519, 64 bytes.
    public let signature: [UInt8]

    /// `nil` unless `signature` has 64 bytes and the time fits in 63 bits, as C2SP demands.
    public init?(seconds: UInt64, signature: [UInt8]) {
        guard seconds <= UInt64(Int64.max), signature.count == SigningKey.signatureByteCount else {
            return nil
        }
        self.seconds = seconds
        self.signature = signature
    }

    /// The bytes of a signature line, without the key id; `nil` for any other shape.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        let seconds = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.init(seconds: seconds, signature: Array(bytes.dropFirst(8)))
    }

    /// Signs `text`.
    ///
    /// - Precondition: the time fits in 63 bits.
    public init(signing text: [UInt8], at seconds: UInt64, with key: SigningKey) {
        precondition(seconds <= UInt64(Int64.max), "a cosignature's time fits in 63 bits")
        self.seconds = seconds
        signature = key.sign(Self.message(text, at: seconds))
    }

    public var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Self.byteCount)
        writer.write(seconds)
        writer.write(signature)
        return writer.bytes
    }

    public func isValid(over text: [UInt8], by key: VerificationKey) -> Bool {
        key.isValid(signature, over: Self.message(text, at: seconds))
    }

    /// What is signed.
    public static func message(_ text: [UInt8], at seconds: UInt64) -> [UInt8] {
        Array("cosignature/v1\ntime \(seconds)\n".utf8) + text
    }
}
