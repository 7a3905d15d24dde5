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

    private func open() throws -> (log: LogStore, loop: OrderingLoop) {
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full))
        let clock = clock
        return (
            log,
            try OrderingLoop(
                ports: .init(
                    log: log, voteKey: ledger.voteKey, electorate: ledger.electorate, clock: { clock.now }),
                id: ReplicaID(0), genesis: ledger.genesis, ledgerID: ledger.ledgerID)
        )
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
        let records = try (1...3000).map { try ledger.erase(EntryIndex(0), sequence: UInt64($0)) }
        let document = try check([ledger.kpis(id: "a")], as: .sealed)
        let entries = document + (try check(records, as: .governance))
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader,
            access: .writing(.lastCommitMayBeLost))
        let clock = clock
        let loop = Mutex(
            try OrderingLoop(
                ports: .init(
                    log: log, voteKey: ledger.voteKey, electorate: ledger.electorate, clock: { clock.now }),
                id: ReplicaID(0), genesis: ledger.genesis, ledgerID: ledger.ledgerID))
        let final = Finals()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let thread = Thread {
                loop.withLock { loop in
                    loop.order([final.request(document[0])]) { _ in }
                    loop.order(entries.dropFirst().map { final.request($0) }) { _ in }
                }
                continuation.resume()
            }
            thread.stackSize = 512 << 10
            thread.start()
        }
        #expect(final.count.load(ordering: .relaxed) == 3001)
    }

    private final class Finals: Sendable {
        let count = Atomic<Int>(0)

        func request(_ entry: CheckedEntry) -> Mailbox.Request {
            Mailbox.Request(
                entry: entry,
                answer: { if case .success = $0 { self.count.add(1, ordering: .relaxed) } })
        }
    }

    /// The certificate of the newest block waits for the next flush. A payload must not be gone while the disk does
    /// not yet say that its entry, and the order to erase it, are final.
    @Test func `can be stopped right after an erasure in the batch of its entry`() async throws {
        let newcomer = ledger.identities.newcomers[0]
        let documents = try check([ledger.kpis(id: "a")], as: .sealed)
        let records = try check(
            [ledger.enrol(newcomer, sequence: 1), ledger.erase(EntryIndex(0), sequence: 2)], as: .governance)
        do {
            var (_, loop) = try open()
            loop.order((documents + records).map { Mailbox.Request(entry: $0, answer: { _ in }) }) { _ in }
        }
        var (log, loop) = try open()
        let published = try loop.resume()
        #expect(published.size == 3)
        guard case .erased = try log.entry(EntryIndex(0)).payload else {
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
