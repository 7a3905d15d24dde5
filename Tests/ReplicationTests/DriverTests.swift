import Foundation
import Replication
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// The loop with a real disk below it.
@Suite struct `A driver` {
    private let ledger: TestLedger
    private let directory: TemporaryDirectory

    init() throws {
        ledger = try TestLedger()
        directory = try TemporaryDirectory()
    }

    /// Small and quick to check: a P-256 signature.
    private func kpis(_ id: String, _ value: String = "1") throws -> [UInt8] {
        try ledger.kpis(id: id, [try ledger.measure("m", value)], by: ledger.identities.ci2)
    }

    private func failure(_ body: () async throws -> Void) async -> SubmissionFailure? {
        do {
            try await body()
            return nil
        } catch { return error as? SubmissionFailure }
    }

    private func rejection(_ body: () async throws -> Void) async -> Rejection.Code? {
        guard case .rejected(let rejection) = await failure(body) else { return nil }
        return rejection.code
    }

    @Test func `answers a document that is sent again with its first index`() async throws {
        let running = try ledger.open(in: directory)
        let first = try await running.append(try kpis("one"))
        _ = try await running.append(try kpis("two"))
        // Sealed anew: other bytes, the same document.
        let again = try await running.append(try kpis("one"))
        #expect(first.isNew)
        #expect(!again.isNew)
        #expect(again.index == first.index)
        #expect(again.leaf == first.leaf)
        #expect(running.driver.published.size == 2)
    }

    @Test func `refuses another content under a taken id`() async throws {
        let running = try ledger.open(in: directory)
        try await running.append(try kpis("one", "1"))
        #expect(await rejection { try await running.append(try kpis("one", "2")) } == .conflict)
        #expect(running.driver.published.size == 1)
    }

    @Test func `keeps the id of an erased document taken`() async throws {
        let running = try ledger.open(in: directory)
        let index = try await running.append(try kpis("one")).index
        let slot = try slot(of: index, in: running.log)
        try await running.govern(try ledger.erase(index, sequence: 1))
        #expect(try running.log.slots.read(slot) == .erased)
        #expect(await rejection { try await running.append(try kpis("one")) } == .erased)
        #expect(await rejection { try await running.append(try kpis("one", "2")) } == .erased)
        await running.driver.stop()
        let again = try RunningLedger(ledger, running.log, clock: running.clock)
        #expect(await rejection { try await again.append(try kpis("one")) } == .erased)
    }

    private func slot(of index: EntryIndex, in log: LogStore) throws -> UInt64 {
        let tables = log.tables
        return try log.store.read { transaction throws(StoreError) in
            let key = try tables.entryKey(of: index, in: transaction)
            return try transaction.value(tables.entries, key)?.slot ?? StoredEntry.noSlot
        }
    }

    @Test func `gives 64 submitters at once one index for each document`() async throws {
        let running = try ledger.open(in: directory)
        let answers = try await withThrowingTaskGroup(of: (Int, Acknowledgement).self) { group in
            for number in 0..<64 {
                // Four of each document.
                let entry = try running.check(try kpis("\(number / 4)"))
                group.addTask { (number / 4, try await running.driver.submit(entry)) }
            }
            var answers: [(Int, Acknowledgement)] = []
            for try await answer in group { answers.append(answer) }
            return answers
        }
        #expect(running.driver.published.size == 16)
        for document in 0..<16 {
            let indexes = answers.filter { $0.0 == document }.map(\.1)
            #expect(indexes.count == 4)
            #expect(Set(indexes.map(\.index)).count == 1)
            #expect(indexes.count(where: \.isNew) == 1)
        }
        #expect(Set(answers.map(\.1.index.value)) == Set(0..<16))
    }

    @Test func `tells of each final block once, in order`() async throws {
        let heights = Mutex<[UInt64]>([])
        let running = try RunningLedger(
            ledger, in: directory.path,
            onCommit: { _, blocks in
                heights.withLock { $0 += blocks.map(\.accepted.block.header.height.value) }
            })
        for number in 0..<10 { try await running.append(try kpis("\(number)")) }
        await running.driver.stop()
        #expect(heights.withLock { $0 } == Array(1...running.driver.published.header.height.value))
    }

    @Test func `goes on where it was stopped, and takes nothing in between`() async throws {
        let running = try ledger.open(in: directory)
        for number in 0..<5 { try await running.append(try kpis("\(number)")) }
        await running.driver.stop()
        let entry = try running.check(try kpis("late"))
        guard case .stopped = await failure({ _ = try await running.driver.submit(entry) }) else {
            Issue.record("taken after the stop")
            return
        }
        let again = try RunningLedger(ledger, running.log, clock: running.clock)
        #expect(again.driver.published.header == running.driver.published.header)
        #expect(again.driver.published.certificate == running.driver.published.certificate)
        #expect(try await again.append(try kpis("3")).index.value == 3)
        #expect(try await again.append(try kpis("late")).index.value == 5)
    }

