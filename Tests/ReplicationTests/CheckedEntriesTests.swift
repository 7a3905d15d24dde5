import Ledger
import TestSupport
import Testing

@testable import Replication

/// What a node has opened once.
@Suite(.timeLimit(.minutes(20))) struct `Checked entries` {
    private let ledger: TestLedger
    private let state: LedgerState
    private let checker: EntryChecker

    init() throws {
        ledger = try TestLedger(members: 4)
        state = try ledger.initialState
        checker = try ledger.checker
    }

    private func entry(_ id: String) throws -> CheckedEntry {
        try checker.check(
            try ledger.kpis(id: id, by: ledger.identities.ci2), expecting: .sealed, state: state,
            clock: ledger.start)
    }

    private func isKnown(_ entry: CheckedEntry, _ checked: CheckedEntries) -> Bool {
        checked.find(EntryBytes(entry.entry)) != nil
    }

    @Test func `are found until they are final`() throws {
        let checked = CheckedEntries()
        let entries = try ["a", "b", "c"].map(entry)
        for entry in entries { checked.insert(entry) }
        #expect(entries.allSatisfy { isKnown($0, checked) })
        checked.forget(entries.prefix(2))
        #expect(entries.map { isKnown($0, checked) } == [false, false, true])
        // Final twice, as in a node that catches up; or never seen here.
        checked.forget(entries.prefix(2) + [try entry("d")])
        #expect(isKnown(entries[2], checked))
    }

    @Test func `are forgotten where too many never become final, the older first`() throws {
        let checked = CheckedEntries(generationBytes: 3 * (try entry("a").entry.byteCount))
        let entries = try (0..<9).map { try entry("document \($0)") }
        for entry in entries { checked.insert(entry) }
        #expect(!isKnown(entries[0], checked))
        #expect(isKnown(entries[8], checked))
        // Those of the older generation are forgotten as well when they are final.
        let kept = entries.filter { isKnown($0, checked) }
        #expect((3...6).contains(kept.count))
        checked.forget(kept)
        #expect(!kept.contains { isKnown($0, checked) })
    }
}
