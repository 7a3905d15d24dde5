import Ledger
import Testing

/// The leaves, roots and proofs of Certificate Transparency's reference tests
/// (github.com/google/certificate-transparency, merkletree/merkle_tree_test.cc).
@Suite struct `A Merkle tree` {
    static let leaves: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43], Array(0x50...0x57),
        Array(0x60...0x6F),
    ]
    static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ].map { digest($0) }
    static let source = hashArray(leaves.map { MerkleTree.leafHash($0) })

    @Test func `has the published roots`() throws {
        var frontier = MerkleFrontier()
        #expect(frontier.root == Self.roots[0])
        for (index, leaf) in Self.leaves.enumerated() {
            #expect(MerkleTree.leafHash(leaf) == MerkleTree.leafHash(leaf.span.bytes))
            frontier.append(MerkleTree.leafHash(leaf))
            #expect(frontier.size == UInt64(index + 1))
            #expect(frontier.root == Self.roots[index + 1])
            #expect(try Self.source.root(size: frontier.size) == frontier.root)
        }
    }

    @Test func `gives the published inclusion proofs`() throws {
        let vectors: [(index: UInt64, size: UInt64, hashes: [String])] = [
            (0, 1, []),
            (
                0, 8,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ]
            ),
            (
                5, 8,
                [
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ]
            ),
            (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
            (
                1, 5,
                [
                    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ]
            ),
        ]
        for vector in vectors {
            let proof = try InclusionProof.make(
                index: EntryIndex(vector.index), size: vector.size, from: Self.source)
            #expect(proof.hashes == vector.hashes.map { digest($0) })
        }
    }

    @Test func `gives the published consistency proofs`() throws {
        let vectors: [(old: UInt64, new: UInt64, hashes: [String])] = [
            (1, 1, []),
            (
                1, 8,
                [
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ]
            ),
            (
                6, 8,
                [
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ]
            ),
            (
                2, 5,
                [
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ]
            ),
        ]
        for vector in vectors {
            let proof = try ConsistencyProof.make(from: vector.old, to: vector.new, from: Self.source)
            #expect(proof.hashes == vector.hashes.map { digest($0) })
        }
    }
}

@Suite struct `The right edge of a tree` {
    @Test func `has the root of the definition after every leaf`() throws {
        let hashes = leafHashes(600)
        let reference = ReferenceTree(hashes)
        var frontier = MerkleFrontier()
        #expect(frontier.root == MerkleTree.emptyRoot)
        for (index, hash) in hashes.enumerated() {
            frontier.append(hash)
            #expect(frontier.root == reference.root(0..<index + 1))
        }
    }

    @Test func `survives its encoding at every size`() throws {
        var frontier = MerkleFrontier()
        for hash in leafHashes(300) {
            #expect(frontier.encoded.count == 8 + 32 * frontier.size.nonzeroBitCount)
            #expect(try MerkleFrontier(decoding: frontier.encoded) == frontier)
            frontier.append(hash)
        }
    }

    @Test func `names every tile hash when it is settled and at no other time`() throws {
        let count = 66_000
        var frontier = MerkleFrontier()
        var completed: [TileHash] = []
        var leaves: [Digest] = []
        for number in 0..<count {
            // The hashing of leaves is tested elsewhere; here any digests do.
            let hash = MerkleTree.nodeHash(
                .zero, Digest.sha256([UInt8(number & 255), UInt8(number >> 8 & 255)]))
            leaves.append(hash)
            completed.removeAll()
            frontier.append(hash, into: &completed)
            let size = number + 1
            let levels = size % 65_536 == 0 ? 3 : size % 256 == 0 ? 2 : 1
            let isLeaf = completed.first == TileHash(level: 0, index: UInt64(number), digest: hash)
            if !isLeaf || completed.map(\.level) != Array(0..<levels) { Issue.record("leaf \(number)") }
            if levels > 1 {
                var tile = MerkleFrontier()
                for leaf in leaves.suffix(256) { tile.append(leaf) }
                #expect(completed[1] == TileHash(level: 1, index: UInt64(size / 256 - 1), digest: tile.root))
            }
            if levels > 2 { #expect(completed[2] == TileHash(level: 2, index: 0, digest: frontier.root)) }
        }
    }

    @Test func `refuses damaged bytes without a trap`() throws {
        var frontier = MerkleFrontier()
        for hash in leafHashes(237) { frontier.append(hash) }
        let bytes = frontier.encoded
        for length in 0..<bytes.count {
            #expect(throws: DecodingFailure.self) { try MerkleFrontier(decoding: Array(bytes[..<length])) }
        }
        for damaged in damaged(bytes, flips: 300, seed: 1) {
            if let other = try? MerkleFrontier(decoding: damaged) {
                #expect(other.encoded == damaged && other != frontier)
            }
        }
        let hugeSize = [UInt8](repeating: 0xFF, count: 8 + 64 * 32)
        #expect(throws: DecodingFailure.self) { try MerkleFrontier(decoding: hugeSize) }
    }
}
