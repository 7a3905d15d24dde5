import Ledger
import Replication
import TestSupport
import Testing

@Suite struct `A ledger of one node` {
    let ledger: TestLedger
    let directory: TemporaryDirectory

    init() throws {
        ledger = try TestLedger()
        directory = try TemporaryDirectory()
    }

    @Test func `orders documents, sessions and records, and reads them back`() async throws {
        let running = try ledger.open(in: directory)
        let session = try ledger.session(by: ledger.identities.ci2)
        #expect(try await running.append(session.submission).index == EntryIndex(0))
        #expect(try await running.append(try ledger.kpis(id: "one")).index == EntryIndex(1))
        #expect(
            try await running.govern(try ledger.enrol(ledger.identities.newcomers[0], sequence: 1)).index
                .value == 2)
        let theirs = try ledger.kpis(id: "theirs", by: ledger.identities.newcomers[0])
        #expect(try await running.append(theirs).index.value == 3)
        #expect(try await running.govern(try ledger.erase(EntryIndex(1), sequence: 2)).index.value == 4)
        try await running.fill(2000, in: session)
        #expect(running.driver.published.size == 2005)
        let entries = try running.log.entries(EntryIndex(0)..<EntryIndex(2005))
        #expect(entries.count == 2005)
        guard case .erased = entries[1].payload else {
            Issue.record("an erased payload was read back")
            return
        }
    }
}
