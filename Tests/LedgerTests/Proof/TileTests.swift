import Ledger
import Testing

@Suite struct `The path of a tile` {
    @Test func `is written and read in one form`() throws {
        let paths: [(String, TilePath?)] = [
            ("/tile/0/000", TilePath(.hashes(level: 0), index: 0)),
            ("/tile/0/x001/x234/067", TilePath(.hashes(level: 0), index: 1_234_067)),
            ("/tile/2/000.p/1", TilePath(.hashes(level: 2), index: 0, width: 1)),
            ("/tile/63/999.p/255", TilePath(.hashes(level: 63), index: 999, width: 255)),
            ("/tile/entries/x001/000", TilePath(.entries, index: 1000)),
            ("/tile/entries/273.p/112", TilePath(.entries, index: 273, width: 112)),
            (
                "/tile/7/x018/x446/x744/x073/x709/x551/615.p/9",
                TilePath(.hashes(level: 7), index: .max, width: 9)
            ),
        ]
        for (text, path) in paths {
            #expect(path?.text == text)
            #expect(try TilePath(parsing: text) == path)
        }
    }

    @Test(arguments: [
        "", "/", "/tile", "/tile/", "/tile/0", "/tile/0/", "tile/0/000", "/tiles/0/000", "/tile/0/000/",
        "/tile//000", "/tile/64/000", "/tile/00/000", "/tile/-1/000", "/tile/+1/000", "/tile/x/000",
        "/tile/1e1/000",
        "/tile/0/0", "/tile/0/00", "/tile/0/0000", "/tile/0/x000/001", "/tile/0/x000/000", "/tile/0/001/002",
        "/tile/0/x001", "/tile/0/x001/x002", "/tile/0/X001/002", "/tile/0/xx01/002", "/tile/0/x01/002",
        "/tile/0/00a", "/tile/0/-01", "/tile/0/000.p", "/tile/0/000.p/", "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/0/000.p/257", "/tile/0/000.p/01", "/tile/0/000.p/1/", "/tile/0/000.p/-1",
        "/tile/0/000.p/1.p/1",
        "/tile/0/000.P/1", "/tile/0/x001.p/000.p/1", "/tile/0/.p/1", "/tile/0/000/1", "/tile/entries",
        "/tile/Entries/000",
        "/tile/entries/000.p/0", "/tile/0/\u{0660}00", "/tile/0/000\n", " /tile/0/000", "/tile/0/000?x",
        "/tile/0/x018/x446/x744/x073/x709/x551/616", "/tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ])
    func `is refused in any other form`(_ text: String) {
        let error = #expect(throws: ProofError.self) { try TilePath(parsing: text) }
        #expect(error?.code == .malformedTilePath)
    }

    @Test func `never traps when damaged`() {
        for text in ["/tile/7/x018/x446/x744/x073/x709/x551/615.p/9", "/tile/entries/x001/x234/067.p/255"] {
            for bytes in damaged(Array(text.utf8), flips: 2000, seed: 2) {
                let string = String(decoding: bytes, as: UTF8.self)
                if let path = try? TilePath(parsing: string) { #expect(path.text == string) }
            }
        }
    }

    @Test func `has no level or width that tiles do not have`() {
        #expect(TilePath(.hashes(level: -1), index: 0) == nil)
        #expect(TilePath(.hashes(level: 64), index: 0) == nil)
        #expect(TilePath(.entries, index: 0, width: 0) == nil)
        #expect(TilePath(.entries, index: 0, width: 257) == nil)
        #expect(TilePath(.hashes(level: 63), index: .max)?.exists(treeSize: .max) == false)
    }
}

@Suite struct `The tiles of a tree` {
    /// Full tiles and the width of the partial one, by level.
    static let shapes: [(size: Int, levels: [(full: Int, partial: Int)])] = [
        (1, [(0, 1)]),
        (255, [(0, 255)]),
        (256, [(1, 0), (0, 1)]),
        (257, [(1, 1), (0, 1)]),
        (65_536, [(256, 0), (1, 0), (0, 1)]),
        (70_000, [(273, 112), (1, 17), (0, 1)]),
    ]
    static let source = hashArray(
        (0..<70_000).map { Digest.sha256([UInt8($0 >> 16), UInt8($0 >> 8 & 255), UInt8($0 & 255)]) })

    @Test(arguments: shapes.indices) func `have the counts and widths of C2SP`(_ shape: Int) throws {
        let (size, levels) = Self.shapes[shape]
        let treeSize = UInt64(size)
        for level in 0..<8 {
            let (full, partial) = level < levels.count ? levels[level] : (0, 0)
            let contents: [TilePath.Content] =
                level == 0 ? [.hashes(level: 0), .entries] : [.hashes(level: level)]
            for content in contents {
                if full > 0 {
                    let last = try #require(TilePath(content, index: UInt64(full - 1)))
                    #expect(last.exists(treeSize: treeSize))
                    let within = try #require(TilePath(content, index: UInt64(full - 1), width: 255))
                    #expect(within.exists(treeSize: treeSize), "a partial tile stays when the tile is full")
                }
                #expect(TilePath(content, index: UInt64(full))?.exists(treeSize: treeSize) == false)
                for width in 1...255 {
                    let path = try #require(TilePath(content, index: UInt64(full), width: width))
                    #expect(path.exists(treeSize: treeSize) == (width <= partial))
                }
                #expect(
                    TilePath(content, index: UInt64(full + 1), width: 1)?.exists(treeSize: treeSize) == false)
            }
        }
    }

    @Test(arguments: [255, 256, 257, 65_536, 70_000])
    func `hold the hashes that lead to the root`(_ size: Int) throws {
        let treeSize = UInt64(size)
        // As a client does it: each tile of a level above is the roots of full tiles below.
        var level = 0
        var below: [Digest] = []
        while HashTile.hashCount(level: level, treeSize: treeSize) > 0 {
            let count = Int(HashTile.hashCount(level: level, treeSize: treeSize))
            var hashes: [Digest] = []
            for tile in 0...(count - 1) / 256 {
                let width = min(256, count - tile * 256)
                let path = try #require(TilePath(.hashes(level: level), index: UInt64(tile), width: width))
                let bytes = try HashTile.bytes(of: path, treeSize: treeSize, from: Self.source)
                #expect(bytes.count == width * 32)
                hashes += try HashTile.decode(bytes, width: width)
            }
            if level > 0 {
                for (index, hash) in hashes.enumerated() {
                    var tile = MerkleFrontier()
                    for child in below[index * 256..<index * 256 + 256] { tile.append(child) }
                    #expect(tile.root == hash)
                }
            }
            below = hashes
            level += 1
        }
        var frontier = MerkleFrontier()
        for leaf in Self.source.levels[0][..<size] { frontier.append(leaf) }
        #expect(try Self.source.root(size: treeSize) == frontier.root)
    }

    @Test func `serve proofs across all levels`() throws {
        let size: UInt64 = 70_000
        let root = try Self.source.root(size: size)
        for index: UInt64 in [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_998, 69_999] {
            let proof = try InclusionProof.make(index: EntryIndex(index), size: size, from: Self.source)
            let leaf = try Self.source.hash(level: 0, index: index)
            #expect(proof.isValid(leafHash: leaf, index: EntryIndex(index), size: size, root: root))
        }
        for old: UInt64 in [1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, 70_000] {
            let proof = try ConsistencyProof.make(from: old, to: size, from: Self.source)
            let oldRoot = try Self.source.root(size: old)
            #expect(proof.isValid(oldSize: old, oldRoot: oldRoot, newSize: size, newRoot: root))
        }
    }

    @Test func `are not served beyond the tree`() throws {
        let paths = [
            TilePath(.hashes(level: 0), index: 1, width: 2), TilePath(.entries, index: 0),
            TilePath(.hashes(level: 1), index: 0, width: 2),
        ]
        for path in paths.compactMap(\.self) {
            let error = #expect(throws: ProofError.self) {
                try HashTile.bytes(of: path, treeSize: 257, from: Self.source)
            }
            #expect(error?.code == .outOfRange)
        }
    }

    @Test func `of another width than the path says are refused`() {
        let bytes = [UInt8](repeating: 7, count: 64)
        #expect((try? HashTile.decode(bytes, width: 2))?.count == 2)
        for width in [-1, 0, 1, 3, 256, 257, .max] {
            #expect(throws: DecodingFailure.self) { try HashTile.decode(bytes, width: width) }
        }
        #expect(throws: DecodingFailure.self) { try HashTile.decode(Array(bytes.dropLast()), width: 2) }
    }
}

@Suite struct `An entry bundle` {
    @Test(arguments: [1, 255, 256]) func `gives back its leaves`(_ count: Int) throws {
        let leaves = (0..<count).map { [UInt8](repeating: UInt8($0 & 255), count: $0 * 7) }
        let bytes = EntryBundle.encode(leaves)
        #expect(bytes.count == leaves.reduce(0) { $0 + 2 + $1.count })
        #expect(try EntryBundle.decode(bytes, width: count) == leaves)
    }

