import Replication
import TestSupport
import Testing

@testable import Ledger

/// What an auditor who kept a checkpoint sees.
@Suite struct `An audit since a kept checkpoint` {
    private let ledger: TestLedger
    private let directory: TemporaryDirectory

    init() throws {
        ledger = try TestLedger()
        directory = try TemporaryDirectory()
    }

    private func audit(
        _ log: LogStore, since kept: SignedNote? = nil, depth: Audit.Depth = .everything
    ) async throws -> AuditReport {
        try await Audit(genesis: ledger.genesisXML, source: LogAuditSource(log)).run(
            since: kept, depth: depth)
    }

    private func write(
        _ count: Int, to running: RunningLedger, prefix: String, in session: TestSession
    ) async throws {
        try await running.fill(count, prefix: prefix, in: session, atOnce: 8)
    }

    @Test func `says what an audit of everything says`() async throws {
        let running = try ledger.open(in: directory)
        let session = try ledger.session(by: ledger.identities.ci2)
        try await running.append(session.submission)
        try await running.govern(try ledger.enrol(ledger.identities.newcomers[0], sequence: 1))
        try await write(40, to: running, prefix: "a", in: session)
        await running.driver.stop()
        let first = try await audit(running.log)
        let kept = try #require(first.checkpoint)
        #expect(first.isClean)

        // The session goes on below the checkpoint and above; then it is erased, with one document below.
        let again = try RunningLedger(ledger, running.log, clock: running.clock)
        try await write(20, to: again, prefix: "b", in: session)
        try await again.append(try ledger.kpis(id: "theirs", by: ledger.identities.newcomers[0]))
        try await again.govern(try ledger.revoke(ledger.identities.newcomers[0], sequence: 2))
        try await again.govern(try ledger.erase(EntryIndex(5), sequence: 3))
        try await again.govern(try ledger.erase(EntryIndex(0), sequence: 4))
        try await again.append(try ledger.kpis(id: "last"))
        await again.driver.stop()

        let full = try await audit(running.log, since: kept)
        let incremental = try await audit(running.log, since: kept, depth: .sinceKept)
        #expect(full.faults == [])
        #expect(incremental.faults == [])
        #expect(full.checkpoint == incremental.checkpoint)
        #expect(full.entries == incremental.entries)
        #expect(full.height == incremental.height)
        #expect(incremental.examined == full.entries - first.entries)
        #expect(incremental.isComplete)
        // From the newest checkpoint there is nothing left to look at.
        let newest = try #require(full.checkpoint)
        let nothing = try await audit(running.log, since: newest, depth: .sinceKept)
        #expect(nothing.faults == [])
        #expect(nothing.examined == 0)

        // A leaf below the checkpoint, a statement above it.
        let tables = running.log.tables
        for (index, kind) in [(UInt64(50), AuditFault.Kind.statement), (7, .checkpoint)] {
            try running.log.store.write { transaction throws(StoreError) in
                let key = try tables.entryKey(of: EntryIndex(index), in: transaction)
                guard let stored = try transaction.value(tables.entries, key) else {
                    throw LogTables.lost(EntryIndex(index))
                }
                var statement = stored.statement
                statement[statement.count - 3] ^= 1
                try transaction.put(tables.entries, key, stored.with(statement: statement))
            }
            let report = try await audit(running.log, since: kept, depth: .sinceKept)
            #expect(report.faults.first?.kind == kind, "\(report.faults)")
        }
    }

    @Test(arguments: [Audit.Depth.everything, .sinceKept])
    func `catches another history by the same key`(depth: Audit.Depth) async throws {
        let other = try TemporaryDirectory()
        var notes: [SignedNote] = []
        var logs: [LogStore] = []
        for (place, prefix) in [(directory, "a"), (other, "b")] {
            let running = try ledger.open(in: place)
            let session = try ledger.session(by: ledger.identities.ci2)
            try await running.append(session.submission)
            try await write(10, to: running, prefix: prefix, in: session)
            await running.driver.stop()
            let report = try await audit(running.log)
            #expect(report.isClean)
            notes.append(try #require(report.checkpoint))
            logs.append(running.log)
        }
        let report = try await audit(logs[1], since: notes[0], depth: depth)
        #expect(report.faults.map(\.kind) == [.checkpoint])
        #expect(!report.isClean)
    }

    @Test func `catches a log that was set back`() async throws {
        let running = try ledger.open(in: directory)
        for number in 0..<4 {
            try await running.append(try ledger.kpis(id: "\(number)", by: ledger.identities.ci2))
        }
        await running.driver.stop()
        let kept = try #require(try await audit(running.log).checkpoint)
        try running.log.store.write { transaction throws(StoreError) in
            try running.log.tables.truncate(to: BlockHeight(2), in: &transaction)
        }
        #expect(try await audit(running.log).isClean)
        #expect(try await audit(running.log, since: kept).faults.map(\.kind) == [.checkpoint])
    }

    @Test func `refuses a checkpoint without a quorum or of another ledger`() async throws {
        let running = try ledger.open(in: directory)
        try await running.append(try ledger.kpis(id: "one"))
        await running.driver.stop()
        let kept = try #require(try await audit(running.log).checkpoint)
        let stranger = try TestLedger(seed: 9)
        let forged = NoteSigningKey(
            name: try KeyName("\(ledger.origin)/node1"), kind: .cosignature, key: stranger.voteKey)
        let note = try SignedNote(text: kept.text, signatures: [forged.sign(kept.text, at: 1)])
        await #expect(throws: ProofError.self) { try await audit(running.log, since: note) }
    }
}
