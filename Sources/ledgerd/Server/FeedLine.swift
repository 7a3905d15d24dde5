import Foundation
import Ledger
import Query

/// One line of a feed: an entry as analysis takes it, or where the next one will be.
struct FeedLine: Encodable {
    struct Measure: Encodable {
        let name: String
        let unit: String
        let time: String
        /// Exact, as the document has it.
        let value: String
        let labels: [String: String]

        init(_ measure: Ledger.Measure) {
            name = measure.name
            unit = measure.unit
            time = measure.time.description
            value = measure.value.description
            labels = Dictionary(measure.labels.map { ($0.name, $0.value) }) { first, _ in first }
        }
    }

    private var index: UInt64?
    private var block: UInt64?
    private var blockTime: String?
    private var submitter: String?
    private var id: String?
    private var pipeline: String?
    private var run: String?
    /// The index of the entry that this one corrects.
    private var replaces: UInt64?
    private var measures: [Measure]?
    private var erases: [UInt64]?
    private var erased: Bool?
    private var next: UInt64?

    /// `nil` for an entry that says nothing to analysis: a session, or a governance record that erases nothing.
    ///
    /// - Throws: `StoreError.damaged`.
    init?(_ entry: LogEntry, in log: LogStore) throws(StoreError) {
        index = entry.index.value
        if case .erased = entry.payload {
            erased = true
            return
        }
        let feed = try FeedEntry(reading: entry, in: log)
        guard feed.document != nil || !feed.erases.isEmpty else { return nil }
        block = feed.blockHeight.value
        blockTime = feed.blockTime.description
        replaces = feed.replaces?.value
        if !feed.erases.isEmpty { erases = feed.erases.map(\.value) }
        guard let document = feed.document else { return }
        submitter = document.submitter
        id = document.id
        pipeline = document.pipeline
        run = document.run
        measures = document.measures.map(Measure.init)
    }

    /// Where a reader goes on that has read all before.
    init(next: EntryIndex) { self.next = next.value }

    /// With a line feed behind it.
    var bytes: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(self)) + [0x0A]
        }
    }
}
