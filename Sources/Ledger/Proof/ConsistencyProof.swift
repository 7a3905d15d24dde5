/// The hashes that prove a tree to extend an older one: nothing was changed, removed or put in between.
///
/// - Source: RFC 6962 §2.1.2, RFC 9162 §2.1.4.
public struct ConsistencyProof: Hashable, Sendable {
    public let hashes: [Digest]

    public init(hashes: [Digest]) { self.hashes = hashes }

    /// The proof that the tree of the first `newSize` leaves extends that of the first `oldSize`.
    ///
    /// Empty if the sizes are the same, and for `oldSize` 0: every tree extends the empty one.
    /// - Returns: At most `⌈log2(newSize)⌉ + 1` digests.
    /// - Throws: `ProofError.outOfRange` unless `oldSize <= newSize`, and what `source` throws.
    public static func make(
        from oldSize: UInt64, to newSize: UInt64, from source: borrowing some HashSource & ~Copyable
    ) throws -> ConsistencyProof {
        var subtrees = SubtreeHashes(size: newSize)
        return try make(from: oldSize, to: newSize, from: source, sharing: &subtrees)
    }

    /// The same for one of many proofs, which share the tiles they read.
    public static func make(
        from oldSize: UInt64, to newSize: UInt64, from source: borrowing some HashSource & ~Copyable,
        sharing subtrees: inout SubtreeHashes
    ) throws -> ConsistencyProof {
        try subtrees.check(newSize)
        guard oldSize <= newSize else {
            throw ProofError(.outOfRange, "a tree of \(newSize) does not extend one of \(oldSize)")
        }
        guard oldSize > 0 else { return ConsistencyProof(hashes: []) }
        var hashes: [Digest] = []
        var start: UInt64 = 0
        var count = newSize
        // What is left of the old tree inside the range in hand; it becomes the whole range at the end.
        var old = oldSize
        while old < count {
            let left = MerkleTree.split(count)
            if old <= left {
                hashes.append(try subtrees.root(start: start + left, count: count - left, from: source))
                count = left
            } else {
                hashes.append(try subtrees.root(start: start, count: left, from: source))
                start += left
                count -= left
                old -= left
            }
        }
        // Without a step to the right the last range is the old tree itself, whose root the verifier has.
        if start > 0 { hashes.append(try subtrees.root(start: start, count: count, from: source)) }
        hashes.reverse()
        return ConsistencyProof(hashes: hashes)
    }

    /// Whether the tree under `newRoot` extends the one under `oldRoot`. Safe for any input.
    ///
    /// - Source: RFC 9162 §2.1.4.2; the cases it leaves out (equal sizes, an empty old tree) want no hashes.
    public func isValid(oldSize: UInt64, oldRoot: Digest, newSize: UInt64, newRoot: Digest) -> Bool {
        guard oldSize <= newSize else { return false }
        if oldSize == newSize { return hashes.isEmpty && oldRoot == newRoot }
        if oldSize == 0 { return hashes.isEmpty && oldRoot == MerkleTree.emptyRoot }

        // Where the old tree is one complete subtree, its root is the first hash and is not repeated.
        var rest = hashes[...]
        let isComplete = oldSize & (oldSize - 1) == 0
        guard let first = isComplete ? oldRoot : rest.popFirst() else { return false }
        guard !rest.isEmpty else { return false }

        var node = oldSize - 1
        var last = newSize - 1
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        var (oldDigest, newDigest) = (first, first)
        for hash in rest {
            guard last != 0 else { return false }
            if node & 1 == 1 || node == last {
                oldDigest = MerkleTree.nodeHash(hash, oldDigest)
                newDigest = MerkleTree.nodeHash(hash, newDigest)
                skipMissingSiblings(&node, &last)
            } else {
                newDigest = MerkleTree.nodeHash(newDigest, hash)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && oldDigest == oldRoot && newDigest == newRoot
    }
}
