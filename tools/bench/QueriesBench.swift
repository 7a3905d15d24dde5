import Foundation
import Ledger
import Query

/// How fast the query store takes KPI events, what it needs for them, and what questions to it cost.
struct QueriesBench {
    let directory: String
    let events: Int
    let rounds: Int
    /// As a follower applies them that has some way to go.
    private static let batch = 1024

    func run() throws {
        let store = try feed(latePercent: 2, "query")
        _ = store
    }

    /// Fills a store, and reports how that went.
    private func feed(latePercent: Int, _ name: String) throws -> QueryStore {
        let path = directory + "/" + name
        let store = try QueryStore.open(directory: path, ledger: Digest.sha256([1])).store
        var source = KPIEvents(count: events, latePercent: latePercent)
        var index: UInt64 = 0
        var (wall, processor) = (0.0, 0.0)
        while true {
            var batch: [FeedEntry] = []
            while batch.count < Self.batch, let document = source.document() {
                batch.append(try KPIEvents.entry(document, index))
                index += 1
            }
            if batch.isEmpty { break }
            let before = Machine.processorSeconds
            wall += try seconds { _ = try store.apply(batch) }
            processor += Machine.processorSeconds - before
        }
        let status = try store.status()
        guard status.samples == events else { throw BenchFailure("\(status.samples) samples of \(events)") }
        let count = Double(events)
        say(
            "\(events) events, \(latePercent) % late: \(Int(count / wall)) a second, "
                + "\(Int(count / processor)) a second of one core's time, "
                + String(format: "%.2f bytes an event", Double(status.usedBytes) / count))
        for (table, bytes) in status.tableBytes.sorted(by: { $0.value > $1.value }) {
            say("  \(table): " + String(format: "%.2f bytes an event", Double(bytes) / count))
        }
        return store
    }
}