    @Test func `is u16 and bytes, repeated`() throws {
        #expect(EntryBundle.encode([[0xAA], [], [1, 2, 3]]) == [0, 1, 0xAA, 0, 0, 0, 3, 1, 2, 3])
        let longest = [UInt8](repeating: 1, count: 65_535)
        #expect(EntryBundle.encode([longest]).prefix(2) == [0xFF, 0xFF])
        #expect(try EntryBundle.decode(EntryBundle.encode([longest]), width: 1) == [longest])
    }

    @Test func `is refused when it is cut, too long, or of another width`() {
        let bytes = EntryBundle.encode([[1, 2], [], [3, 4, 5]])
        for length in 0..<bytes.count {
            #expect(throws: DecodingFailure.self) {
                try EntryBundle.decode(Array(bytes[..<length]), width: 3)
            }
        }
        for width in [-1, 0, 2, 4, 257] {
            #expect(throws: DecodingFailure.self) { try EntryBundle.decode(bytes, width: width) }
        }
        #expect(throws: DecodingFailure.self) { try EntryBundle.decode(bytes + [0], width: 3) }
        for damaged in damaged(bytes, flips: 500, seed: 3) {
            if let leaves = try? EntryBundle.decode(damaged, width: 3) {
                #expect(EntryBundle.encode(leaves) == damaged)
            }
        }
    }
}
