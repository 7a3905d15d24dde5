import Foundation
import Ledger
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `Evidence over HTTPS` {
    private struct Shown: Decodable {
        struct Proof: Decodable {
            struct Statement: Decodable {
                let bytes: Data
                let signature: Data
            }
            let member: String
            let what: String
            let entry: UInt64?
            let statements: [Statement]
        }
        let node: String
        let evidence: [Proof]
    }

    private struct Ready: Decodable {
        struct Evidence: Decodable, Equatable {
            let node: String
            let what: String
            let entry: UInt64?
        }
        let evidence: [Evidence]
    }

    @Test func `shows a proof that the node holds, and the entry once it is on record`() async throws {
        try await ServedNode.run(preparing: { try ProvableLie(of: $0).keep() }) { served in
            let token = try await served.ledger.token([.operator])
            func shown() async throws -> [Shown.Proof] {
                let shown: Shown = try await served.caller.get("/v1/evidence", token: token).json()
                #expect(shown.node == "node1")
                return shown.evidence
            }
            let held = try await shown()
            #expect(held.map(\.member) == ["node1"])
            #expect(held.map(\.what) == [ProvableLie.description])
            #expect(held.map(\.entry) == [nil])
            var ready: Ready = try await served.caller.get("/readyz").json()
            #expect(ready.evidence == [.init(node: "node1", what: ProvableLie.description, entry: nil)])
            var metrics = try await served.caller.get("/metrics", token: token).text
            #expect(metrics.contains("\nkpi_ledger_evidence{node=\"node1\"} 1\n"))
            #expect(metrics.contains("\nkpi_ledger_evidence_recorded{node=\"node1\"} 0\n"))

            // What is shown is all that a record needs.
            let statements = try #require(held.first).statements.map {
                Contradiction.Statement(bytes: [UInt8]($0.bytes), signature: [UInt8]($0.signature))
            }
            try #require(statements.count == 2)
            try await served.append(try served.ledger.document(id: "a"))
            let index = try await served.govern(
                try served.ledger.governance(
                    .evidence(member: "node1", Contradiction(statements[0], statements[1])), sequence: 1))
            #expect(try await shown().map(\.entry) == [index])
            ready = try await served.caller.get("/readyz").json()
            #expect(ready.evidence == [.init(node: "node1", what: ProvableLie.description, entry: index)])
            metrics = try await served.caller.get("/metrics", token: token).text
            #expect(metrics.contains("\nkpi_ledger_evidence_recorded{node=\"node1\"} 1\n"))
        }
    }

    @Test func `refuses a record that proves nothing`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let proof = try ProvableLie(of: served.directory.path + "/ledger/node1").contradiction
            var signature = proof.second.signature
            signature[3] ^= 1
            for (member, contradiction) in [
                ("node2", proof), ("node1", Contradiction(proof.first, proof.first)),
                ("node1", Contradiction(proof.first, .init(bytes: proof.second.bytes, signature: signature))),
            ] {
                let answer = try await served.caller.govern(
                    ledger.governance(.evidence(member: member, contradiction), sequence: 1))
                #expect(answer.problem == "invalid", "\(answer.text)")
            }
            let shown: Shown = try await served.caller.get(
                "/v1/evidence", token: ledger.token([.operator])
            ).json()
            #expect(shown.evidence.isEmpty)
        }
    }
}
