import Foundation
import Ledger
import Query

/// How fast the follower's store takes documents, and what some questions to it cost.
struct QueriesBench {
    private let bench: Workbench
    private static let documents = 20_000
    /// As the follower applies them.
    private static let batch = 512

    init(_ bench: Workbench) { self.bench = bench }

    func run() throws {
        let ledger = bench.ledger
        let opened = try QueryStore.open(directory: bench.directory + "/query", ledger: ledger.ledgerID)
        let now = BenchLedger.now()
        // Four hours, a document each 0.72 s.
        let first = now.advanced(byMilliseconds: -Int64(Self.documents) * 720)
        let feed = try (0..<Self.documents).map { number in
            let time = first.advanced(byMilliseconds: Int64(number) * 720)
            // As a node has it: read from its XML, which gives each measure the label of its pipeline.
            let xml = Array(try ledger.document("query-\(number)", number: number, at: time).xml.utf8)
            guard case .kpis(let document) = try DocumentParser().parse(xml) else {
                throw BenchFailure("our own document holds measures")
            }
            return FeedEntry(
                index: EntryIndex(UInt64(number)), blockHeight: BlockHeight(UInt64(number) + 1),
                blockTime: time,
                document: document)
        }
        var taken = Series()
        for start in stride(from: 0, to: feed.count, by: 4 * Self.batch) {
            let part = feed[start..<min(feed.count, start + 4 * Self.batch)]
            let time = try seconds {
                var rest = part
                while !rest.isEmpty {
                    _ = try opened.store.apply(Array(rest.prefix(Self.batch)))
                    rest = rest.dropFirst(Self.batch)
                }
            }
            taken.add(Double(part.count) / time)
        }

        var report = Report(
            "The query store: \(Self.documents) documents of three measures, 150 series, one thread")
        report.add("documents followed, \(Self.batch) a transaction", .perSecond, taken)
        let engine = QueryEngine(store: opened.store)
        let metric = #"{"cicd.pipeline.run.duration"}"#
        let series = try opened.store.status().series
        guard series == 150 else { throw BenchFailure("\(series) series") }
        for (name, query) in [
            ("newest sample of 50 series", metric),
            ("sum of averages over 4 h", "sum(avg_over_time(\(metric)[4h]))"),
            ("maximum over 4 h by series", "max_over_time(\(metric)[4h])"),
        ] {
            guard case .vector(let found) = try engine.instant(query, at: now), !found.isEmpty else {
                throw BenchFailure("\(query) finds nothing")
            }
            var times = Series()
            for _ in 0..<bench.rounds * 10 {
                times.add(try seconds { _ = try engine.instant(query, at: now) } * 1e6)
            }
            report.add(name, .microseconds, times)
        }
        var times = Series()
        for _ in 0..<bench.rounds * 2 {
            times.add(
                try seconds {
                    _ = try engine.range(
                        "sum(avg_over_time(\(metric)[5m]))", from: first, through: now,
                        stepMilliseconds: 60_000)
                } * 1e6)
        }
        report.add("averages over 5 m, 240 points", .microseconds, times)
        report.print()
    }
}
