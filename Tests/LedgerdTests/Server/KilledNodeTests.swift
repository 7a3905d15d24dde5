import Foundation
import Ledger
import Query
import Synchronization
import TestSupport
import Testing

@testable import ledgerd

/// The real process, killed and started again on the same directory.
@Suite(.serialized) struct `A node process` {
    /// Starts a node on a fresh ledger with a session in it.
    private func prepare() async throws -> (MadeLedger, TemporaryDirectory, Load, Policy) {
        let ledger = try await MadeLedger.shared()
        let directory = try TemporaryDirectory()
        try ledger.copy(to: directory)
        let session = try ledger.session()
        let server = try ServerProcess(directory: directory)
        let caller = try Caller(port: server.port, ledger: ledger)
        #expect(try await caller.append(session.submission).status == 201)
        try await caller.end()
        // Its certificate has not been flushed: the kills begin here.
        server.kill()
        #expect(server.wait() == -SIGKILL)
        return (ledger, directory, Load(ledger, session), try Policy(of: ledger.ceremony.genesis))
    }

    @Test func `keeps every promise when it is killed at any moment`() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let (_, directory, load, policy) = try await prepare()
        // `LEDGER_KILLS=50` for more of it.
        let kills = ProcessInfo.processInfo.environment["LEDGER_KILLS"].flatMap { Int($0) } ?? 20
        for round in 1...max(1, kills) {
            let server = try ServerProcess(directory: directory)
            try await load.run(server.port, moment: Int.random(in: 1...60, using: &random)) { server.kill() }
            #expect(server.wait() == -SIGKILL)
            print("round \(round): \(load.acknowledged) acknowledged of \(load.sent.count) sent")
        }
        let server = try ServerProcess(directory: directory)
        let findings = try await load.audit(server.port, others: 1, policy: policy)
        #expect(findings.isEmpty, "seed \(seed): \(findings)")
        #expect(load.acknowledged > 100)
        server.terminate()
        #expect(server.wait() == 0)

        // What queries know has gone through all of that, and is what the log alone makes of it.
        let digest = try Self.queryDigest(directory)
        try directory.shell("rm -r ledger/node1/data/query")
        let again = try ServerProcess(directory: directory)
        let others = try await load.audit(again.port, others: 1, policy: policy)
        #expect(others.isEmpty, "seed \(seed): \(others)")
        again.terminate()
        #expect(again.wait() == 0)
        #expect(try Self.queryDigest(directory) == digest, "seed \(seed)")
    }

    private static func queryDigest(_ directory: TemporaryDirectory) throws -> Digest {
        let node = try NodeDirectory(path: directory.path + "/ledger/node1")
        let opened = try QueryStore.open(directory: node.dataPath + "/query", ledger: node.ledgerID)
        #expect(opened.rebuilt == nil)
        return try opened.store.digest()
    }

    @Test func `stops in order under load, and is not kept by those who do not let go`() async throws {
        let (ledger, directory, load, policy) = try await prepare()
        let server = try ServerProcess(directory: directory)
        // A socket that says nothing, one that stops in the middle of a request, an idle stream of HTTP/2.
        let silent = try await RawConnection.open(port: server.port, tls: nil)
        let slow = try await RawConnection.open(port: server.port, tls: try ledger.authority)
        try await slow.write(
            "POST /v1/entries HTTP/1.1\r\nhost: x\r\ncontent-type: application/cms\r\ncontent-length: 9\r\n\r\n1"
        )
        let stream = try await RawConnection.open(
            port: server.port, tls: try ledger.authority, protocols: ["h2"])
        try await stream.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")
        let clock = ContinuousClock()
        let asked = Mutex<ContinuousClock.Instant?>(nil)
        try await load.run(server.port, moment: 100) {
            asked.withLock { $0 = clock.now }
            server.terminate()
        }
        #expect(server.wait() == 0)
        if let asked = asked.withLock({ $0 }) { #expect(clock.now - asked < .seconds(10)) }
        for connection in [silent, slow, stream] { try await connection.close() }

        let again = try ServerProcess(directory: directory)
        let findings = try await load.audit(again.port, others: 1, policy: policy)
        #expect(findings.isEmpty, "\(findings)")
        again.terminate()
        #expect(again.wait() == 0)
    }

    /// The limit on the size of its files stands for a disk without room.
    @Test func `says that its disk is full, and goes on when there is room again`() async throws {
        let (ledger, directory, _, _) = try await prepare()
        let server = try ServerProcess(directory: directory, shell: "trap '' XFSZ;")
        let caller = try Caller(port: server.port, ledger: ledger)
        let documents = try (0..<4).map { try ledger.document(id: "\($0)") }
        #expect(try await caller.append(documents[0]).status == 201)
        try server.limitFiles(toBytes: 4096)
        for document in documents[1...2] {
            let answer = try await caller.append(document)
            #expect(answer.status == 507, "\(answer.text)")
            #expect(answer.problem == "disk-full")
        }
        // What it has is still read, and known.
        #expect(try await caller.get("/checkpoint").status == 200)
        #expect(try await caller.append(documents[0]).status == 200)
        try server.limitFiles(toBytes: nil)
        for document in documents[1...3] { #expect(try await caller.append(document).status == 201) }
        try await caller.end()
        server.terminate()
        #expect(server.wait() == 0)
    }
}
