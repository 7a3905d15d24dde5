import Ledger
import TestSupport
import Testing

@testable import Ledger
@testable import Replication

/// What is handed to the disk, and what comes of it.
@Suite(.timeLimit(.minutes(5))) struct `What is handed to the disk` {
    private let ledger: TestLedger
    private let directory: TemporaryDirectory
    private let outcomes = AsyncStream.makeStream(of: DiskThread.Outcome.self)

    init() throws {
        ledger = try TestLedger()
        directory = try TemporaryDirectory()
    }

    private func disk(mapBytes: Int = 64 << 20) throws -> DiskThread {
        let schema = Store.Schema(
            format: LogTables.schema.format, tables: LogTables.schema.tables, mapBytes: mapBytes)
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full), schema: schema)
        return try DiskThread(
            log, report: { _ in },
            onOutcome: { [outcomes] outcome, _ in outcomes.continuation.yield(outcome) })
    }

    /// The next outcome, of those that were returned or of those that come later.
    private func next(_ returned: [DiskThread.Outcome]) async -> DiskThread.Outcome? {
        if let first = returned.first { return first }
        var iterator = outcomes.stream.makeAsyncIterator()
        return await iterator.next()
    }

    private func state(_ ticket: UInt64, isAwaited: Bool = true) -> SafetyRecord {
        var record = SafetyRecord(ticket: SaveTicket(ticket))
        record.state = SafetyState()
        record.isAwaited = isAwaited
        return record
    }

    /// What comes after a refusal may rest on what was refused, until the replica has heard of it.
    @Test func `is refused after a refusal, until the replica knows`() async throws {
        let disk = try disk(mapBytes: 640 << 10)
        let label = ("l", String(repeating: "x", count: 1000))
        let measures = try (0..<800).map { try ledger.measure("m\($0)", labels: [label]) }
        let large = try ledger.checker.check(
            try ledger.kpis(id: "large", measures, by: ledger.identities.ci2), expecting: .sealed,
            state: ledger.initialState, clock: ledger.start)
        let tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        let extended = tip.extended(
            by: [large.entry], view: View(0), epoch: Epoch(0), clock: ledger.start)
        var record = SafetyRecord(ticket: SaveTicket(1))
        record.steps = [
            .append(
                AcceptedBlock(
                    block: extended.block, entries: [large], completed: extended.completed, tip: extended.tip,
                    state: try ledger.initialState))
        ]
        guard case .failed(SaveTicket(1), .full)? = await next(disk.save(record)) else {
            Issue.record("a full disk took the block")
            return
        }
        // The journal would have room for these.
        #expect(disk.save(state(2)).isEmpty)
        disk.mend()
        guard case .durable(SaveTicket(3))? = await next(disk.save(state(3))) else {
            Issue.record("the disk was not mended")
            return
        }
        #expect(disk.flushCount == 1)
    }

    @Test func `is written in a moment though nobody waits for it`() async throws {
        let disk = try disk()
        #expect(disk.save(state(1, isAwaited: false)).isEmpty)
        guard case .durable(SaveTicket(1))? = await next([]) else {
            Issue.record("it was not written")
            return
        }
    }

    @Test func `is on the disk with what comes next, and before what is to be done behind it`()
        async throws
    {
        let disk = try disk()
        #expect(disk.save(state(1, isAwaited: false)).isEmpty)
        var durable = SaveTicket(0)
        var returned = disk.save(state(2))
        while durable < SaveTicket(2) {
            guard case .durable(let ticket)? = await next(returned) else { break }
            (durable, returned) = (ticket, [])
        }
        #expect(durable == SaveTicket(2))
        #expect(disk.save(state(3, isAwaited: false)).isEmpty)
        try disk.finish { log throws(StoreError) in _ = try log.safety() }
        guard case .durable(SaveTicket(3))? = await next([]) else {
            Issue.record("it was left behind")
            return
        }
    }
}
