import Ledger
import Testing

@Suite struct `A forged proof` {
    static let count = 70
    static let hashes = leafHashes(count)
    static let source = hashArray(hashes)

    @Test func `of inclusion fails when any part is changed`() throws {
        let reference = ReferenceTree(Self.hashes)
        for size in 1...Self.count {
            let root = reference.root(0..<size)
            for index in 0..<size {
                let proof = try InclusionProof.make(
                    index: EntryIndex(UInt64(index)), size: UInt64(size), from: Self.source)
                func isValid(
                    _ hashes: [Digest], leaf: Digest? = nil, index other: Int? = nil,
                    root otherRoot: Digest? = nil
                ) -> Bool {
                    InclusionProof(hashes: hashes).isValid(
                        leafHash: leaf ?? Self.hashes[index], index: EntryIndex(UInt64(other ?? index)),
                        size: UInt64(size), root: otherRoot ?? root)
                }
                var isRefused = !isValid(proof.hashes, leaf: Self.hashes[index].flipped)
                isRefused = isRefused && !isValid(proof.hashes, root: root.flipped)
                isRefused = isRefused && !isValid(proof.hashes + [.zero])
                isRefused = isRefused && !isValid(proof.hashes, index: size)
                if size > 1 {
                    isRefused = isRefused && !isValid(proof.hashes, index: (index + 1) % size)
                    isRefused = isRefused && !isValid(proof.hashes.dropLast())
                    isRefused = isRefused && !isValid(Array(proof.hashes.dropFirst()))
                }
                for position in proof.hashes.indices {
                    var hashes = proof.hashes
                    hashes[position] = hashes[position].flipped
                    isRefused = isRefused && !isValid(hashes)
                }
                if !isRefused { Issue.record("a forged inclusion of \(index) in \(size)") }
            }
        }
    }

    @Test func `of consistency fails when any part is changed`() throws {
        let reference = ReferenceTree(Self.hashes)
        for new in 2...Self.count {
            for old in 1..<new {
                let (oldRoot, newRoot) = (reference.root(0..<old), reference.root(0..<new))
                let proof = try ConsistencyProof.make(from: UInt64(old), to: UInt64(new), from: Self.source)
                func isValid(
                    _ hashes: [Digest], _ oldRoot: Digest = oldRoot, _ newRoot: Digest = newRoot
                ) -> Bool {
                    ConsistencyProof(hashes: hashes).isValid(
                        oldSize: UInt64(old), oldRoot: oldRoot, newSize: UInt64(new), newRoot: newRoot)
                }
                var isRefused = !isValid(proof.hashes, oldRoot.flipped)
                isRefused = isRefused && !isValid(proof.hashes, oldRoot, newRoot.flipped)
                isRefused = isRefused && !isValid(proof.hashes + [.zero])
                isRefused = isRefused && !isValid(proof.hashes.dropLast())
                isRefused = isRefused && !isValid(Array(proof.hashes.dropFirst()))
                for position in proof.hashes.indices {
                    var hashes = proof.hashes
                    hashes[position] = hashes[position].flipped
                    isRefused = isRefused && !isValid(hashes)
                }
                if !isRefused { Issue.record("a forged consistency of \(old) and \(new)") }
            }
        }
    }

    @Test func `never traps, whatever the numbers`() {
        let sizes: [UInt64] = [0, 1, 2, 3, 1 << 32, 1 << 63, .max - 1, .max]
        let proofs = [0, 1, 2, 63, 64, 65, 200].map { [Digest](repeating: .zero, count: $0) }
        for hashes in proofs {
            for size in sizes {
                for other in sizes {
                    let inclusion = InclusionProof(hashes: hashes)
                    #expect(
                        !inclusion.isValid(
                            leafHash: .zero, index: EntryIndex(other), size: size, root: .zero.flipped))
                    let consistency = ConsistencyProof(hashes: hashes)
                    #expect(
                        !consistency.isValid(
                            oldSize: other, oldRoot: .zero, newSize: size, newRoot: Digest.zero.flipped))
                }
            }
        }
    }

    @Test func `of the edge cases is told from a good one`() {
        let (root, other) = (Self.hashes[0], Self.hashes[1])
        let none = ConsistencyProof(hashes: [])
        let one = ConsistencyProof(hashes: [other])
        #expect(none.isValid(oldSize: 5, oldRoot: root, newSize: 5, newRoot: root))
        #expect(!none.isValid(oldSize: 5, oldRoot: root, newSize: 5, newRoot: other))
        #expect(!one.isValid(oldSize: 5, oldRoot: root, newSize: 5, newRoot: root))
        #expect(none.isValid(oldSize: 0, oldRoot: MerkleTree.emptyRoot, newSize: 5, newRoot: root))
        #expect(!none.isValid(oldSize: 0, oldRoot: other, newSize: 5, newRoot: root))
        #expect(!one.isValid(oldSize: 0, oldRoot: MerkleTree.emptyRoot, newSize: 5, newRoot: root))
        #expect(!none.isValid(oldSize: 0, oldRoot: MerkleTree.emptyRoot, newSize: 0, newRoot: root))
        #expect(!none.isValid(oldSize: 6, oldRoot: root, newSize: 5, newRoot: root))
        #expect(!none.isValid(oldSize: 4, oldRoot: root, newSize: 5, newRoot: root))
        #expect(InclusionProof(hashes: []).isValid(leafHash: root, index: EntryIndex(0), size: 1, root: root))
        #expect(
            !InclusionProof(hashes: []).isValid(leafHash: root, index: EntryIndex(0), size: 0, root: root))
        #expect(
            !InclusionProof(hashes: []).isValid(leafHash: root, index: EntryIndex(1), size: 2, root: root))
    }

    @Test func `is not made for what the tree does not have`() {
        func refused(_ body: () throws -> some Any) {
            let error = #expect(throws: ProofError.self) { _ = try body() }
            #expect(error?.code == .outOfRange)
        }
        refused { try InclusionProof.make(index: EntryIndex(70), size: 70, from: Self.source) }
        refused { try InclusionProof.make(index: EntryIndex(0), size: 0, from: Self.source) }
        refused { try InclusionProof.make(index: EntryIndex(0), size: 71, from: Self.source) }
        refused { try InclusionProof.make(index: EntryIndex(.max - 1), size: .max, from: Self.source) }
        refused { try ConsistencyProof.make(from: 2, to: 1, from: Self.source) }
        refused { try ConsistencyProof.make(from: 1, to: .max, from: Self.source) }
        refused { try Self.source.root(size: 71) }
        var subtrees = SubtreeHashes(size: 10)
        refused { try subtrees.root(size: 11, from: Self.source) }
    }
}
