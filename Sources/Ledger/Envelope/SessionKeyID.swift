/// The name of a session key: the first 16 bytes of the SHA-256 of the statement whose `<session>` document holds it.
///
/// - Source: formats.md 1.3.
public struct SessionKeyID: Hashable, Sendable {
    public static let byteCount = 16

    public let bytes: [UInt8]

    /// `nil` unless there are exactly 16 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    public init(of statement: Statement) { bytes = Array(statement.digest.bytes.prefix(Self.byteCount)) }
}
