import Chaos
import TestSupport
import Testing

/// Four real processes: the short form of `swift run -c release chaos`, with the same code.
@Suite(.serialized, .timeLimit(.minutes(20))) struct `Four nodes in processes that fail` {
    /// - Parameter episodes: lasting so many milliseconds each, a second apart.
    private func run(
        _ episodes: [(Int, [Fault], LinkCondition)], seed: UInt64
    ) async throws -> ChaosReport {
        var random = SeededGenerator(seed: seed)
        let schedule = FaultSchedule(
            episodes.map { milliseconds, faults, network in
                Episode(
                    calmMilliseconds: 1000, lastsMilliseconds: milliseconds, faults, network: network,
                    draw: random.next())
            })
        var plan = ChaosRun.Plan(seed: seed, schedule: schedule)
        // Other tests share the machine: what these bounds catch never ends.
        plan.stall = .seconds(60)
        plan.patience = .seconds(120)
        let directory = try TemporaryDirectory()
        let report = try await ChaosRun.run(plan, in: directory.path + "/ledger") { print($0) }
        print("seed \(seed)\n\(report.text)")
        #expect(report.findings == [], "seed \(seed)")
        #expect(report.documents > 50)
        #expect(report.entries == UInt64(report.documents) + 1)
        return report
    }

    @Test func `go on when the primary is killed, say so when a quorum is gone, and resume by themselves`()
        async throws
    {
        let seed = UInt64.random(in: 0...UInt64(UInt32.max))
        let kill = (4_000, [Fault(.kill, .primary)], LinkCondition.sound)
        // Longer than a node waits for a quorum.
        let beyond = (14_000, [Fault(.kill, .primary), Fault(.kill)], LinkCondition.sound)
        let report = try await run([kill, kill, beyond], seed: seed)
        for passed in report.episodes.prefix(2) {
            let gap = try #require(passed.firstAcknowledgement)
            print("a document sent after the primary was killed was acknowledged \(gap) after it")
            // On a quiet machine less than 2 s: `chaos --primary 20` measures it.
            #expect(gap < .seconds(60))
        }
        #expect(report.lastView >= 2)
        #expect(report.failures.contains { $0.kind == "503 no-quorum" }, "\(report.failures)")
        // Those that were well were read throughout, or there would be a finding.
        #expect(report.reads > 10)
        #expect(report.episodes.allSatisfy { $0.resumed != nil })
    }

    @Test func `lose nothing, double nothing and stay in order through every kind of fault`() async throws {
        let seed = UInt64.random(in: 0...UInt64(UInt32.max))
        let lossy = LinkCondition(delayMilliseconds: 30...70, loss: 0.03)
        let report = try await run(
            [
                (3_000, [Fault(.pause, .primary)], .sound),
                (4_000, [Fault(.silence, .primary)], .far),
                (3_000, [Fault(.mute)], .sound),
                (4_000, [Fault(.kill)], lossy),
                (3_000, [Fault(.deaf, .primary)], .sound),
                (2_000, [Fault(.restart, .primary)], .sound),
                (2_000, [Fault(.brokenLink)], .sound),
                (2_000, [Fault(.cutOff), Fault(.cutOff)], .sound),
                (2_000, [Fault(.kill), Fault(.kill), Fault(.kill), Fault(.kill)], .sound),
            ], seed: seed)
        #expect(report.episodes.count == 9)
    }
}
