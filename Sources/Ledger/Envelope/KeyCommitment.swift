/// What a block header says about the content keys of its payloads.
///
/// AES-GCM does not commit to its key: one ciphertext can be made to open under two keys to two texts. The header
/// therefore fixes, for every payload, the one key by which all nodes and auditors read it (formats.md 4.2).
public enum KeyCommitment {
    /// Keeps these hashes apart from those of leaves (00), nodes (01) and headers (02).
    private static let prefix: UInt8 = 3

    /// `SHA256(03 ‖ content key ‖ payload digest)`.
    public static func of(contentKey: [UInt8], payloadDigest: Digest) -> Digest {
        Digest.sha256 { hash in
            hash.update(prefix)
            hash.update(contentKey)
            hash.update(payloadDigest)
        }
    }

    /// The commitment in the header: SHA-256 over those of the entries, in order.
    ///
    /// - Parameter entries: `Digest.zero` for an entry without a payload. A block without entries has SHA-256 of nothing.
    public static func fold(_ entries: [Digest]) -> Digest {
        Digest.sha256 { hash in
            for entry in entries { hash.update(entry) }
        }
    }
}
