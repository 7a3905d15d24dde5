/// The hashes that prove a leaf to be in a tree, from the leaf's sibling up to the root's child.
///
/// - Source: RFC 6962 §2.1.1, RFC 9162 §2.1.3.
public struct InclusionProof: Hashable, Sendable {
    public let hashes: [Digest]

    public init(hashes: [Digest]) { self.hashes = hashes }

    /// The proof for leaf `index` in the tree of the first `size` leaves.
    ///
    /// - Returns: At most `⌈log2(size)⌉` digests, from at most one tile per level and one at the right edge.
    /// - Throws: `ProofError.outOfRange` unless `index < size`, and what `source` throws.
    public static func make(
        index: EntryIndex, size: UInt64, from source: borrowing some HashSource & ~Copyable
    ) throws -> InclusionProof {
        var subtrees = SubtreeHashes(size: size)
        return try make(index: index, size: size, from: source, sharing: &subtrees)
    }

    /// The same for one of many proofs, which share the tiles they read.
    public static func make(
        index: EntryIndex, size: UInt64, from source: borrowing some HashSource & ~Copyable,
        sharing subtrees: inout SubtreeHashes
    ) throws -> InclusionProof {
        try subtrees.check(size)
        guard index.value < size else {
            throw ProofError(.outOfRange, "there is no entry \(index) in a tree of \(size)")
        }
        var hashes: [Digest] = []
        var start: UInt64 = 0
        var count = size
        while count > 1 {
            let left = MerkleTree.split(count)
            if index.value - start < left {
                hashes.append(try subtrees.root(start: start + left, count: count - left, from: source))
                count = left
            } else {
                hashes.append(try subtrees.root(start: start, count: left, from: source))
                start += left
                count -= left
            }
        }
        hashes.reverse()
        return InclusionProof(hashes: hashes)
    }

    /// Whether `leafHash` is leaf `index` of the tree of `size` leaves under `root`. Safe for any input.
    ///
    /// - Source: RFC 9162 §2.1.3.2.
    public func isValid(leafHash: Digest, index: EntryIndex, size: UInt64, root: Digest) -> Bool {
        guard index.value < size else { return false }
        var node = index.value
        var last = size - 1
        var digest = leafHash
        for hash in hashes {
            guard last != 0 else { return false }
            if node & 1 == 1 || node == last {
                digest = MerkleTree.nodeHash(hash, digest)
                skipMissingSiblings(&node, &last)
            } else {
                digest = MerkleTree.nodeHash(digest, hash)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && digest == root
    }
}

/// Climbs from the last node of a row while it has no sibling, and so no hash in a proof.
func skipMissingSiblings(_ node: inout UInt64, _ last: inout UInt64) {
    while node & 1 == 0, node != 0 {
        node >>= 1
        last >>= 1
    }
}
