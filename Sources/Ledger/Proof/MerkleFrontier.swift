/// The right edge of a growing tree: enough to append leaves and to know the root, in 64 digests at most.
///
/// The edge holds one digest for each bit that is set in `size`, the largest subtree first: the roots of the
/// complete subtrees that the leaves fall into from left to right.
public struct MerkleFrontier: Hashable, Sendable {
    /// How many leaves the tree has.
    public private(set) var size: UInt64 = 0
    private var edge: [Digest] = []

    /// The tree without leaves.
    public init() {}

    /// Adds one leaf and appends to `completed` every tile hash that is now settled, the lowest level first.
    ///
    /// The first of them is always the leaf hash itself (level 0). Level 1 comes with every 256th leaf, and so
    /// on. A store that keeps what it is given here can serve every tile and proof.
    ///
    /// - Precondition: the tree has fewer leaves than `Limits.treeLeaves`.
    public mutating func append(_ leafHash: Digest, into completed: inout [TileHash]) {
        precondition(size < Limits.treeLeaves, "a tree has at most Limits.treeLeaves leaves")
        var digest = leafHash
        completed.append(TileHash(level: 0, index: size, digest: digest))
        // Each trailing one bit of the size is a subtree as tall as the one in hand: the two become one.
        var height = 0
        while size >> UInt64(height) & 1 == 1, let left = edge.popLast() {
            digest = MerkleTree.nodeHash(left, digest)
            height += 1
            if height % TileHash.heightPerLevel == 0 {
                let index = size >> UInt64(height)
                completed.append(
                    TileHash(level: height / TileHash.heightPerLevel, index: index, digest: digest))
            }
        }
        edge.append(digest)
        size += 1
    }

    /// Adds one leaf and returns the tile hashes that are now settled, the lowest level first.
    @discardableResult
    public mutating func append(_ leafHash: Digest) -> [TileHash] {
        var completed: [TileHash] = []
        append(leafHash, into: &completed)
        return completed
    }

    /// Adds a complete subtree of 256^level leaves, as kept by a store.
    ///
    /// - Precondition: the size so far is a multiple of 256^level.
    public mutating func append(subtree: Digest, level: Int) {
        var height = level * TileHash.heightPerLevel
        let leaves = UInt64(1) << UInt64(height)
        precondition(size % leaves == 0, "a subtree begins where one can stand")
        precondition(size < Limits.treeLeaves - leaves, "a tree has at most Limits.treeLeaves leaves")
        var digest = subtree
        while size >> UInt64(height) & 1 == 1, let left = edge.popLast() {
            digest = MerkleTree.nodeHash(left, digest)
            height += 1
        }
        edge.append(digest)
        size += leaves
    }

    /// The root over all leaves so far; of the empty tree `SHA256("")`.
    public var root: Digest {
        guard var digest = edge.last else { return MerkleTree.emptyRoot }
        for left in edge.dropLast().reversed() { digest = MerkleTree.nodeHash(left, digest) }
        return digest
    }
}

extension MerkleFrontier {
    /// `u64 size ‖ digests`, one for each bit set in the size, the largest subtree first.
    public var encoded: [UInt8] {
        var writer = ByteWriter(capacity: 8 + edge.count * Digest.byteCount)
        writer.write(size)
        for digest in edge { writer.write(digest) }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { (reader) throws(DecodingFailure) in
            var frontier = MerkleFrontier()
            frontier.size = try reader.read(UInt64.self, "tree size")
            guard frontier.size <= Limits.treeLeaves else {
                throw DecodingFailure("tree size is over the limit", at: 0)
            }
            for _ in 0..<frontier.size.nonzeroBitCount {
                frontier.edge.append(try reader.readDigest("edge of the tree"))
            }
            return frontier
        }
    }
}

/// Hash `index` of tile level `level`: the root over leaves `[index·256^level, (index+1)·256^level)`.
public struct TileHash: Hashable, Sendable {
    /// A level of tiles spans eight levels of the tree.
    static let heightPerLevel = 8

    public let level: Int
    public let index: UInt64
    public let digest: Digest

    public init(level: Int, index: UInt64, digest: Digest) {
        self.level = level
        self.index = index
        self.digest = digest
    }
}
