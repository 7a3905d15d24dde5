/// A payload as a node keeps it: sealed once more, under a data key of its own that an erasure destroys.
///
/// Shape: the ciphertext, as long as the payload, then the tag of 16 bytes. The nonce is zero: a data key is random and
/// seals one payload once, so no nonce can repeat under it, and none need be stored. Whoever seals another payload
/// makes another data key.
public enum PayloadAtRest {
    /// 256 bits.
    public static let dataKeyBytes = 32
    /// How much longer than the payload the result is.
    public static let overheadBytes = AES256GCM.tagBytes

    private static let zeroNonce = [UInt8](repeating: 0, count: AES256GCM.nonceBytes)

    /// Seals one payload after the other: a block has many.
    struct Sealer: ~Copyable {
        private let cipher: AES256GCM.Sealer

        init() throws(EnvelopeError) { cipher = try AES256GCM.Sealer() }

        /// - Parameters:
        ///   - dataKey: fresh from `RandomBytes`, used for nothing else.
        ///   - statementDigest: of the statement whose payload it is, so that two payloads cannot be exchanged.
        /// - Throws: `.badKey` for a key that is not 32 bytes long.
        func seal(
            _ payload: [UInt8], dataKey: [UInt8], statementDigest: Digest
        ) throws(EnvelopeError) -> [UInt8] {
            try SealedPayload.checkKey(dataKey, "a data key")
            return try cipher.seal(
                payload, key: dataKey, nonce: zeroNonce, authenticating: statementDigest.bytes)
        }
    }

    /// - Throws: `.decryptionFailed` where key, statement and stored bytes do not all belong together.
    public static func open(
        _ stored: [UInt8], dataKey: [UInt8], statementDigest: Digest
    ) throws(EnvelopeError) -> [UInt8] {
        try SealedPayload.checkKey(dataKey, "a data key")
        guard stored.count >= overheadBytes,
            let payload = AES256GCM.open(
                Array(stored.dropLast(overheadBytes)), tag: Array(stored.suffix(overheadBytes)), key: dataKey,
                nonce: zeroNonce, authenticating: statementDigest.bytes)
        else { throw .decryptionFailed }
        return payload
    }
}
