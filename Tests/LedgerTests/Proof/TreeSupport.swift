import Ledger
import TestSupport

/// The tile hashes of a tree in memory: the other conformer beside the store.
struct HashArray: HashSource {
    private(set) var levels: [[Digest]] = []
    private(set) var frontier = MerkleFrontier()

    mutating func append(_ leafHash: Digest) {
        for hash in frontier.append(leafHash) {
            if hash.level == levels.count { levels.append([]) }
            precondition(UInt64(levels[hash.level].count) == hash.index, "hashes come in order")
            levels[hash.level].append(hash.digest)
        }
    }

    func hashes(level: Int, range: Range<UInt64>) throws -> [Digest] {
        guard level < levels.count, range.upperBound <= levels[level].count, range.count <= 256 else {
            throw ProofError(.outOfRange, "no hashes \(range) at level \(level)")
        }
        return Array(levels[level][Int(range.lowerBound)..<Int(range.upperBound)])
    }
}

/// The definitions of RFC 6962 §2.1, letter by letter, over all leaves; roots are remembered.
final class ReferenceTree {
    let leafHashes: [Digest]
    /// By first leaf and end, in one number: hashing a range is slow in debug builds.
    private var roots: [Int: Digest] = [:]

    init(_ leafHashes: [Digest]) { self.leafHashes = leafHashes }

    /// The largest power of two smaller than `count`.
    private func k(_ count: Int) -> Int {
        var power = 1
        while power * 2 < count { power *= 2 }
        return power
    }

    /// MTH(D[range]).
    func root(_ range: Range<Int>) -> Digest {
        if range.count == 0 { return .sha256([]) }
        if range.count == 1 { return leafHashes[range.lowerBound] }
        let key = range.lowerBound << 32 | range.upperBound
        if let known = roots[key] { return known }
        let middle = range.lowerBound + k(range.count)
        let left = root(range.lowerBound..<middle)
        let right = root(middle..<range.upperBound)
        let root = Digest.sha256([0x01] + left.bytes + right.bytes)
        roots[key] = root
        return root
    }

    /// PATH(m, D[range]).
    func path(_ m: Int, _ range: Range<Int>) -> [Digest] {
        if range.count == 1 { return [] }
        let k = k(range.count)
        let middle = range.lowerBound + k
        return m < k
            ? path(m, range.lowerBound..<middle) + [root(middle..<range.upperBound)]
            : path(m - k, middle..<range.upperBound) + [root(range.lowerBound..<middle)]
    }

    /// PROOF(m, D[0:n]).
    func proof(_ m: Int, _ n: Int) -> [Digest] { subproof(m, 0..<n, true) }

    private func subproof(_ m: Int, _ range: Range<Int>, _ isWhole: Bool) -> [Digest] {
        if m == range.count { return isWhole ? [] : [root(range)] }
        let k = k(range.count)
        let middle = range.lowerBound + k
        return m <= k
            ? subproof(m, range.lowerBound..<middle, isWhole) + [root(middle..<range.upperBound)]
            : subproof(m - k, middle..<range.upperBound, false) + [root(range.lowerBound..<middle)]
    }
}

/// A leaf that says its own number.
func leaf(_ index: Int) -> [UInt8] { Array("leaf \(index)".utf8) }

func leafHashes(_ count: Int) -> [Digest] { (0..<count).map { MerkleTree.leafHash(leaf($0)) } }

func hashArray(_ leafHashes: [Digest]) -> HashArray {
    var array = HashArray()
    for hash in leafHashes { array.append(hash) }
    return array
}

extension Digest {
    /// Another value, one bit away.
    var flipped: Digest {
        var bytes = bytes
        bytes[13] ^= 0x10
        return Digest(bytes) ?? .zero
    }
}

func digest(_ hexadecimal: String) -> Digest {
    let digits = Array(hexadecimal)
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
    return Digest(bytes) ?? .zero
}

/// Every prefix of `bytes`, and `flips` copies with one to three bytes changed.
func damaged(_ bytes: [UInt8], flips: Int, seed: UInt64) -> [[UInt8]] {
    var generator = SeededGenerator(seed: seed)
    var damaged = (0..<bytes.count).map { Array(bytes[..<$0]) }
    for _ in 0..<flips {
        var copy = bytes
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let position = Int.random(in: 0..<copy.count, using: &generator)
            copy[position] ^= UInt8.random(in: 1...255, using: &generator)
        }
        if copy != bytes { damaged.append(copy) }
    }
    return damaged
}
