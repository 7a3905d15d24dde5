/// The proof that a leaf is in the ledger, for whoever holds the leaf and a trust policy, without a network.
///
/// Shape (C2SP tlog-proof): the leaf itself is not in it.
///
///     c2sp.org/tlog-proof@v1
///     extra <base64>              only if there is extra data
///     index <decimal>
///     <base64 of 32 bytes>        the inclusion proof, from the leaf's sibling upwards
///
///     <the checkpoint, verbatim>
/// - Source: C2SP tlog-proof.
public struct Receipt: Hashable, Sendable {
    /// Whatever the sender added. Nothing vouches for it.
    public let extra: [UInt8]?
    public let index: EntryIndex
    public let proof: InclusionProof
    public let checkpoint: CheckpointNote

    public init(
        index: EntryIndex, proof: InclusionProof, checkpoint: CheckpointNote, extra: [UInt8]? = nil
    ) {
        self.extra = extra
        self.index = index
        self.proof = proof
        self.checkpoint = checkpoint
    }

    /// Accepts the receipt as proof that `leaf` is entry `index`.
    ///
    /// - Throws: `wrongRoot` if the leaf is not there, and what `Policy.verify(note:)` throws.
    public func verify(leaf: [UInt8], policy: Policy) throws(ProofError) -> VerifiedCheckpoint {
        try verify(leafHash: MerkleTree.leafHash(leaf), policy: policy)
    }

    public func verify(leafHash: Digest, policy: Policy) throws(ProofError) -> VerifiedCheckpoint {
        let verified = try policy.verify(checkpoint)
        let (size, root) = (verified.checkpoint.size, verified.checkpoint.root)
        guard proof.isValid(leafHash: leafHash, index: index, size: size, root: root) else {
            throw ProofError(.wrongRoot, "this is not entry \(index) of the tree of \(size)")
        }
        return verified
    }
}

extension Receipt {
    private static let firstLine = "c2sp.org/tlog-proof@v1"

    /// The receipt as a file, `.tlog-proof`, `text/plain`.
    public var bytes: [UInt8] {
        var lines = [Self.firstLine]
        if let extra { lines.append("extra \(Base64.encode(extra))") }
        lines.append("index \(index)")
        lines += proof.hashes.map { Base64.encode($0.bytes) }
        lines.append("")
        return lines.flatMap { Array($0.utf8) + [lineFeed] } + checkpoint.bytes
    }

    /// Reads a receipt; only what `bytes` would write is accepted.
    public init(parsing bytes: [UInt8]) throws(ProofError) {
        guard bytes.count <= Limits.receiptBytes else {
            throw ProofError(.malformedReceipt, "a receipt is over the limit of \(Limits.receiptBytes) bytes")
        }
        guard
            let blank = bytes.indices.dropFirst().first(where: {
                bytes[$0] == lineFeed && bytes[$0 - 1] == lineFeed
            })
        else { throw ProofError(.malformedReceipt, "a receipt has no blank line above its checkpoint") }
        guard let head = String(validating: bytes[..<(blank - 1)], as: UTF8.self) else {
            throw ProofError(.malformedReceipt, "a receipt is not UTF-8")
        }
        var lines = head.utf8.split(separator: lineFeed, omittingEmptySubsequences: false).map {
            Substring($0)
        }[...]
        guard lines.popFirst()?.utf8.elementsEqual(Self.firstLine.utf8) == true else {
            throw ProofError(.malformedReceipt, "the first line is not \(Self.firstLine)")
        }
        var extra: [UInt8]?
        if let text = lines.first.flatMap({ argument(of: $0, "extra ") }) {
            lines.removeFirst()
            extra = Base64.decode(text)
            guard extra != nil else { throw ProofError(.malformedReceipt, "the extra data is not base64") }
        }
        guard let text = lines.popFirst().flatMap({ argument(of: $0, "index ") }),
            let index = decimal(text, max: Limits.treeLeaves)
        else { throw ProofError(.malformedReceipt, "there is no line with the index of the entry") }
        guard lines.count <= Limits.proofHashes else {
            throw ProofError(.malformedReceipt, "a proof has more than \(Limits.proofHashes) hashes")
        }
        var hashes: [Digest] = []
        for line in lines {
            guard let hash = digest(base64: line) else {
                throw ProofError(.malformedReceipt, "a line of the proof is not base64 of 32 bytes")
            }
            hashes.append(hash)
        }
        self.init(
            index: EntryIndex(index), proof: InclusionProof(hashes: hashes),
            checkpoint: try CheckpointNote(parsing: Array(bytes[(blank + 1)...])), extra: extra)
    }
}

/// What stands behind `keyword`, compared byte by byte.
private func argument(of line: Substring, _ keyword: String) -> Substring? {
    guard line.utf8.starts(with: keyword.utf8) else { return nil }
    return Substring(line.utf8.dropFirst(keyword.utf8.count))
}
