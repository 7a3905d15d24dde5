import Foundation
import TestSupport
import Testing

@testable import Ledger

/// What a node must remember of its votes, in the log and beside it.
@Suite struct `A node's memory of its votes` {
    private let directory: TemporaryDirectory
    private let ledger: TestLedger

    init() throws {
        directory = try TemporaryDirectory()
        ledger = try TestLedger()
    }

    private func open(_ access: Store.Access = .writing(.full)) throws -> LogStore {
        try LogStore(directory: directory.path, genesis: ledger.genesisHeader, access: access)
    }

    private func alone(_ state: [UInt8]) -> LogStore.Change {
        var change = LogStore.Change()
        change.safety = state
        return change
    }

    /// An empty block on top of `tip`.
    private func block(_ tip: inout ChainTip) -> LogStore.Change {
        let extended = tip.extended(by: [], view: View(0), epoch: Epoch(0), clock: ledger.start)
        tip = extended.tip
        var change = LogStore.Change()
        change.append = [.init(block: extended.block, facts: [], completed: extended.completed)]
        return change
    }

    /// The two pages in which LMDB numbers its transactions.
    private func transactions() throws -> Data {
        try Data(contentsOf: URL(filePath: directory.path + "/log/data.mdb")).prefix(8192)
    }

    @Test func `is the newest state, whether it came alone or with a block`() throws {
        var tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        var expected: [UInt8]?
        var log: LogStore? = try open()
        #expect(try log?.safety() == nil)
        for step: UInt8 in 1...40 {
            switch step % 4 {
            case 0: try log?.save(block(&tip))
            case 1:
                var change = block(&tip)
                change.safety = [step]
                expected = [step]
                try log?.save(change)
            default:
                expected = [step, step]
                try log?.save(alone([step, step]))
            }
            #expect(try log?.safety() == expected)
            if step % 3 == 0 {
                // One process writes: the first must be closed.
                log = nil
                log = try open()
                #expect(try log?.safety() == expected, "after step \(step)")
            }
        }
    }

    @Test func `costs no transaction where nothing else changes, and one where it is too large`() throws {
        let log = try open()
        try log.save(alone([1]))
        let before = try transactions()
        try log.save(alone([2]))
        #expect(try transactions() == before)
        let large = [UInt8](repeating: 3, count: VoteSlots.stateBytes + 1)
        try log.save(alone(large))
        #expect(try transactions() != before)
        #expect(try log.safety() == large)
        try log.save(alone([4]))
        #expect(try log.safety() == [4])
    }

    @Test func `is seen to be missing where its file is gone`() throws {
        do {
            var tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
            let log = try open()
            try log.save(alone([1]))
            try log.save(block(&tip))
        }
        try FileManager.default.removeItem(atPath: directory.path + "/votes")
        let failure = #expect(throws: StoreError.self) { try open() }
        guard case .damaged = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }
}
