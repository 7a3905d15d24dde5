import Ledger
import Testing

@Suite struct `A receipt` {
    static let size = 300
    static let source = hashArray(leafHashes(size))

    static func make(
        _ index: Int, extra: [UInt8]? = nil, nodes: [Int] = [1, 3, 4]
    ) throws -> (Receipt, VotedLedger) {
        let ledger = try VotedLedger(nodes: 4)
        let header = try ledger.header(size: UInt64(size), root: source.root(size: UInt64(size)))
        let index = EntryIndex(UInt64(index))
        let receipt = Receipt(
            index: index, proof: try InclusionProof.make(index: index, size: UInt64(size), from: source),
            checkpoint: try ledger.note(nodes, for: header), extra: extra)
        return (receipt, ledger)
    }

    @Test(arguments: [0, 1, 255, 256, 298, 299]) func `convinces whoever has the leaf and the policy`(
        _ index: Int
    ) throws {
        let (receipt, ledger) = try Self.make(index)
        let read = try Receipt(parsing: receipt.bytes)
        #expect(read == receipt)
        let verified = try read.verify(leaf: leaf(index), policy: ledger.policy)
        #expect(verified.checkpoint.size == 300)
        #expect(verified.witnesses == ["node1", "node3", "node4"])
    }

    @Test func `has the lines of C2SP`() throws {
        let (receipt, _) = try Self.make(7, extra: [0xFB, 0xFF])
        let lines = String(decoding: receipt.bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "c2sp.org/tlog-proof@v1")
        #expect(lines[1] == "extra +/8=")
        #expect(lines[2] == "index 7")
        let count = receipt.proof.hashes.count
        #expect(lines[3..<3 + count].map(String.init) == receipt.proof.hashes.map { Base64.encode($0.bytes) })
        #expect(lines[3 + count] == "")
        #expect(lines[4 + count] == "example.com/kpi")
        #expect(lines.last == "")
    }

