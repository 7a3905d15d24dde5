import Foundation
import Ledger
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `ledgerd evidence` {
    @Test func `shows what a node holds, and puts it on record once`() async throws {
        let directory = try await ServedLedger.copy()
        try ProvableLie(of: directory.path + "/node1").keep()
        let ledger = try ServedLedger(in: directory)

        let listed = try ledger.run("evidence").expecting(0)
        #expect(listed.output.contains("node1  \(ProvableLie.description)  -"), "\(listed.output)")
        #expect(listed.output.contains("ledgerd evidence record"))
        let status = try ledger.run("status").expecting(0)
        #expect(
            status.output.contains("proven lie of node1: \(ProvableLie.description) (not on record yet)"))

        let unknown = try ledger.run("evidence", "record", "--member", "node9").expecting(2)
        #expect(unknown.error.contains("Name one of: node1."))
        let recorded = try ledger.run("evidence", "record").expecting(0)
        #expect(recorded.output == "entry 0: on record that node1 signed \(ProvableLie.description)\n")
        let json = try ledger.run("evidence", "list", "--format", "json").expecting(0)
        #expect(json.output.contains("\"entry\":0"))
        #expect(try ledger.run("status").expecting(0).output.contains("(on record: entry 0)"))

        let again = try ledger.run("evidence", "record").expecting(1)
        #expect(again.error.contains("it is on record already: entry 0"))
        // Its readers find it in the log, whatever the node says.
        try ledger.run("verify", "--ledger", ledger.url).expecting(0)
    }

    @Test func `says that there is nothing to record`() async throws {
        let ledger = try await ServedLedger.shared.value
        #expect(
            try ledger.run("evidence").expecting(0).output == "no node holds proof that another lied\n")
        try ledger.run("evidence", "record").expecting(1)
        // Who is no operator is told so.
        let analyst = try ledger.run("evidence", "--identity", "clients/analyst").expecting(3)
        #expect(analyst.error.contains("operator"), "\(analyst.error)")
    }

    @Test func `chooses one proof against each node that has none on record`() throws {
        func proof(_ member: String, _ height: UInt64, entry: UInt64? = nil) -> GatheredProof {
            GatheredProof(
                member: member, place: .commit(View(1), BlockHeight(height)),
                contradiction: .init(.init(bytes: [1], signature: []), .init(bytes: [2], signature: [])),
                entry: entry, shownBy: [])
        }
        func chosen(_ proofs: [GatheredProof], all: Bool) -> [String] {
            RecordEvidence.choose(proofs, all: all).map { "\($0.member) \($0.place)" }
        }
        let proofs = [
            proof("node1", 1), proof("node1", 2), proof("node2", 3), proof("node2", 4, entry: 9),
            proof("node3", 5),
        ]
        func place(_ height: Int) -> String { "two COMMITs in view 1, block \(height)" }
        #expect(chosen(proofs, all: false) == ["node1 \(place(1))", "node3 \(place(5))"])
        #expect(
            chosen(proofs, all: true) == [
                "node1 \(place(1))", "node1 \(place(2))", "node2 \(place(3))", "node3 \(place(5))",
            ])
    }
}