    @Test func `settles what was accepted when its directory is taken from under it`() async throws {
        let running = try ledger.open(in: directory)
        for number in 0..<6 { try await running.append(try kpis("\(number)")) }
        // What a crash leaves: the last certificate never reached the disk.
        let copy = try TemporaryDirectory()
        try copy.shell("cp -r '\(directory.path)'/log '\(directory.path)'/journal '\(directory.path)'/keys .")
        let before = running.driver.published
        let again = try ledger.open(in: copy, clock: running.clock)
        #expect(again.driver.published.header == before.header)
        // The same bytes are voted for again.
        #expect(again.driver.published.certificate == before.certificate)
        #expect(try await again.append(try kpis("2")).index.value == 2)
        #expect(try await again.append(try kpis("6")).index.value == 6)
    }

    @Test func `writes keys again that did not reach the disk`() async throws {
        let running = try ledger.open(in: directory)
        for number in 0..<3 { try await running.append(try kpis("\(number)")) }
        let copy = try TemporaryDirectory()
        try copy.shell("cp -r '\(directory.path)'/log '\(directory.path)'/journal '\(directory.path)'/keys .")
        // The last slot is torn.
        let path = copy.url.appending(path: "keys")
        var keys = try Data(contentsOf: path)
        keys.replaceSubrange(2 * 128 + 40..<3 * 128, with: Data(count: 88))
        try keys.write(to: path)
        let again = try ledger.open(in: copy, clock: running.clock)
        #expect(again.driver.published.size == 3)
        guard case .held = try again.log.entry(EntryIndex(2)).payload else {
            Issue.record("the keys are not there")
            return
        }
        #expect(try await again.append(try kpis("2")).index.value == 2)
        await again.driver.stop()
        let report = try await Audit(genesis: ledger.genesisXML, source: LogAuditSource(again.log)).run()
        #expect(report.faults == [])
    }

    @Test func `does not start without keys that were flushed, nor on an empty log beside keys`() async throws
    {
        let running = try ledger.open(in: directory)
        for number in 0..<4 { try await running.append(try kpis("\(number)")) }
        await running.driver.stop()
        for damage in ["truncate -s 300 keys", ": > keys", ": > log/data.mdb"] {
            let copy = try TemporaryDirectory()
            try copy.shell(
                "cp -r '\(directory.path)'/log '\(directory.path)'/journal '\(directory.path)'/keys . && \(damage)"
            )
            let failure = #expect(throws: StoreError.self) { try ledger.open(in: copy, clock: running.clock) }
            guard case .damaged = failure else {
                Issue.record("\(damage): \(String(describing: failure))")
                continue
            }
        }
    }

    @Test func `says that the disk is full, and goes on when there is room`() async throws {
        let schema = Store.Schema(
            format: LogTables.schema.format, tables: LogTables.schema.tables, mapBytes: 640 << 10)
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full), schema: schema)
        let reports = Mutex(0)
        let running = try RunningLedger(
            ledger, log, clock: ManualClock(at: ledger.start), report: { _ in reports.withLock { $0 += 1 } })
        try await running.append(try kpis("small 0"))
        let label = ("l", String(repeating: "x", count: 1000))
        let measures = try (0..<800).map { try ledger.measure("m\($0)", labels: [label]) }
        let large = try running.check(try ledger.kpis(id: "large", measures, by: ledger.identities.ci2))
        let first = await failure { _ = try await running.driver.submit(large) }
        guard case .storage(.full) = first else {
            Issue.record("a full disk was answered with \(String(describing: first))")
            return
        }
        #expect(reports.withLock { $0 } > 0)
        #expect(running.driver.published.size == 1)
        #expect(try await running.append(try kpis("small 1")).index.value == 1)
        // The same document may come again, and is told the same.
        guard case .storage(.full) = await failure({ _ = try await running.driver.submit(large) }) else {
            Issue.record("the second try was answered otherwise")
            return
        }
        #expect(try await running.append(try kpis("small 2")).index.value == 2)
        await running.driver.stop()
        let report = try await Audit(genesis: ledger.genesisXML, source: LogAuditSource(log)).run()
        #expect(report.faults == [])
        #expect(report.entries == 3)
    }

    @Test func `carries out at the start an erasure that it had no time for`() async throws {
        let running = try ledger.open(in: directory)
        let index = try await running.append(try kpis("one")).index
        let copy = try TemporaryDirectory()
        try await running.govern(try ledger.erase(index, sequence: 1))
        await running.driver.stop()
        try copy.shell("cp -r '\(directory.path)'/log '\(directory.path)'/journal '\(directory.path)'/keys .")
        // As it was before the erasure: the row and the slot hold something.
        let log = try LogStore(
            directory: copy.path, genesis: ledger.genesisHeader, access: .writing(.lastCommitMayBeLost))
        let key = try log.store.read { transaction throws(StoreError) in
            try log.tables.entryKey(of: index, in: transaction)
        }
        try log.store.write { transaction throws(StoreError) in
            guard let erased = try transaction.value(log.tables.entries, key) else {
                throw LogTables.lost(index)
            }
            try transaction.put(
                log.tables.entries, key,
                StoredEntry(
                    slot: 0, commitment: erased.commitment, identity: erased.identity,
                    statement: erased.statement,
                    payload: [1, 2, 3]))
        }
        try log.slots.write(
            [.init(dataKey: [UInt8](repeating: 1, count: 32), contentKey: [UInt8](repeating: 2, count: 32))],
            from: 0)
        _ = try RunningLedger(ledger, log, clock: running.clock)
        #expect(try log.slots.read(0) == .erased)
        guard case .erased = try log.entry(index).payload else {
            Issue.record("the payload is still there")
            return
        }
    }
}
