import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct `An export` {
    private struct Row: Equatable {
        let name: String
        let labels: [Label]
        let sample: Sample
    }

    private func rows(_ export: SampleExport) throws -> (rows: [Row], largestPage: Int) {
        var export = export
        var rows: [Row] = []
        var largest = 0
        while let page = try export.next() {
            #expect(!page.samples.isEmpty)
            largest = max(largest, page.samples.count)
            rows += page.samples.map { Row(name: page.series.name, labels: page.series.labels, sample: $0) }
        }
        #expect(try export.count() == UInt64(rows.count))
        return (rows, largest)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `holds every sample once, by series and by time`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var entries: [FeedEntry] = []
        var expected: [Row] = []
        for index in 0..<120 as Range<UInt64> {
            let measures = try (0..<Int.random(in: 1...40, using: &random)).map { _ in
                let time: Int64 =
                    Bool.random(using: &random)
                    ? .random(in: -5...5, using: &random)
                    : .random(in: -4_000_000...4_000_000, using: &random)
                return try measure(
                    ["a", "b.c", "x"].randomElement(using: &random) ?? "a",
                    ["n": "\(Int.random(in: 0..<3, using: &random))"], at: time,
                    "\(Int.random(in: -9...9, using: &random)).25")
            }
            entries.append(try feed(index, measures))
            for (place, measure) in measures.enumerated() where measure.name != "x" {
                let sample = Sample(
                    time: measure.time.milliseconds, index: EntryIndex(index), position: UInt32(place),
                    value: measure.value)
                expected.append(Row(name: measure.name, labels: measure.labels, sample: sample))
            }
        }
        let fixture = try StoreFixture(entries)
        func sorted(_ rows: [Row]) -> [Row] {
            rows.sorted {
                ($0.name, $0.labels[0].value, $0.sample.time, $0.sample.index.value, $0.sample.position)
                    < (
                        $1.name, $1.labels[0].value, $1.sample.time, $1.sample.index.value,
                        $1.sample.position
                    )
            }
        }
        for (start, end) in [(-5_000_000, 5_000_000), (-2, 3), (0, 0), (1_000_001, 3_000_000)] {
            let export = try SampleExport(
                fixture.store, ["a", "{__name__=\"b.c\"}", "{__name__=~\"a|b_c\", n!=\"7\"}"],
                from: try time(Int64(start)), through: try time(Int64(end)), pageSamples: 7)
            let (found, largest) = try rows(export)
            let inside = sorted(expected.filter { (Int64(start)...Int64(end)).contains($0.sample.time) })
            #expect(found == inside)
            // More only of one millisecond.
            let ofOneMoment = Dictionary(grouping: inside) { "\($0.name) \($0.labels) \($0.sample.time)" }
            #expect(largest <= max(7, ofOneMoment.values.map(\.count).max() ?? 0))
        }
    }

    @Test func `is of one moment, whatever comes while it is read`() throws {
        let fixture = try StoreFixture([
            try feed(0, [measure("a", at: 1, "1"), measure("a", at: 2, "2"), measure("b", at: 1, "3")]),
            try feed(1, [measure("a", at: 3, "4")]),
        ])
        var export = try SampleExport(
            fixture.store, ["{__name__=~\"a|b|c\"}"], from: .earliest, through: .latest, pageSamples: 1)
        var values = [try #require(try export.next()).samples[0].value.description]
        _ = try fixture.store.apply([
            try feed(
                2, [measure("a", at: 2, "5"), measure("b", at: 0, "6"), measure("c", at: 1, "7")], replaces: 0
            ),
            try feed(3, nil, erases: [1]),
        ])
        while let page = try export.next() { values += page.samples.map(\.value.description) }
        // As it was, but for what is gone for ever.
        #expect(values == ["1", "2", "3"])
        let now = try rows(
            SampleExport(fixture.store, ["{__name__=~\"a|b|c\"}"], from: .earliest, through: .latest)
        ).rows
        #expect(now.map(\.sample.value.description) == ["5", "6", "7"])
        let then = try rows(
            SampleExport(fixture.store, ["a"], from: .earliest, through: .latest, asOf: 1)
        ).rows
        #expect(then.map(\.sample.value.description) == ["1", "2"])
    }

    @Test func `is refused without a selector, or with one that is none`() throws {
        let fixture = try StoreFixture()
        for selectors in [[], ["sum(a)"], ["a", "{"], ["{}"]] {
            #expect(throws: QueryError.self) {
                _ = try SampleExport(fixture.store, selectors, from: .earliest, through: .latest)
            }
        }
    }
}
