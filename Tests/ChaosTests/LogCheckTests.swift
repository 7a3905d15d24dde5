import Foundation
import Ledger
import TestSupport
import Testing

@testable import Chaos

/// A run of one node that nothing befalls, and then a history that is not quite what happened.
@Suite(.timeLimit(.minutes(20))) struct `The check of the logs` {
    @Test func `finds what was acknowledged and is elsewhere, gone, or not all`() async throws {
        let directory = try TemporaryDirectory()
        let quiet = Findings { _ in }
        let folder = try await LedgerFolder(madeIn: directory.path + "/ledger", nodes: 1)
        let cluster = try ProcessCluster(folder, findings: quiet)
        let port = try await LedgerPort(folder)
        let history = History()
        let load = Load(
            port, try Submitter(folder), policy: folder.policy, nodes: 1, rate: 200, seed: 1,
            history: history,
            findings: quiet)
        try await cluster.startAll()
        try await load.openSession(within: .seconds(60))
        async let delivery: Void = load.run()
        let isLoaded = await RealTime.wait(.seconds(60)) { history.acknowledgedCount >= 20 }
        #expect(isLoaded)
        load.stop()
        await delivery
        let isFollowed = await RealTime.wait(.seconds(60)) {
            await port.health(0).map { $0.queried == $0.size } ?? false
        }
        #expect(isFollowed)
        await cluster.terminateAll()
        await port.close()
        #expect(quiet.lines == [])

        func findings(_ appends: [Append], _ roots: [UInt64: Digest] = [:]) async throws -> [String] {
            let findings = Findings { _ in }
            _ = try await LogCheck(folder: folder, appends: appends, roots: roots, findings: findings).run()
            return findings.lines
        }
        func append(_ other: Append, number: Int? = nil, index: UInt64?) -> Append {
            Append(
                number: number ?? other.number, leafHash: other.leafHash, sent: other.sent,
                acknowledged: other.acknowledged, index: index)
        }
        let appends = history.appends
        #expect(try await findings(appends, history.roots) == [])

        var swapped = appends
        swapped[3] = append(appends[3], index: appends[4].index)
        swapped[4] = append(appends[4], index: appends[3].index)
        #expect(
            try await findings(swapped) == [
                "document 3 is not entry \(appends[4].index ?? 0) of node1, as was acknowledged",
                "document 4 is not entry \(appends[3].index ?? 0) of node1, as was acknowledged",
            ])
        var lost = appends
        lost[5] = append(appends[5], index: UInt64(appends.count) + 7)
        #expect(try await findings(lost).count == 1)
        var another = appends
        another[6] = append(appends[6], number: 999, index: appends[6].index)
        #expect(try await findings(another).contains { $0.contains("another id than document 999") })
        #expect(
            try await findings(appends.dropLast()) == [
                "node1 has \(appends.count + 1) entries, for \(appends.count - 1) documents and a session"
            ])
        #expect(
            try await findings(appends, [4: .sha256([4])])
                == ["the checkpoint of size 4 that was shown is not of the log of node1"])
        #expect(try await findings(appends, [1_000_000: .sha256([4])]).count == 1)
    }
}
