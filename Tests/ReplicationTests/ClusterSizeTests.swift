import Foundation
import Ledger
import TestSupport
import Testing

@testable import Replication

/// Real nodes, disks and TLS connections over the loopback, all in this process.
@Suite(.serialized, .timeLimit(.minutes(20))) struct `A ledger of any size` {
    /// Above 16 nodes a debug build on two busy cores takes its time: `LEDGER_CLUSTER_SIZE=31 swift test --filter
    /// ClusterSizeTests` runs that size alone.
    private static var sizes: [Int] {
        ProcessInfo.processInfo.environment["LEDGER_CLUSTER_SIZE"].flatMap { Int($0) }.map { [$0] }
            ?? [1, 2, 3, 4, 7, 10, 16]
    }

    @Test(arguments: Self.sizes)
    func `starts, appends at each of its nodes, and verifies`(size: Int) async throws {
        let ledger = try TestLedger(members: size)
        // All of them share the cores with each other: the timeouts are those of nodes that do not.
        var timing = Timing()
        timing.viewTimeout = .milliseconds(400 * max(1, size / 4))
        timing.heartbeat = .milliseconds(250 * max(1, size / 4))
        let cluster = try await Cluster(ledger, timing: timing)
        let begin = ContinuousClock.now
        let answers = try await withThrowingTaskGroup(of: Acknowledgement.self) { group in
            for node in 0..<size {
                let submission = try ledger.kpis(id: "\(node)", by: ledger.identities.ci2)
                group.addTask { try await cluster.append(submission, at: node) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.map(\.index.value).sorted() == Array(0..<UInt64(size)))
        try await cluster.level(at: UInt64(size))
        print("\(size) nodes: level with \(size) entries after \(ContinuousClock.now - begin)")
        let quorum = ledger.electorate.committee.quorum
        for node in cluster.running {
            let certificate = try #require(node.driver.published.certificate)
            try certificate.verify(by: ledger.electorate)
            #expect(certificate.cosignatures.count >= quorum)
            let note = try certificate.checkpointNote(of: ledger.electorate, ledgerKey: ledger.noteKey)
            _ = try ledger.policy.verify(note)
        }
        try await cluster.stopAll()
        for node in 0..<size {
            let log = try LogStore(
                directory: cluster.path(of: node), genesis: ledger.genesisHeader, access: .reading)
            let report = try await Audit(genesis: ledger.genesisXML, source: LogAuditSource(log)).run()
            #expect(report.isClean, "\(report.faults)")
            #expect(report.entries == UInt64(size))
        }
    }
}
