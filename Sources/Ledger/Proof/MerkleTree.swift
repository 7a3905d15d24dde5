/// The hashes of the log's tree.
///
/// - Source: RFC 6962 §2.1. The prefix bytes keep a leaf from passing as a node.
public enum MerkleTree {
    /// The root of the tree without leaves: `SHA256("")`.
    public static let emptyRoot = Digest.sha256([])

    /// `SHA256(00 ‖ leaf)`.
    public static func leafHash(_ leaf: [UInt8]) -> Digest {
        Digest.sha256 { hash in
            hash.update(0x00)
            hash.update(leaf)
        }
    }

    /// `SHA256(00 ‖ leaf)`, for bytes that lie in a database page.
    public static func leafHash(_ leaf: RawSpan) -> Digest {
        var hash = Digest.Hash()
        hash.update(0x00)
        hash.update(leaf)
        return hash.finish()
    }

    /// `SHA256(01 ‖ left ‖ right)`.
    public static func nodeHash(_ left: Digest, _ right: Digest) -> Digest {
        Digest.sha256(prefix: 0x01, left, right)
    }

    /// The largest power of two below `count`: where a tree of `count` leaves is split in two.
    ///
    /// - Precondition: at least two leaves.
    static func split(_ count: UInt64) -> UInt64 {
        precondition(count >= 2, "a tree that is split has two leaves or more")
        return 1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }
}
