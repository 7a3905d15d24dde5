/// The name of a note key: a schema-less URL such as `example.com/kpi` or `example.com/kpi/node1`.
///
/// Not empty, without white space, plus signs or control characters, at most `Limits.keyNameBytes` long, and
/// compared byte by byte (`String` would take two spellings of one accent for the same).
/// - Source: C2SP signed-note, Format.
public struct KeyName: Hashable, Sendable, CustomStringConvertible {
    /// UTF-8.
    public let bytes: [UInt8]

    public init(_ text: some StringProtocol) throws(ProofError) {
        bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw ProofError(.malformedKey, "a key name is empty") }
        guard bytes.count <= Limits.keyNameBytes else {
            throw ProofError(.malformedKey, "a key name is longer than \(Limits.keyNameBytes) bytes")
        }
        for scalar in text.unicodeScalars {
            if scalar.value < 0x20 || scalar.properties.isWhitespace || scalar == "+" {
                throw ProofError(
                    .malformedKey, "a key name holds a space, a control character or a plus sign")
            }
        }
    }

    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
