import Foundation
import TestSupport
import Testing

@testable import Ledger

/// What a node must remember of its votes.
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

    @Test func `costs no transaction of LMDB, alone or with a block, until the journal is full`() throws {
        var tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        let log = try open()
        let before = try transactions()
        for step: UInt8 in 1...200 {
            try log.save(alone([step]))
            var change = block(&tip)
            change.safety = [step, step]
            try log.save(change)
        }
        #expect(try transactions() == before)
        for _ in 0..<1024 { try log.save(alone([7])) }
        #expect(try transactions() != before)
        #expect(try log.safety() == [7])
        #expect(try log.tipHeight() == BlockHeight(200))
    }

    @Test func `is seen to be missing where the journal is gone, by whoever opens the log`() throws {
        do {
            var tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
            let log = try open()
            try log.save(alone([1]))
            try log.save(block(&tip))
        }
        try FileManager.default.removeItem(atPath: directory.path + "/journal")
        for access in [Store.Access.writing(.full), .writing(.lastCommitMayBeLost), .reading] {
            let failure = #expect(throws: StoreError.self) { try open(access) }
            guard case .damaged = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
    }
}

/// The keys of payloads lie in the journal before their slots are flushed.
@Suite struct `Keys in the journal` {
    private let directory: TemporaryDirectory
    private let ledger: TestLedger

    init() throws {
        directory = try TemporaryDirectory()
        ledger = try TestLedger()
    }

    private func open(_ path: String) throws -> LogStore {
        try LogStore(directory: path, genesis: ledger.genesisHeader, access: .writing(.full))
    }

    private func save(_ ids: [String], to log: LogStore) throws -> [[UInt8]] {
        var tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        var contentKeys: [[UInt8]] = []
        for id in ids {
            let entry = try ledger.checker.check(
                try ledger.kpis(id: id, by: ledger.identities.ci2), expecting: .sealed,
                state: ledger.initialState, clock: ledger.start)
            contentKeys.append(try #require(entry.entry.sealed).contentKey)
            let made = tip.extended(by: [entry.entry], view: View(0), epoch: Epoch(0), clock: ledger.start)
            tip = made.tip
            var change = LogStore.Change()
            change.append = [.init(block: made.block, facts: [entry.facts], completed: made.completed)]
            try log.save(change)
        }
        return contentKeys
    }

    private func isHeld(_ index: UInt64, in log: LogStore) throws -> Bool {
        guard case .held = try log.entry(EntryIndex(index)).payload else { return false }
        return true
    }

    @Test func `are in their slots again where a loss of power took them from there`() throws {
        let log = try open(directory.path)
        _ = try save(["a", "b", "c"], to: log)
        let copy = try TemporaryDirectory()
        for name in ["log", "journal"] {
            try FileManager.default.copyItem(
                atPath: directory.path + "/" + name, toPath: copy.path + "/" + name)
        }
        // The file of keys as the disk has it, if nothing was flushed.
        try Data().write(to: URL(filePath: copy.path + "/keys"))
        // An auditor finds them before the node does.
        for access in [Store.Access.reading, .writing(.full)] {
            let again = try LogStore(directory: copy.path, genesis: ledger.genesisHeader, access: access)
            for index in 0..<3 as Range<UInt64> { #expect(try isHeld(index, in: again)) }
        }
    }

    @Test func `are found by who reads the directory beside the running node`() throws {
        let log = try open(directory.path)
        _ = try save(["a", "b"], to: log)
        let elsewhere = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .reading)
        #expect(try elsewhere.tipHeight() == BlockHeight(2))
        for index in 0..<2 as Range<UInt64> { #expect(try isHeld(index, in: elsewhere)) }
        try log.erase(EntryIndex(1))
        #expect(try [0, 1].map { try isHeld($0, in: elsewhere) } == [true, false])
    }

    @Test func `do not hide that the file of keys was lost`() throws {
        let log = try open(directory.path)
        _ = try save(["a"], to: log)
        try log.settle()
        var change = LogStore.Change()
        change.safety = [1]
        try log.save(change)
        let copy = try TemporaryDirectory()
        for name in ["log", "journal"] {
            try FileManager.default.copyItem(
                atPath: directory.path + "/" + name, toPath: copy.path + "/" + name)
        }
        try Data().write(to: URL(filePath: copy.path + "/keys"))
        #expect(throws: StoreError.self) { try open(copy.path) }
        let slots = try KeySlots(path: copy.path + "/keys", writing: true)
        let keys = [UInt8](repeating: 1, count: 64)
        for slot in [1, 1 << 40, UInt64.max] as [UInt64] {
            #expect(
                throws: StoreError.damaged(place: copy.path + "/keys", reason: "it is shorter than it was")
            ) {
                try slots.put(slot.keyBytes, keys)
            }
            #expect(try slots.read(slot) == .absent)
        }
        try slots.put(UInt64(0).keyBytes, keys)
        #expect(try slots.read(0) == KeySlots.Keys(bytes: keys).map(KeySlots.Slot.held))
        #expect(KeySlots.Keys(bytes: Array(keys.dropLast())) == nil)
    }

    @Test func `are nowhere after an erasure, nor come back with a crash`() throws {
        let log = try open(directory.path)
        let keys = try save(["a", "b", "c"], to: log)
        func files(holding key: [UInt8]) throws -> [String] {
            try ["journal", "keys", "log/data.mdb"].filter { name in
                try Data(contentsOf: URL(filePath: directory.path + "/" + name)).range(of: Data(key)) != nil
            }
        }
        #expect(try files(holding: keys[1]) == ["journal", "keys"])
        try log.erase(EntryIndex(1))
        #expect(try files(holding: keys[1]) == [])
        #expect(try files(holding: keys[2]) == ["keys"])
        let copy = try TemporaryDirectory()
        for name in ["log", "journal", "keys"] {
            try FileManager.default.copyItem(
                atPath: directory.path + "/" + name, toPath: copy.path + "/" + name)
        }
        let again = try open(copy.path)
        #expect(try [0, 1, 2].map { try isHeld($0, in: again) } == [true, false, true])
    }
}
