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
        checked.forget(Array(entries.prefix(2)))
        #expect(entries.map { isKnown($0, checked) } == [false, false, true])
        // Final twice, as in a node that catches up; or never seen here.
        checked.forget(entries.prefix(2) + [try entry("d")])
        #expect(isKnown(entries[2], checked))
    }

    /// A document that comes once more when it is final would stay for ever in a ledger with little to do.
    @Test func `are forgotten where they come again when they are final`() throws {
        let (late, erased) = (try entry("late"), try entry("erased"))
        let checked = CheckedEntries()
        checked.forget([late])
        checked.insert(late)
        let others = [CheckedEntry](repeating: try entry("other"), count: Limits.waitingEntries / 2)
        for _ in 0..<3 { checked.forget(others) }
        #expect(isKnown(late, checked), "those of the newer generation become the older first")
        checked.forget(others)
        #expect(!isKnown(late, checked))
        checked.insert(erased)
        checked.forgetAll()
        #expect(!isKnown(erased, checked))
    }

    @Test func `are forgotten where too many never become final, the older first`() throws {
        let checked = CheckedEntries(generationBytes: 3 * (try entry("a").entry.byteCount))
        let entries = try (0..<9).map { try entry("document \($0)") }
        for entry in entries { checked.insert(entry) }
        #expect(!isKnown(entries[0], checked))
        #expect(isKnown(entries[8], checked))
        // Those of the older generation are forgotten as well when they are final, and those that are in both.
        let kept = entries.filter { isKnown($0, checked) }
        #expect((3...6).contains(kept.count))
        checked.insert(try #require(kept.first))
        checked.forget(kept)
        #expect(!kept.contains { isKnown($0, checked) })
    }
}
