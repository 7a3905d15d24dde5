import Ledger
import TestSupport
import Testing

@Suite struct `Every proof up to 1000 leaves` {
    static let count = 1000
    static let hashes = leafHashes(count)
    static let source = hashArray(hashes)

    @Test func `of inclusion is the one of RFC 6962 and verifies`() throws {
        let reference = ReferenceTree(Self.hashes)
        var subtrees = SubtreeHashes(size: UInt64(Self.count))
        for size in 1...Self.count {
            let root = reference.root(0..<size)
            for index in 0..<size {
                let proof = try InclusionProof.make(
                    index: EntryIndex(UInt64(index)), size: UInt64(size), from: Self.source,
                    sharing: &subtrees)
                let isExpected = proof.hashes == reference.path(index, 0..<size)
                let isValid = proof.isValid(
                    leafHash: Self.hashes[index], index: EntryIndex(UInt64(index)), size: UInt64(size),
                    root: root)
                // `#expect` is slow: half a million of them would be most of the time.
                if !isExpected || !isValid { Issue.record("inclusion of \(index) in \(size)") }
            }
        }
    }

    @Test func `is the same from subtrees that grew with the tree`() throws {
        let reference = ReferenceTree(Self.hashes)
        var random = SeededGenerator(seed: 7)
        var subtrees = SubtreeHashes(size: 0)
        var size = 0
        while size < Self.count {
            size = min(Self.count, size + Int.random(in: 1...40, using: &random))
            subtrees.grow(to: UInt64(size))
            // The newest, as receipts are asked for, and any other.
            for index in [size - 1, Int.random(in: 0..<size, using: &random)] {
                let proof = try InclusionProof.make(
                    index: EntryIndex(UInt64(index)), size: UInt64(size), from: Self.source,
                    sharing: &subtrees)
                #expect(proof.hashes == reference.path(index, 0..<size), "inclusion of \(index) in \(size)")
            }
        }
    }

    @Test func `of consistency is the one of RFC 6962 and verifies`() throws {
        let reference = ReferenceTree(Self.hashes)
        var subtrees = SubtreeHashes(size: UInt64(Self.count))
        let roots = (0...Self.count).map { reference.root(0..<$0) }
        for new in 1...Self.count {
            for old in 1...new {
                let proof = try ConsistencyProof.make(
                    from: UInt64(old), to: UInt64(new), from: Self.source, sharing: &subtrees)
                let isExpected = proof.hashes == reference.proof(old, new)
                let isValid = proof.isValid(
                    oldSize: UInt64(old), oldRoot: roots[old], newSize: UInt64(new), newRoot: roots[new])
                if !isExpected || !isValid { Issue.record("consistency of \(old) and \(new)") }
            }
        }
    }
}
