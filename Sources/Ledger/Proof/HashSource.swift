/// Whoever keeps the hashes of a tree: the store, or an array.
///
/// What is asked for exists: callers compare with the size of the tree first, and a source throws for the rest.
public protocol HashSource: ~Copyable {
    /// The root over leaves `[index·256^level, (index+1)·256^level)`; at level 0 a leaf hash.
    func hash(level: Int, index: UInt64) throws -> Digest

    /// Several neighbours, at most the 256 of one tile, in order.
    func hashes(level: Int, range: Range<UInt64>) throws -> [Digest]
}

extension HashSource where Self: ~Copyable {
    public func hash(level: Int, index: UInt64) throws -> Digest {
        guard index < UInt64.max, let digest = try hashes(level: level, range: index..<index + 1).first else {
            throw ProofError(.outOfRange, "there is no hash \(index) at level \(level)")
        }
        return digest
    }

    /// The root of the tree when it had `size` leaves.
    public func root(size: UInt64) throws -> Digest {
        var subtrees = SubtreeHashes(size: size)
        return try subtrees.root(size: size, from: self)
    }
}

/// The roots of subtrees, computed from the tiles of a `HashSource`, which are read once and kept.
///
/// Keep one for a batch of proofs, such as the receipts of one block: neighbours share their tiles. It grows by
/// 16 KiB for each tile that is touched (one for 256 neighbouring leaves, and one for each level above).
public struct SubtreeHashes: Sendable {
    private struct TileID: Hashable {
        let level: Int
        let index: UInt64
    }

    /// How many leaves the tree has; proofs may be about any size up to this.
    public private(set) var size: UInt64
    /// Row 0 is the tile; row k holds the roots over 2^k neighbours of row 0.
    private var tiles: [TileID: [[Digest]]] = [:]
    /// The ragged ranges at the right edge of the tree of `edgeSize` leaves, by their first leaf: every proof for
    /// that size shares them, and there are 63 at most.
    private var edge: [UInt64: Digest] = [:]
    private var edgeSize: UInt64 = 0

    public init(size: UInt64) { self.size = size }

    /// Follows a tree that has got more leaves behind those it had. What was read stays, and is not read again.
    ///
    /// - Precondition: the tree has not got smaller.
    public mutating func grow(to size: UInt64) {
        precondition(size >= self.size, "a log only grows")
        self.size = size
    }

    /// The root over the first `size` leaves.
    ///
    /// - Throws: `ProofError.outOfRange` for a size above that of the tree, and what `source` throws.
    public mutating func root(
        size: UInt64, from source: borrowing some HashSource & ~Copyable
    ) throws -> Digest {
        try check(size)
        return size == 0 ? MerkleTree.emptyRoot : try root(start: 0, count: size, from: source)
    }

    func check(_ size: UInt64) throws(ProofError) {
        guard size <= self.size else {
            throw ProofError(.outOfRange, "the tree has \(self.size) leaves, not \(size)")
        }
    }

    /// The root over `count` leaves from `start`, where `start` is a multiple of a power of two that is at least
    /// `count`: every range that the splits of RFC 6962 produce.
    mutating func root(
        start: UInt64, count: UInt64, from source: borrowing some HashSource & ~Copyable
    ) throws -> Digest {
        guard count & (count - 1) != 0 else {
            let height = count.trailingZeroBitCount
            return try completeRoot(height: height, index: start >> UInt64(height), from: source)
        }
        // A range that is not complete ends where the tree ends.
        if edgeSize != start + count {
            edgeSize = start + count
            edge.removeAll()
        }
        if let known = edge[start] { return known }
        let left = MerkleTree.split(count)
        let root = MerkleTree.nodeHash(
            try root(start: start, count: left, from: source),
            try root(start: start + left, count: count - left, from: source))
        edge[start] = root
        return root
    }

    /// The root over leaves `[index·2^height, (index+1)·2^height)`.
    private mutating func completeRoot(
        height: Int, index: UInt64, from source: borrowing some HashSource & ~Copyable
    ) throws -> Digest {
        let (level, row) = height.quotientAndRemainder(dividingBy: TileHash.heightPerLevel)
        let tile = TileID(level: level, index: index >> UInt64(TileHash.heightPerLevel - row))
        let position = Int(index & (1 << UInt64(TileHash.heightPerLevel - row) - 1))
        if let known = tiles[tile], position < known[row].count { return known[row][position] }
        // Taken out meanwhile, so that the rows grow in place.
        var rows = tiles.removeValue(forKey: tile) ?? Self.noRows
        try read(tile, into: &rows, from: source)
        tiles[tile] = rows
        guard position < rows[row].count else {
            throw ProofError(.outOfRange, "there is no subtree \(index) of height \(height)")
        }
        return rows[row][position]
    }

    private static let noRows = [[Digest]](repeating: [], count: TileHash.heightPerLevel + 1)

    /// Adds what the tree holds of a tile by now, and what follows from it in the rows above.
    private func read(
        _ tile: TileID, into rows: inout [[Digest]], from source: borrowing some HashSource & ~Copyable
    ) throws {
        let available = HashTile.hashCount(level: tile.level, treeSize: size)
        let start = tile.index << UInt64(TileHash.heightPerLevel)
        guard start < available else {
            throw ProofError(.outOfRange, "tile \(tile.index) is beyond the tree")
        }
        let missing =
            start + UInt64(rows[0].count)..<start + min(UInt64(HashTile.fullWidth), available - start)
        guard !missing.isEmpty else { return }
        let found = try source.hashes(level: tile.level, range: missing)
        guard found.count == missing.count else {
            throw ProofError(.outOfRange, "\(found.count) hashes where \(missing.count) were asked for")
        }
        rows[0] += found
        for row in 1..<rows.count {
            for pair in rows[row].count..<rows[row - 1].count / 2 {
                rows[row].append(MerkleTree.nodeHash(rows[row - 1][2 * pair], rows[row - 1][2 * pair + 1]))
            }
        }
    }
}
