import Foundation
import Ledger
import NIOHTTP1
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `Entries over HTTPS` {
    @Test func `are taken once, and a resend gets the same index`() async throws {
        try await ServedNode.run { served in
            let submission = try served.ledger.document(id: "one")
            let first = try await served.caller.append(submission)
            #expect(first.status == 201)
            #expect(first.headers["content-type"] == ["text/plain; charset=utf-8"])
            #expect(first.headers["location"] == ["/v1/entries/0"])
            let leaf = try Submission(submission).statement.bytes
            let receipt = try Receipt(parsing: first.body)
            _ = try receipt.verify(leaf: leaf, policy: served.node.directory.policy)

            let second = try await served.caller.append(submission)
            #expect(second.status == 200)
            #expect(second.headers["location"] == ["/v1/entries/0"])
            #expect(try Receipt(parsing: second.body).index == receipt.index)

            // Signed and sealed anew, the document is still the same one.
            let again = try await served.caller.append(served.ledger.document(id: "one"))
            #expect(again.status == 200)
            let other = try await served.caller.append(served.ledger.document(id: "one", "313"))
            #expect(other.status == 409)
            #expect(other.problem == "conflict")
            #expect(try other.json(as: Answer.Problem.self).entry == 0)
        }
    }

    @Test func `are taken once from many who send the same at once`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let submissions = try (0..<32).map {
                $0 % 2 == 0 ? try ledger.document(id: "same") : try ledger.document(id: "same\($0 / 4)")
            }
            let answers = try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                for (number, submission) in submissions.enumerated() {
                    group.addTask { (number, try await served.caller.append(submission)) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let same = answers.filter { $0.0 % 2 == 0 }.map(\.1)
            #expect(same.count(where: { $0.status == 201 }) == 1)
            #expect(same.count(where: { $0.status == 200 }) == 15)
            #expect(Set(try same.map { try Receipt(parsing: $0.body).index }).count == 1)
            #expect(served.node.driver.published.size == 9)
        }
    }

    @Test func `are shown to auditors in every form`() async throws {
        try await ServedNode.run { served in
            let submission = try served.ledger.document(id: "one")
            try await served.append(submission)
            let token = try await served.ledger.token([.auditor])
            let parts = try Submission(submission)

            let entry = try await served.caller.get("/v1/entries/0", token: token)
            #expect(entry.status == 200)
            #expect(entry.headers["content-type"] == ["application/json"])
            #expect(entry.text.contains(#""submitter":"ci""#))
            let statement = try await served.caller.get("/v1/entries/0/statement", token: token)
            #expect(statement.body == parts.statement.bytes)
            let payload = try await served.caller.get("/v1/entries/0/payload", token: token)
            #expect(payload.body == parts.payload)
            for path in ["/v1/entries/0/proof", "/v1/entries/0/proof?size=1"] {
                let proof = try await served.caller.get(path, token: token)
                #expect(proof.status == 200)
                _ = try Receipt(parsing: proof.body)
                    .verify(leaf: parts.statement.bytes, policy: served.node.directory.policy)
            }

            struct Disclosure: Decodable {
                let document: Data
                let contentKey: Data
                let commitments: [Data]
                let position: Int
            }
            let answer = try await served.caller.get("/v1/entries/0/document", token: token)
            let disclosure = try answer.json(as: Disclosure.self)
            let xml = served.ledger.xml(id: "one", [try served.ledger.measure()])
            #expect(Array(disclosure.document) == xml)
            let commitment = KeyCommitment.of(
                contentKey: Array(disclosure.contentKey), payloadDigest: .sha256(parts.payload ?? []))
            #expect(Array(disclosure.commitments[disclosure.position]) == commitment.bytes)
            let header = served.node.driver.published.header
            #expect(
                Digest.sha256(disclosure.commitments.flatMap { Array($0) }) == header.keyCommitments)
        }
    }

    @Test func `are shown to their submitter and to no other`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let other = MadeLedger.Signer(try Identities.shared().newcomers[0])
            try await served.append(try ledger.document(id: "mine"))
            try await served.govern(try ledger.enrol(other, sequence: 1))
            try await served.append(try ledger.document(id: "theirs", by: other))

            let mine = try await ledger.token([.submitter], subject: "ci")
            let theirs = try await ledger.token([.submitter], subject: other.name)
            for form in ["", "/statement", "/payload", "/proof", "/document"] {
                #expect(try await served.caller.get("/v1/entries/0\(form)", token: mine).status == 200)
                #expect(try await served.caller.get("/v1/entries/2\(form)", token: theirs).status == 200)
                // Records are nobody's; what lies beyond the end is not told apart from what is another's.
                for (index, token) in [(0, theirs), (2, mine), (1, mine), (3, mine)] {
                    let answer = try await served.caller.get("/v1/entries/\(index)\(form)", token: token)
                    #expect(answer.status == 404)
                    #expect(answer.text.contains("there is nothing at this address"))
                }
                #expect(try await served.caller.get("/v1/entries/0\(form)").status == 401)
                let analyst = try await ledger.token([.analyst, .operator, .dpo])
                #expect(try await served.caller.get("/v1/entries/0\(form)", token: analyst).status == 403)
            }
        }
    }

    @Test func `that are asked for wrongly are not found`() async throws {
        try await ServedNode.run { served in
            try await served.append(try served.ledger.document(id: "one"))
            let token = try await served.ledger.token([.auditor])
            for path in ["1", "-1", "x", "18446744073709551616", "0x0", "%00", "0%00", "..", "0/nothing"] {
                let answer = try await served.caller.get("/v1/entries/\(path)", token: token)
                #expect(answer.status == 404, "\(path): \(answer.text)")
                #expect(answer.problem == "not-found")
            }
            for size in ["0", "2", "x", "-1", "18446744073709551616"] {
                let answer = try await served.caller.get("/v1/entries/0/proof?size=\(size)", token: token)
                #expect(answer.problem == "bad-parameter", "\(size)")
            }
        }
    }

    @Test func `say what is wrong with them, each in its own way`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let ci = try ledger.client("ci")
            let good = try ledger.xml(id: "one", [ledger.measure()])
            let text = String(decoding: good, as: UTF8.self)
            let stranger = MadeLedger.Signer(try Identities.shared().newcomers[0])
            func sealed(_ xml: String) throws -> [UInt8] { try ledger.seal(Array(xml.utf8), by: ci) }
            let cases: [(String, Int, String, [UInt8])] = [
                ("nothing", 400, "malformed", []),
                ("noise", 400, "malformed", Array("hello".utf8)),
                ("a record", 400, "malformed", try ledger.enrol(stranger, sequence: 1)),
                ("truncated XML", 400, "malformed", try sealed(String(text.dropLast(20)))),
                ("a stranger", 401, "unauthenticated", try ledger.document(id: "one", by: stranger)),
                (
                    "no submitter", 403, "forbidden",
                    try ledger.document(id: "one", by: ledger.client("auditor"))
                ),
                (
                    "another ledger", 422, "invalid",
                    try sealed(text.replacing("example.com/kpi", with: "other.com/kpi"))
                ),
                (
                    "another submitter", 422, "invalid",
                    try sealed(text.replacing("submitter=\"ci\"", with: "submitter=\"cj\""))
                ),
                (
                    "a foreign element", 422, "invalid",
                    try sealed(
                        text.replacing("<measure", with: "<mesure").replacing("</measure", with: "</mesure"))
                ),
                (
                    "a correction of itself", 422, "invalid",
                    try sealed(text.replacing("<kpis", with: "<kpis replaces=\"one\""))
                ),
                (
                    "a doctype", 400, "malformed",
                    try sealed("<!DOCTYPE kpis [<!ENTITY a 'b'>]>" + text.drop { $0 != ">" }.dropFirst())
                ),
                (
                    "too far ahead", 422, "invalid",
                    try ledger.seal(
                        ledger.xml(
                            id: "one",
                            [ledger.measure(at: ledger.start.advanced(byMilliseconds: 200_000_000))]), by: ci)
                ),
            ]
            for (name, status, type, submission) in cases {
                let answer = try await served.caller.append(submission)
                #expect(answer.status == status, "\(name): \(answer.text)")
                #expect(answer.problem == type, "\(name)")
            }
            let torn = try await served.caller.append(
                sealed("<?xml version=\"1.0\"?>\n<kpis>\n  <a></b>\n</kpis>"))
            let problem = try torn.json(as: Answer.Problem.self)
            #expect(problem.line == 3)
            #expect((problem.column ?? 0) > 0)
            #expect(served.node.driver.published.size == 0)
        }
    }

    /// Otherwise whoever can reach the port could ask the node what a ciphertext holds.
    @Test func `tell nothing of their content before their signature is accepted`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let stranger = MadeLedger.Signer(try Identities.shared().newcomers[0])
            let contents = [
                Array("<kpis>".utf8), Array("no XML at all".utf8),
                ledger.xml(id: "x", [try ledger.measure()]),
            ]
            for content in contents {
                let unknown = try await served.caller.append(ledger.seal(content, by: stranger))
                #expect(unknown.problem == "unauthenticated")
                // A known key, and a signature that is not its own: the last byte of it is changed.
                var forged = try ledger.seal(content, by: ledger.client("ci"))
                forged[forged.count - 1] ^= 1
                let answer = try await served.caller.append(forged)
                #expect(answer.problem == "unauthenticated")
                #expect(answer.text.contains("the signature of ci is not valid"))
            }
            // Not even whether it is a ciphertext.
            let noise = try ledger.sign(Array("noise".utf8), as: .sealed, by: stranger)
            #expect(try await served.caller.append(noise).problem == "unauthenticated")
        }
    }

    @Test(arguments: [false, true])
    func `over the limit are refused with the limit`(isChunked: Bool) async throws {
        try await ServedNode.run { served in
            let body = [UInt8](repeating: 0x30, count: Limits.submissionBytes + 1)
            let answer = try await served.caller.send(
                .POST, "/v1/entries", [("content-type", "application/cms")], body: body, isChunked: isChunked)
            #expect(answer.problem == "too-large")
            #expect(answer.text.contains("\(Limits.submissionBytes)"))
            #expect(try await served.caller.append(served.ledger.document(id: "after")).status == 201)
        }
    }

    @Test func `in another media type are refused`() async throws {
        try await ServedNode.run { served in
            for headers in [[], [("content-type", "application/xml")], [("content-type", ";")]] {
                for path in ["/v1/entries", "/v1/governance"] {
                    let answer = try await served.caller.send(.POST, path, headers, body: [0x30])
                    #expect(answer.status == 415)
                    #expect(answer.problem == "media-type")
                }
            }
            let answer = try await served.caller.send(
                .POST, "/v1/entries", [("content-type", "Application/CMS; charset=binary")],
                body: served.ledger.document(id: "one"))
            #expect(answer.status == 201)
        }
    }

    @Test func `are refused with a time to come back when too many are under way`() async throws {
        try await ServedNode.run { served in
            for _ in 0..<Limits.submissionsAtOnce { _ = served.node.metrics.submissionsUnderWay.enter() }
            let answer = try await served.caller.append(served.ledger.document(id: "one"))
            #expect(answer.status == 429)
            #expect(answer.problem == "busy")
            #expect(answer.headers["retry-after"] == ["1"])
            for _ in 0..<Limits.submissionsAtOnce { served.node.metrics.submissionsUnderWay.leave() }
            #expect(try await served.caller.append(served.ledger.document(id: "one")).status == 201)

            #expect(served.node.bodies.take(Limits.bodyBytes))
            #expect(try await served.caller.append(served.ledger.document(id: "two")).problem == "busy")
            served.node.bodies.giveBack(Limits.bodyBytes)
            #expect(try await served.caller.append(served.ledger.document(id: "two")).status == 201)
            #expect(served.node.bodies.take(Limits.bodyBytes), "a body was not given back")
        }
    }

    @Test func `can be sealed in a session until it ends`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let other = MadeLedger.Signer(try Identities.shared().newcomers[0])
            try await served.govern(try ledger.enrol(other, sequence: 1))
            let session = try ledger.session()
            let early = try await served.caller.append(ledger.document(id: "early", in: session))
            #expect(early.problem == "sealing")
            try await served.append(session.submission)
            for number in 0..<20 {
                try await served.append(try ledger.document(id: "\(number)", in: session))
            }
            #expect(served.node.driver.published.size == 22)

            let stolen = try ledger.seal(
                ledger.xml(id: "stolen", [ledger.measure()], submitter: other.name), by: other, in: session)
            #expect(try await served.caller.append(stolen).problem == "sealing")
            let past = try ledger.session(id: "past", expires: ledger.start)
            #expect(try await served.caller.append(past.submission).problem == "invalid")
            let long = try ledger.session(
                id: "long", expires: ledger.start.advanced(byMilliseconds: 100_000_000))
            #expect(try await served.caller.append(long.submission).problem == "invalid")
        }
    }
}
