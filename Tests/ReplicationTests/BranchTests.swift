import TestSupport
import Testing

@testable import Ledger
@testable import Replication

/// Blocks that a change of views left beside the chain.
@Suite struct `A log with branches` {
    private let ledger: TestLedger
    private let directory: TemporaryDirectory
    private let log: LogStore
    private let root: ChainTip

    init() throws {
        ledger = try TestLedger()
        directory = try TemporaryDirectory()
        log = try LogStore(directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full))
        root = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
    }

    private struct Made {
        let tip: ChainTip
        let row: LogStore.AppendedBlock
        var hash: Digest { tip.headerHash }
    }

    private func block(_ id: String, on parent: ChainTip, view: UInt64) throws -> Made {
        let entry = try ledger.checker.check(
            try ledger.kpis(id: id, by: ledger.identities.ci2), expecting: .sealed,
            state: ledger.initialState,
            clock: ledger.start)
        let made = parent.extended(
            by: [entry.entry], view: View(view), epoch: Epoch(0), clock: ledger.start)
        return Made(
            tip: made.tip,
            row: .init(block: made.block, facts: [entry.facts], completed: made.completed))
    }

    private func change(_ blocks: [Made], truncatingTo height: UInt64? = nil) -> LogStore.Change {
        var change = LogStore.Change()
        change.truncateTo = height.map { BlockHeight($0) }
        change.append = blocks.map(\.row)
        return change
    }

    private func slots(of block: Made) throws -> [UInt64] {
        let tables = log.tables
        return try log.store.read { transaction throws(StoreError) in
            try tables.storedEntries(of: block.tip.header.height, block.hash, in: transaction).map(\.slot)
        }
    }

    @Test func `keeps what it left, and takes it up again under its old keys`() throws {
        let first = try block("a", on: root, view: 0)
        let rival = try block("b", on: root, view: 1)
        try log.save(change([first]))
        let before = try slots(of: first)
        try log.save(change([rival], truncatingTo: 0))
        #expect(try log.index(of: .init(submitter: "ci2", id: "a")) == nil)
        let both = try log.blocks(above: .genesis)
        #expect(Set(both.map(\.hash)) == [first.hash, rival.hash])
        #expect(both.filter(\.isOnChain).map(\.hash) == [rival.hash])
        try log.save(change([first], truncatingTo: 0))
        #expect(try slots(of: first) == before)
        #expect(try log.chainTip(at: BlockHeight(1)) == first.tip)
        let entry = try #require(try log.block(rival.hash, at: BlockHeight(1))?.entries.first)
        guard case .held = entry.payload else {
            Issue.record("the payload of the rival is not there")
            return
        }
    }

    @Test func `destroys the keys of what can never become final`() throws {
        let first = try block("a", on: root, view: 0)
        let rival = try block("b", on: root, view: 1)
        // It holds the first one's document, at another height.
        let child = try block("a", on: rival.tip, view: 1)
        try log.save(change([rival, child]))
        try log.save(change([first], truncatingTo: 0))
        let dead = try slots(of: rival) + slots(of: child)
        #expect(dead.count == 2)
        #expect(try log.branchesAbove() == .genesis)
        #expect(try log.prune(upTo: BlockHeight(1)) == false)
        for slot in dead { #expect(try log.slots.read(slot) == .erased) }
        #expect(try log.blocks(above: .genesis).map(\.hash) == [first.hash])
        #expect(try log.branchesAbove() == nil)
        let slot = try #require(try slots(of: first).first)
        guard case .held = try log.slots.read(slot) else {
            Issue.record("a living key was destroyed")
            return
        }
    }

    @Test func `keeps what descends from the final block until its own height is final`() throws {
        let first = try block("a", on: root, view: 0)
        let second = try block("b", on: first.tip, view: 0)
        let rival = try block("c", on: first.tip, view: 1)
        try log.save(change([first, second]))
        try log.save(change([rival], truncatingTo: 1))
        #expect(try log.prune(upTo: BlockHeight(1)))
        #expect(try log.blocks(above: BlockHeight(1)).count == 2)
        #expect(try log.prune(upTo: BlockHeight(2)) == false)
        #expect(try log.blocks(above: BlockHeight(1)).map(\.hash) == [rival.hash])
    }

    @Test func `writes several changes in their order, all or none`() throws {
        let first = try block("a", on: root, view: 0)
        let rival = try block("b", on: root, view: 1)
        let child = try block("a", on: rival.tip, view: 1)
        var state = LogStore.Change()
        state.safety = [1, 2, 3]
        try log.save([
            change([first]), change([rival], truncatingTo: 0), change([child]), state,
            change([first], truncatingTo: 0), change([rival, child], truncatingTo: 0),
        ])
        #expect(try log.chainTip(at: BlockHeight(2)) == child.tip)
        #expect(try log.safety() == [1, 2, 3])
        #expect(try log.index(of: .init(submitter: "ci2", id: "a")) == EntryIndex(1))
        #expect(try log.prune(upTo: BlockHeight(2)) == false)
        #expect(try log.blocks(above: .genesis).count == 2)
    }

    @Test func `gives a replica every branch back`() throws {
        let first = try block("a", on: root, view: 0)
        let rival = try block("b", on: root, view: 1)
        let child = try block("c", on: rival.tip, view: 1)
        var state = SafetyState()
        state.view = View(1)
        var last = change([rival, child], truncatingTo: 0)
        last.safety = state.encoded
        try log.save([change([first]), last])
        let saved = try Replica.Saved(
            from: log, genesis: ledger.genesis, ledgerID: ledger.ledgerID, report: { _ in })
        #expect(Set(saved.blocks.map(\.headerHash)) == [first.hash, rival.hash, child.hash])
        #expect(saved.tip == child.hash)
        #expect(saved.safety == state)
        #expect(Replica(id: ReplicaID(0), from: saved).tip == child.tip)
    }

    @Test func `keeps evidence once, and not without bound`() throws {
        #expect(try log.keep(evidence: [1]))
        #expect(try !log.keep(evidence: [1]))
        for number in 0..<LogStore.evidenceLimit { _ = try log.keep(evidence: [2, UInt8(number & 255)]) }
        #expect(try log.evidence().count == LogStore.evidenceLimit)
        #expect(try log.safety() == nil)
    }
}