    @Test func `goes round with and without extra data, and for a tree of one leaf`() throws {
        for extra in [nil, [], [1], [UInt8](repeating: 9, count: 5000)] as [[UInt8]?] {
            let (receipt, ledger) = try Self.make(4, extra: extra)
            let read = try Receipt(parsing: receipt.bytes)
            #expect(read.extra == extra)
            #expect(read == receipt)
            _ = try read.verify(leaf: leaf(4), policy: ledger.policy)
        }
        let ledger = try VotedLedger(nodes: 1)
        let header = try ledger.header(size: 1, root: MerkleTree.leafHash(leaf(0)))
        let receipt = Receipt(
            index: EntryIndex(0), proof: InclusionProof(hashes: []),
            checkpoint: try ledger.note([1], for: header))
        #expect(
            String(decoding: receipt.bytes, as: UTF8.self).hasPrefix(
                "c2sp.org/tlog-proof@v1\nindex 0\n\nexample"))
        _ = try Receipt(parsing: receipt.bytes).verify(leaf: leaf(0), policy: ledger.policy)
    }

    @Test func `is refused for another leaf, index, path, quorum, log or policy`() throws {
        let (receipt, ledger) = try Self.make(7)
        func code(
            _ receipt: Receipt, leaf bytes: [UInt8] = leaf(7), _ policy: Policy? = nil
        ) -> ProofError.Code? {
            do {
                _ = try receipt.verify(leaf: bytes, policy: policy ?? ledger.policy)
                return nil
            } catch { return error.code }
        }
        #expect(code(receipt) == nil)
        #expect(code(receipt, leaf: leaf(8)) == .wrongRoot)
        #expect(code(receipt, leaf: []) == .wrongRoot)
        for index: UInt64 in [0, 6, 8, 299, 300, .max] {
            let other = Receipt(
                index: EntryIndex(index), proof: receipt.proof, checkpoint: receipt.checkpoint)
            #expect(code(other) == .wrongRoot)
        }
        for position in receipt.proof.hashes.indices {
            var hashes = receipt.proof.hashes
            hashes[position] = hashes[position].flipped
            let other = Receipt(
                index: receipt.index, proof: InclusionProof(hashes: hashes), checkpoint: receipt.checkpoint)
            #expect(code(other) == .wrongRoot)
        }
        #expect(code(try Self.make(7, nodes: [1, 3]).0) == .quorumMissed)
        let stranger = try noteKey(VotedLedger.origin, .note, 201)
        let text = receipt.checkpoint.note.text
        let votes = Array(receipt.checkpoint.note.signatures.dropFirst())
        let unsigned = try CheckpointNote(SignedNote(text: text, signatures: [stranger.sign(text)] + votes))
        #expect(
            code(Receipt(index: receipt.index, proof: receipt.proof, checkpoint: unsigned)) == .unknownLog)
        let otherPolicy = try Policy(
            origin: ledger.electorate.origin, ledgerKey: stranger.verifierKey.key,
            witnesses: zip(ledger.members, ledger.electorate.keys).map { ($0.name, $1) }, quorum: 3)
        #expect(code(receipt, otherPolicy) == .unknownLog)
    }

    @Test func `convinces nobody when any byte is changed or missing`() throws {
        let (receipt, ledger) = try Self.make(7)
        let bytes = receipt.bytes
        func isAccepted(_ bytes: [UInt8]) -> Bool {
            guard let receipt = try? Receipt(parsing: bytes) else { return false }
            return (try? receipt.verify(leaf: leaf(7), policy: ledger.policy)) != nil
        }
        #expect(isAccepted(bytes))
        let text = String(decoding: bytes, as: UTF8.self)
        // Whoever takes the line of a vote away, or changes its name or id, leaves two votes: no quorum.
        for position in bytes.indices {
            var copy = bytes
            copy[position] ^= 1 << UInt8(position % 7)
            if isAccepted(copy) { Issue.record("byte \(position) of \(text) may be changed") }
        }
        for damaged in damaged(bytes, flips: 500, seed: 8) where isAccepted(damaged) {
            Issue.record("a damaged receipt is accepted")
        }
    }

    @Test func `is refused in any other form`() throws {
        let (receipt, _) = try Self.make(7, extra: [1, 2, 3])
        let text = String(decoding: receipt.bytes, as: UTF8.self)
        let hash = Base64.encode(receipt.proof.hashes[0].bytes)
        for (part, other) in [
            ("tlog-proof@v1", "tlog-proof@v2"), ("c2sp.org/tlog-proof@v1\n", ""),
            ("extra AQID\n", "extra AQI\n"),
            ("extra AQID\n", "extra AQID\nextra AQID\n"), ("extra AQID\nindex 7\n", "index 7\nextra AQID\n"),
            ("extra AQID\n", "extra AQID \n"), ("extra AQID\n", "Extra AQID\n"), ("extra AQID\n", "\n"),
            ("index 7", "index 07"), ("index 7", "index -7"), ("index 7", "index  7"),
            ("index 7", "index 7 "),
            ("index 7", "index"), ("index 7\n", ""), ("index 7", "index 99999999999999999999"),
            (hash, "\(hash) "),
            (hash, String(hash.dropLast(4))), (hash, ""), ("\n\nexample", "\nexample"),
            ("\n\nexample", "\n\n\nexample"),
            ("index 7\n", "index 7\n\(String(repeating: hash + "\n", count: 65))"),
            ("index 7\n", "index 7\r\n"),
        ] {
            let range = try #require(text.utf8.firstRange(of: Array(part.utf8)))
            let damaged =
                Array(text.utf8[..<range.lowerBound]) + Array(other.utf8)
                + Array(text.utf8[range.upperBound...])
            #expect(throws: ProofError.self) { try Receipt(parsing: damaged) }
        }
        #expect(throws: ProofError.self) {
            try Receipt(parsing: [UInt8](repeating: 0x0A, count: Limits.receiptBytes + 1))
        }
        for text in ["", "\n", "\n\n", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\n\n"] {
            #expect(throws: ProofError.self) { try Receipt(parsing: Array(text.utf8)) }
        }
    }
}
