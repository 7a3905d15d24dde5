import Ledger
import Testing

/// A ledger of `nodes` with known keys, and the blocks and checkpoints it would make.
struct VotedLedger {
    static let origin = "example.com/kpi"
    let electorate: Electorate
    let members: [Member]
    let ledgerKey: NoteSigningKey
    let policy: Policy

    init(nodes: Int) throws {
        members = try (1...nodes).map { number in
            Member(
                name: "node\(number)", url: "https://127.0.0.1:\(7400 + number)",
                peerAddress: "127.0.0.1:\(7500 + number)",
                voteKey: try signingKey(UInt8(number)).verificationKey.bytes, sealingCertificate: [],
                tlsKeyDigest: [])
        }
        electorate = try Electorate(origin: Self.origin, members: members)
        ledgerKey = try noteKey(Self.origin, .note, 200)
        policy = try Policy(electorate: electorate, members: members, ledgerKey: ledgerKey.verifierKey.key)
    }

    func header(height: UInt64 = 5312, view: UInt64 = 7, size: UInt64, root: Digest) throws -> BlockHeader {
        BlockHeader(
            ledgerID: .sha256([1]), height: BlockHeight(height), view: View(view), epoch: Epoch(0),
            time: try #require(Timestamp(milliseconds: 1_790_000_000_999)), parent: .sha256([2]),
            treeSize: size,
            treeRoot: root, keyCommitments: .sha256([3]))
    }

    func vote(_ node: Int, for header: BlockHeader) throws -> CommitCertificate.Vote {
        let signature = try signingKey(UInt8(node)).sign(electorate.commitMessage(for: header))
        return CommitCertificate.Vote(member: ReplicaID(UInt16(node - 1)), signature: signature)
    }

    func certificate(_ nodes: [Int], for header: BlockHeader) throws -> CommitCertificate {
        let votes = try nodes.map { try vote($0, for: header) }
        return try #require(CommitCertificate(header: header, cosignatures: votes))
    }

    /// A checkpoint note with the votes of `nodes`.
    func note(_ nodes: [Int], for header: BlockHeader) throws -> CheckpointNote {
        try certificate(nodes, for: header).checkpointNote(of: electorate, ledgerKey: ledgerKey)
    }
}
