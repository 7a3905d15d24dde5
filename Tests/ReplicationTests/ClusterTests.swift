import Foundation
import Ledger
import TestSupport
import Testing

@testable import Replication

/// Four nodes with real disks, and TLS between them.
@Suite(.serialized, .timeLimit(.minutes(20))) struct `A ledger of four nodes` {
    private let ledger: TestLedger

    init() throws { ledger = try TestLedger(members: 4) }

    private func kpis(_ id: String, _ value: String = "1") throws -> [UInt8] {
        try ledger.kpis(id: id, [try ledger.measure("m", value)], by: ledger.identities.ci2)
    }

    private func checkSameLogs(_ cluster: Cluster) throws {
        let size = try #require(cluster.running.map(\.driver.published.size).min())
        let first = try cluster.running[0].log.leaves(EntryIndex(0)..<EntryIndex(size))
        for node in cluster.running.dropFirst() {
            #expect(try node.log.leaves(EntryIndex(0)..<EntryIndex(size)) == first)
        }
    }

    @Test func `orders what is submitted at each of them, at one index in every log`() async throws {
        let cluster = try await Cluster(ledger)
        let answers = try await withThrowingTaskGroup(of: (String, Acknowledgement).self) { group in
            for number in 0..<24 {
                let submission = try kpis("\(number)")
                group.addTask {
                    ("\(number)", try await cluster.append(submission, at: number % 4))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(answers.map(\.1.index.value)) == Set(0..<24))
        try await cluster.level(at: 24)
        for (id, answer) in answers {
            for node in cluster.running {
                let identity = DocumentIdentity(submitter: "ci2", id: id)
                #expect(try node.log.index(of: identity) == answer.index)
            }
        }
        try checkSameLogs(cluster)
        // Sent again, elsewhere.
        let again = try await cluster.append(try kpis("5"), at: 2)
        #expect(!again.isNew)
        #expect(again.index == answers.first { $0.0 == "5" }?.1.index)
        for node in cluster.running {
            let certificate = try #require(node.driver.published.certificate)
            try certificate.verify(by: ledger.electorate)
            #expect(certificate.cosignatures.count >= 3)
            let note = try certificate.checkpointNote(of: ledger.electorate, ledgerKey: ledger.noteKey)
            _ = try ledger.policy.verify(note)
        }
        try await cluster.stopAll()
        for node in 0..<4 {
            let log = try LogStore(
                directory: cluster.path(of: node), genesis: ledger.genesisHeader, access: .reading)
            let report = try await Audit(genesis: ledger.genesisXML, source: LogAuditSource(log)).run()
            #expect(report.faults == [])
            #expect(report.entries == 24)
        }
    }

    @Test func `goes on without one, which catches up when it comes back`() async throws {
        let cluster = try await Cluster(ledger)
        try await cluster.append(try kpis("before"), at: 3)
        try await cluster.level(at: 1)
        try await cluster.stop(3)
        for number in 0..<12 { try await cluster.append(try kpis("\(number)"), at: number % 3) }
        try await cluster.start(3)
        try await cluster.level(at: 13)
        try checkSameLogs(cluster)
        let back = try await cluster.append(try kpis("after"), at: 3)
        #expect(back.index.value == 13)
        try await cluster.level(at: 14)
        try await cluster.stopAll()
    }

    @Test func `changes the view when its primary is gone, and loses nothing`() async throws {
        let cluster = try await Cluster(ledger)
        for number in 0..<4 { try await cluster.append(try kpis("\(number)"), at: number) }
        try await cluster.level(at: 4)
        try await cluster.stop(0)
        let index = try await cluster.append(try kpis("without the primary"), at: 1).index
        #expect(index.value == 4)
        #expect(try cluster.node(1).driver.status.view > View(0))
        for number in 10..<16 { try await cluster.append(try kpis("\(number)"), at: 1 + number % 3) }
        try await cluster.level(at: 11)
        try await cluster.start(0)
        try await cluster.append(try kpis("all again"), at: 0)
        try await cluster.level(at: 12)
        try checkSameLogs(cluster)
        try await cluster.stopAll()
    }

    @Test func `comes back from a stop of all, with everything`() async throws {
        let cluster = try await Cluster(ledger)
        for number in 0..<6 { try await cluster.append(try kpis("\(number)"), at: number % 4) }
        try await cluster.level(at: 6)
        try await cluster.stopAll()
        for node in 0..<4 { try await cluster.start(node) }
        #expect(try await cluster.append(try kpis("3"), at: 1).isNew == false)
        #expect(try await cluster.append(try kpis("next"), at: 2).index.value == 6)
        try await cluster.level(at: 7)
        try checkSameLogs(cluster)
        try await cluster.stopAll()
    }

    @Test func `tells a client that no quorum answered, and settles the entry when there is one`()
        async throws
    {
        var patience = ReplicaDriver.Patience()
        patience.submission = .milliseconds(500)
        patience.stop = .milliseconds(50)
        let cluster = try await Cluster(ledger, patience: [0: patience])
        try await cluster.append(try kpis("one"), at: 1)
        try await cluster.level(at: 1)
        try await cluster.stop(2)
        try await cluster.stop(3)
        let failure = await #expect(throws: SubmissionFailure.self) {
            try await cluster.append(try kpis("two"), at: 0)
        }
        guard case .timeout = failure else {
            Issue.record("answered with \(String(describing: failure))")
            return
        }
        try await cluster.start(2)
        try await cluster.level(at: 2)
        #expect(try await cluster.append(try kpis("two"), at: 1).index.value == 1)
        try await cluster.stopAll()
    }

    @Test func `carries rules, sessions and erasures to every node, and to one that was away`() async throws {
        let cluster = try await Cluster(ledger)
        let newcomer = ledger.identities.newcomers[0]
        try await cluster.append(try ledger.enrol(newcomer, sequence: 1), at: 1, as: .governance)
        let session = try ledger.session(by: ledger.identities.ci2)
        try await cluster.append(session.submission, at: 2)
        try await cluster.level(at: 2)
        try await cluster.stop(3)
        let index = try await cluster.append(try ledger.kpis(id: "s", sealedTo: session), at: 0).index
        #expect(
            try await cluster.append(try ledger.kpis(id: "n", by: newcomer), at: 1).index.value
                == index.value + 1)
        try await cluster.append(try ledger.erase(index, sequence: 2), at: 2, as: .governance)
        try await cluster.level(at: 5)
        try await cluster.start(3)
        try await cluster.level(at: 5)
        for node in cluster.running {
            guard case .erased = try node.log.entry(index).payload else {
                Issue.record("a payload outlived its erasure")
                return
            }
        }
        // What it has fetched erased reads back.
        try await cluster.stop(3)
        try await cluster.start(3)
        try await cluster.append(try kpis("after"), at: 3)
        try await cluster.level(at: 6)
        try checkSameLogs(cluster)
        try await cluster.stopAll()
    }

    @Test func `stays up and bounded while a member floods it`() async throws {
        let cluster = try await Cluster(ledger)
        try await cluster.append(try kpis("before"), at: 0)
        try await cluster.level(at: 1)
        try await cluster.stop(3)
        // Node 4's own key, in the hands of one who says anything.
        let flood = try cluster.network(of: 3)
        _ = try await flood.listen()
        flood.start(receive: { _, _, _ in true }, isAwaitingBlocks: { _ in false })
        let noise = Frame(kind: .entries, body: [UInt8](repeating: 7, count: 64 << 10))
        let fetch = Message.fetch(.committed(after: .genesis)).frame
        for number in 0..<10 {
            for _ in 0..<20 {
                for node in 0..<3 {
                    flood.send(noise, to: ReplicaID(UInt16(node)))
                    flood.send(fetch, to: ReplicaID(UInt16(node)))
                }
            }
            try await cluster.append(try kpis("\(number)"), at: number % 3)
        }
        try await cluster.level(at: 11)
        #expect(cluster.running.contains { $0.driver.status.drops > 0 })
        await flood.stop()
        try checkSameLogs(cluster)
        try await cluster.stopAll()
    }

    @Test func `keeps the proof that a member voted twice`() async throws {
        let cluster = try await Cluster(ledger)
        try await cluster.append(try kpis("before"), at: 0)
        try await cluster.level(at: 1)
        try await cluster.stop(3)
        let liar = try cluster.network(of: 3)
        _ = try await liar.listen()
        liar.start(receive: { _, _, _ in true }, isAwaitingBlocks: { _ in false })
        let context = SigningContext(ledgerID: ledger.ledgerID, epoch: Epoch(0))
        let votes = [UInt8(1), 2].map { byte in
            let prepare = Prepare(
                BlockMark(view: View(1), height: BlockHeight(30), headerHash: .sha256([byte])))
            return Message.prepare(
                Signed(
                    prepare, signer: ReplicaID(3),
                    signature: ledger.voteKeys[3].sign(prepare.signedBytes(context))))
        }
        var number = 0
        while try cluster.node(0).driver.status.evidence.isEmpty, number < 20 {
            for vote in votes { liar.send(vote.frame, to: ReplicaID(0)) }
            try await cluster.append(try kpis("\(number)"), at: 0)
            number += 1
        }
        let evidence = try cluster.node(0).driver.status.evidence
        #expect(evidence.map(\.member) == [ReplicaID(3)])
        #expect(evidence.map(\.place) == [.prepare(Epoch(0), View(1), BlockHeight(30))])
        #expect(evidence.map(\.entry) == [nil])
        await liar.stop()
        try await cluster.stop(0)
        try await cluster.start(0)
        #expect(try cluster.node(0).driver.status.evidence == evidence)

        // An operator puts it on record: every node knows then, and knows again when it is started.
        let proof = try #require(evidence.first)
        let record = try ledger.governance(
            .evidence(member: "node4", proof.contradiction), sequence: 1)
        let entry = try await cluster.append(record, at: 0, as: .governance).index
        try await cluster.level(at: entry.value + 1)
        try await cluster.stop(1)
        try await cluster.start(1)
        for node in 0..<3 {
            let known = try cluster.node(node).driver.status.evidence
            #expect(known.map(\.place) == [proof.place], "node \(node)")
            #expect(known.map(\.entry) == [entry], "node \(node)")
        }
        try await cluster.stopAll()
    }
}
