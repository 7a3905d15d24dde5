/// A row of up to 256 neighbouring hashes of one level, as it is served: 32 bytes each, nothing else.
///
/// - Source: C2SP tlog-tiles.
public enum HashTile {
    public static let fullWidth = 256

    /// How many hashes of `level` a tree of `treeSize` leaves has: `⌊treeSize / 256^level⌋`.
    public static func hashCount(level: Int, treeSize: UInt64) -> UInt64 {
        // A shift by 64 or more gives 0, as it should.
        treeSize >> (UInt64(level) * UInt64(TileHash.heightPerLevel))
    }

    /// The bytes of a tile that exists.
    ///
    /// - Throws: `ProofError.outOfRange` unless `path` names a hash tile that a tree of `treeSize` leaves has;
    ///   and what `source` throws.
    public static func bytes(
        of path: TilePath, treeSize: UInt64, from source: borrowing some HashSource & ~Copyable
    ) throws -> [UInt8] {
        guard case .hashes(let level) = path.content, path.exists(treeSize: treeSize), let range = path.range
        else {
            throw ProofError(.outOfRange, "a tree of \(treeSize) has no hash tile \(path.text)")
        }
        return encode(try source.hashes(level: level, range: range))
    }

    public static func encode(_ hashes: [Digest]) -> [UInt8] {
        var writer = ByteWriter(capacity: hashes.count * Digest.byteCount)
        for hash in hashes { writer.write(hash) }
        return writer.bytes
    }

    /// - Parameter width: how many hashes there must be, 1 to 256.
    public static func decode(_ bytes: [UInt8], width: Int) throws(DecodingFailure) -> [Digest] {
        try ByteReader.decode(bytes) { (reader) throws(DecodingFailure) in
            guard (1...fullWidth).contains(width) else {
                throw DecodingFailure("no tile has this width", at: 0)
            }
            var hashes: [Digest] = []
            for _ in 0..<width { hashes.append(try reader.readDigest("hash")) }
            return hashes
        }
    }
}

/// The leaves under one tile of level 0, as they are served: `u16 length ‖ leaf`, repeated.
///
/// - Source: C2SP tlog-tiles.
public enum EntryBundle {
    /// - Precondition: no leaf is longer than `Limits.leafBytes`; the log never holds one.
    public static func encode(_ leaves: some Sequence<[UInt8]>) -> [UInt8] {
        var writer = ByteWriter()
        for leaf in leaves { append(leaf, to: &writer) }
        return writer.bytes
    }

    /// Writes one leaf of a bundle, for those who read leaves one by one.
    ///
    /// - Precondition: as for `encode`.
    public static func append(_ leaf: [UInt8], to writer: inout ByteWriter) {
        precondition(leaf.count <= Limits.leafBytes, "a leaf has at most Limits.leafBytes bytes")
        writer.write(UInt16(leaf.count))
        writer.write(leaf)
    }

    /// - Parameter width: how many leaves there must be, 1 to 256.
    public static func decode(_ bytes: [UInt8], width: Int) throws(DecodingFailure) -> [[UInt8]] {
        try ByteReader.decode(bytes) { (reader) throws(DecodingFailure) in
            guard (1...HashTile.fullWidth).contains(width) else {
                throw DecodingFailure("no bundle has this width", at: 0)
            }
            var leaves: [[UInt8]] = []
            for _ in 0..<width {
                let count = try reader.read(UInt16.self, "length of a leaf")
                leaves.append(try reader.readBytes(Int(count), "leaf"))
            }
            return leaves
        }
    }
}
