import Foundation
import Ledger
import Replication

@testable import ledgerd

/// Two PREPAREs of one node for one place, signed with the key in its directory.
struct ProvableLie {
    static let description = "two PREPAREs in view 3, block 7"

    private let node: NodeDirectory
    private let proof: Equivocation

    /// - Parameter path: of the node.
    init(of path: String) throws {
        let node = try NodeDirectory(path: path)
        let context = SigningContext(ledgerID: node.ledgerID, epoch: Epoch(0))
        func prepare(_ byte: UInt8) -> Signed<Prepare> {
            let body = Prepare(
                BlockMark(view: View(3), height: BlockHeight(7), headerHash: .sha256([byte])))
            return Signed(
                body, signer: node.id, signature: node.voteKey.sign(body.signedBytes(context)))
        }
        self.node = node
        proof = .prepares(prepare(1), prepare(2))
    }

    var contradiction: Contradiction {
        proof.contradiction(
            in: SigningContext(ledgerID: node.ledgerID, epoch: Epoch(0)), authority: node.electorate)
    }

    /// The node finds it in its own store when it starts, as if a peer had shown it.
    func keep() throws {
        try FileManager.default.createDirectory(
            atPath: node.dataPath, withIntermediateDirectories: true)
        let log = try LogStore(
            directory: node.dataPath, genesis: ChainTip(genesis: node.genesis, id: node.ledgerID).header,
            access: .writing(.full))
        _ = try log.keep(evidence: proof.encoded)
    }
}
