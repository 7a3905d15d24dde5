import NIOCore
import TestSupport
import Testing

@testable import Chaos

@Suite(.timeLimit(.minutes(20))) struct `A node that is behind` {
    @Test func `sends clients elsewhere instead of refusing a session that the others know`() async throws {
        let directory = try TemporaryDirectory()
        let findings = Findings { _ in }
        let folder = try await LedgerFolder(madeIn: directory.path + "/ledger", nodes: 4)
        let cluster = try ProcessCluster(folder, findings: findings)
        let port = try await LedgerPort(folder)
        let submitter = try Submitter(folder)
        let document = try submitter.document(0).submission
        let patience = TimeAmount.seconds(60)
        /// Until there is another answer than that the node is behind, or has no quorum.
        func settled(_ submission: [UInt8], at node: Int) async -> LedgerPort.Answer? {
            var last: LedgerPort.Answer?
            _ = await RealTime.wait(.seconds(120)) {
                last = try? await port.append(submission, at: node, within: patience)
                return last.map { $0.status != 503 } ?? false
            }
            return last
        }

        // Alone, it cannot know what the others know.
        try await cluster.start(0)
        #expect(try await port.append(document, at: 0, within: patience).problem == "503 behind")
        for node in 1...2 { try await cluster.start(node) }
        // With a quorum it can: nobody has opened the session.
        let refused = await settled(document, at: 0)
        #expect(refused?.problem == "422 sealing")
        #expect(await settled(submitter.session, at: 1)?.status == 201)

        // The last has heard of nobody, or of blocks that it lacks, until it has the session.
        try await cluster.start(3)
        #expect(await settled(document, at: 3)?.status == 201)
        await cluster.terminateAll()
        await port.close()
        #expect(findings.lines == [])
    }
}
