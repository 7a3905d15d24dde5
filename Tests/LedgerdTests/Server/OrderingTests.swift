import Foundation
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Replication

@Suite struct `The ordering loop` {
    private let ledger: TestLedger
    private let directory: TemporaryDirectory
    private let clock: ManualClock

    init() throws {
        ledger = try TestLedger()
        directory = try TemporaryDirectory()
        clock = ManualClock(at: ledger.start)
    }

    private func check(
        _ submissions: [[UInt8]], as type: Statement.ContentType
    ) throws -> [CheckedEntry] {
        let checker = try ledger.checker
        let state = try ledger.initialState
        return try submissions.map {
            try checker.check($0, expecting: type, state: state, clock: clock.now)
        }
    }

    /// Each record ends its block, and each block follows from the one before: a chain of effects as long as the
    /// queue, on a thread whose stack is small.
    @Test func `survives a queue in which every entry is a block of its own`() async throws {
        let records = try (1...1000).map { try ledger.erase(EntryIndex(0), sequence: UInt64($0)) }
        let document = try check([ledger.kpis(id: "a")], as: .sealed)
        let entries = document + (try check(records, as: .governance))
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader,
            access: .writing(.lastCommitMayBeLost))
        // A thousand blocks, one after the other: a slow machine takes longer than a client would wait.
        var patience = ReplicaDriver.Patience()
        patience.submission = .seconds(600)
        let running = try RunningLedger(ledger, log, clock: clock, patience: patience)
        try await finish(document, by: running.driver)
        try await finish(Array(entries.dropFirst()), by: running.driver)
        #expect(running.driver.published.size == 1001)
        await running.driver.stop()
    }

    /// Hands entries over in their order, and waits until all are final.
    private func finish(_ entries: [CheckedEntry], by driver: ReplicaDriver) async throws {
        let answers = AsyncStream.makeStream(of: Result<Acknowledgement, SubmissionFailure>.self)
        for entry in entries { driver.submit(entry) { answers.continuation.yield($0) } }
        var iterator = answers.stream.makeAsyncIterator()
        for _ in entries { _ = try await iterator.next()?.get() }
    }

    /// The certificate of the newest block waits for the next flush. A payload must not be gone while the disk does
    /// not yet say that its entry, and the order to erase it, are final.
    @Test func `can be stopped right after an erasure in the batch of its entry`() async throws {
        let newcomer = ledger.identities.newcomers[0]
        let documents = try check([ledger.kpis(id: "a")], as: .sealed)
        let records = try check(
            [ledger.enrol(newcomer, sequence: 1), ledger.erase(EntryIndex(0), sequence: 2)], as: .governance)
        let running = try ledger.open(in: directory, clock: clock)
        try await finish(documents + records, by: running.driver)
        let copy = try TemporaryDirectory()
        try copy.shell("cp -r '\(directory.path)'/log '\(directory.path)'/journal '\(directory.path)'/keys .")
        let again = try ledger.open(in: copy, clock: clock)
        #expect(again.driver.published.size == 3)
        guard case .erased = try again.log.entry(EntryIndex(0)).payload else {
            Issue.record("the payload is still there")
            return
        }
    }

    @Test func `never goes back in time, whatever the clock does`() async throws {
        let running = try ledger.open(in: directory, clock: clock)
        var times: [Timestamp] = []
        for (number, jump) in [0, 5000, -3_000_000, 1, -500_000, 4_000_000, 100_000_000].enumerated() {
            clock.advance(byMilliseconds: Int64(jump))
            let checked = try running.check(try ledger.kpis(id: "\(number)", [ledger.measure(at: clock.now)]))
            _ = try await running.driver.submit(checked)
            times.append(running.driver.published.header.time)
        }
        #expect(times == times.sorted())
        #expect(times.last == clock.now)
        let blocks = try running.log.blocks(from: .genesis, limit: 100).map(\.header.time)
        #expect(blocks == blocks.sorted())
    }
}
