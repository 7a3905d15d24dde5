import Foundation
import Hummingbird
import Ledger
import Replication

/// Proofs that a node lied: what this node holds, and what is on record.
struct EvidenceRoutes: Sendable {
    let node: Node

    private struct Proof: Encodable {
        struct Statement: Encodable {
            /// Exactly what was signed, and the signature: both in base64.
            let bytes: Data
            let signature: Data
        }

        let member: String
        let what: String
        /// The governance record that holds it; `nil` while no operator has recorded it.
        let entry: UInt64?
        let statements: [Statement]
    }

    private struct Proofs: Encodable {
        let node: String
        let evidence: [Proof]
    }

    /// `GET /v1/evidence`: everything that an operator needs to record a proof, or to check it.
    @Sendable func list(_ request: Request, _ context: NodeContext) async throws -> Response {
        try context.require(.operator)
        let proofs = node.driver.status.evidence.map { proof in
            Proof(
                member: node.name(of: proof.member), what: "\(proof.place)", entry: proof.entry?.value,
                statements: [proof.contradiction.first, proof.contradiction.second].map {
                    .init(bytes: Data($0.bytes), signature: Data($0.signature))
                })
        }
        return try .json(Proofs(node: node.directory.configuration.node, evidence: proofs), .never)
    }
}
