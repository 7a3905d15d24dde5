import Ledger
import NIOHTTP1
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `Governance over HTTPS` {
    @Test func `lets an enrolled key append, and a revoked one no more`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let newcomer = MadeLedger.Signer(try Identities.shared().newcomers[0])
            #expect(try await served.caller.append(ledger.document(id: "a", by: newcomer)).status == 401)
            try await served.govern(try ledger.enrol(newcomer, sequence: 1))
            #expect(try await served.caller.append(ledger.document(id: "a", by: newcomer)).status == 201)
            try await served.govern(try ledger.revoke(newcomer, sequence: 2))
            let answer = try await served.caller.append(ledger.document(id: "b", by: newcomer))
            #expect(answer.status == 403)
            #expect(answer.problem == "forbidden")
            // A key serves one identity, once.
            let again = try await served.caller.govern(ledger.enrol(newcomer, sequence: 3))
            #expect(again.status == 409)
        }
    }

    @Test func `erases a payload and leaves its proof`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let analyst = try await ledger.token([.analyst, .auditor])
            let submission = try ledger.document(id: "a", "40")
            try await served.append(submission)
            try await served.append(try ledger.document(id: "b", "2"))
            await served.settleQueries()
            let sum = "sum(sum_over_time(cicd_pipeline_run_duration_seconds[1h]))"
            #expect(try await served.value(sum, token: analyst) == "42")

            try await served.govern(try ledger.erase(0, sequence: 1))
            for form in ["payload", "document"] {
                let answer = try await served.caller.get("/v1/entries/0/\(form)", token: analyst)
                #expect(answer.status == 410)
                #expect(answer.problem == "erased")
            }
            let statement = try await served.caller.get("/v1/entries/0/statement", token: analyst)
            let proof = try await served.caller.get("/v1/entries/0/proof", token: analyst)
            _ = try Receipt(parsing: proof.body)
                .verify(leaf: statement.body, policy: served.node.directory.policy)
            await served.settleQueries()
            #expect(try await served.value(sum, token: analyst) == "2")
            // Its id stays taken, whatever is sent under it.
            for resend in [submission, try ledger.document(id: "a", "41")] {
                #expect(try await served.caller.append(resend).problem == "erased")
            }
            let twice = try await served.caller.govern(ledger.erase(0, sequence: 2))
            #expect(twice.status == 409)
            #expect(try await served.caller.govern(ledger.erase(2, sequence: 2)).status == 422)
            #expect(try await served.caller.govern(ledger.erase(99, sequence: 2)).status == 422)
        }
    }

    @Test func `answers a record that is sent again with its index`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let newcomer = MadeLedger.Signer(try Identities.shared().newcomers[0])
            try await served.append(try ledger.document(id: "a"))
            let records = [
                try ledger.enrol(newcomer, sequence: 1), try ledger.erase(0, sequence: 2),
                try ledger.revoke(newcomer, sequence: 3),
            ]
            for record in records { try await served.govern(record) }
            for (position, record) in records.enumerated() {
                let answer = try await served.caller.govern(record)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(answer.headers["location"] == ["/v1/entries/\(position + 1)"])
            }
            // Another record under a number that is taken is no resend.
            #expect(try await served.caller.govern(ledger.erase(0, sequence: 1)).status == 409)
            #expect(served.node.driver.published.size == 4)
        }
    }

    @Test func `asks for the role, the number and the ledger`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let newcomer = MadeLedger.Signer(try Identities.shared().newcomers[0])
            let enrolment = Enrolment(
                identity: newcomer.name, roles: [.submitter], certificate: newcomer.certificate.der)
            for name in ["ci", "dpo", "auditor", "analyst"] {
                let record = try ledger.governance(.enrol(enrolment), sequence: 1, by: ledger.client(name))
                #expect(try await served.caller.govern(record).problem == "forbidden", "\(name)")
            }
            // Who may not erase does not learn what there is to erase.
            let probe = try ledger.governance(
                .erase(EntryIndex(9), reason: "why not"), sequence: 1, by: ledger.client("ci"))
            #expect(try await served.caller.govern(probe).problem == "forbidden")
            let unknown = try ledger.governance(.enrol(enrolment), sequence: 1, by: newcomer)
            #expect(try await served.caller.govern(unknown).problem == "unauthenticated")
            for sequence in [0, 2, UInt64(Int64.max)] {
                let answer = try await served.caller.govern(ledger.enrol(newcomer, sequence: sequence))
                #expect([400, 409, 422].contains(answer.status), "\(answer.text)")
            }
            let foreign = GovernanceRecord(ledger: "other.com/kpi", sequence: 1, action: .enrol(enrolment))
            let record = try ledger.sign(
                Array(foreign.xml.utf8), as: .governance, by: ledger.client("operator"))
            #expect(try await served.caller.govern(record).problem == "invalid")
            #expect(try await served.caller.govern(ledger.document(id: "a")).problem == "malformed")
            let torn = try ledger.sign(Array("<enrol\n".utf8), as: .governance, by: ledger.client("operator"))
            let answer = try await served.caller.govern(torn)
            #expect(answer.problem == "malformed")
            #expect((try answer.json(as: Answer.Problem.self).line ?? 0) > 0)
            #expect(served.node.driver.published.size == 0)
        }
    }
}
