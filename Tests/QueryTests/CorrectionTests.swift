import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Query

/// What the store must amount to, from all entries at once: no tree, no batch, no order of work.
private struct Recount {
    /// For each entry, what it brought and which entry it replaces.
    var entries: [(measures: [Measure], replaces: UInt64?)?] = []

    /// The samples that count when the log has `size` entries, by series.
    func samples(asOf size: Int) -> [String: [Sample]] {
        // For each document, the corrections of it that still exist, in order: the last counts.
        var origin: [UInt64: UInt64] = [:]
        var counting: [UInt64: UInt64] = [:]
        for (number, entry) in entries.prefix(size).enumerated() {
            let index = UInt64(number)
            guard let entry else { continue }
            if let replaced = entry.replaces {
                origin[index] = origin[replaced] ?? replaced
            }
            counting[origin[index] ?? index] = index
        }
        var result: [String: [Sample]] = [:]
        for index in Set(counting.values) {
            for (position, measure) in (entries[Int(index)]?.measures ?? []).enumerated() {
                let labels = measure.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
                result[measure.name + "{" + labels + "}", default: []].append(
                    Sample(
                        time: measure.time.milliseconds, index: EntryIndex(index),
                        position: UInt32(position), value: measure.value))
            }
        }
        return result.mapValues { $0.sorted { $0.precedes($1) } }
    }
}

@Suite struct `Samples, corrections and erasures` {
    private static let names = ["a", "b.c"]

    /// - Parameter isPlain: whether all values of a series have about the same digits, as they mostly do.
    private func randomMeasure(
        using generator: inout SeededGenerator, series: Int, isPlain: Bool
    ) throws -> Measure {
        // Late, at the same time, negative, tiny and huge.
        let time: Int64 =
            Bool.random(using: &generator)
            ? Int64.random(in: 0...40, using: &generator) * 1000
            : Int64.random(in: -2_000_000...2_000_000, using: &generator)
        let value =
            ["0", "-1", "0.000000001", "999999999999999999", "-999999999.999999999", "12.5"].randomElement(
                using: &generator) ?? "0"
        return try measure(
            Self.names[series % 2], ["n": "\(series)", "pipeline": "p\(series % 3)"], at: time,
            !isPlain && Bool.random(using: &generator)
                ? value : "\(Int.random(in: -5000...5000, using: &generator)).\(series % 10)5")
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `amount to what a recount from scratch finds, at every height`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let seriesCount = [2, 7, 30][Int(seed % 3)]
        let fixture = try StoreFixture()
        var recount = Recount()
        var pending: [FeedEntry] = []
        for number in 0..<260 as Range<UInt64> {
            var measures: [Measure] = []
            // With few series, enough for three levels.
            for _ in 0..<Int.random(in: 0...(seriesCount == 2 ? 60 : 12), using: &generator) {
                measures.append(
                    try randomMeasure(
                        using: &generator, series: Int.random(in: 0..<seriesCount, using: &generator),
                        isPlain: seed % 2 == 0))
            }
            let replaces =
                number > 0 && Int.random(in: 0..<6, using: &generator) == 0
                ? UInt64.random(in: 0..<number, using: &generator) : nil
            var erases: [UInt64] = []
            if number > 0, Int.random(in: 0..<12, using: &generator) == 0 {
                erases = [UInt64.random(in: 0..<number, using: &generator)]
            }
            let isDocument = erases.isEmpty
            pending.append(
                try feed(
                    number, isDocument ? measures : nil, replaces: isDocument ? replaces : nil, erases: erases
                ))
            recount.entries.append(isDocument ? (measures, replaces) : nil)
            for erased in erases { recount.entries[Int(erased)] = nil }
            if Int.random(in: 0..<20, using: &generator) == 0 {
                _ = try fixture.store.apply(pending)
                pending = []
                try fixture.store.checkTrees()
            }
        }
        _ = try fixture.store.apply(pending)
        try fixture.store.checkTrees()
        try check(fixture.store, recount, using: &generator)
        // From the beginning, in one batch, with what was erased gone from the start.
        let again = try StoreFixture(
            try recount.entries.enumerated().map { number, entry in
                try feed(UInt64(number), entry?.measures, replaces: entry?.replaces)
            })
        #expect(try again.store.digest() == fixture.store.digest())
    }

    private func check(
        _ store: QueryStore, _ recount: Recount, using generator: inout SeededGenerator
    ) throws {
        let tables = store.tables.trees
        for size in [recount.entries.count, 0, 1, 77, 130, 200, 259] {
            let expected = recount.samples(asOf: size)
            let asOf: UInt64 = size == recount.entries.count ? .max : UInt64(size)
            var found: [String: [Sample]] = [:]
            for series in store.index.withLock({ $0.all }) {
                let labels = series.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
                let name = series.name + "{" + labels + "}"
                let all = expected[name] ?? []
                for round in 0..<12 {
                    let ends = [
                        Int64.random(in: -2_000_001...2_000_001, using: &generator),
                        Int64.random(in: -2_000_001...2_000_001, using: &generator),
                    ].sorted()
                    let window =
                        round == 0
                        ? TimeWindow(after: .min, through: .max)
                        : round < 4
                            ? TimeWindow(after: Int64(round) * 1000, through: Int64(round) * 3000)
                            : TimeWindow(after: ends[0], through: ends[1])
                    let inside = all.filter { window.contains($0.time) }
                    try store.store.read { transaction throws(StoreError) in
                        let samples = try transaction.samples(
                            of: series.id, in: window, asOf: asOf, limit: .max, tables)
                        #expect(samples == inside)
                        if round == 0, samples?.isEmpty == false { found[name] = samples }
                        let rollup = try transaction.rollup(
                            of: series.id, in: window, asOf: asOf, .all, tables)
                        #expect(rollup == Rollup(inside))
                        let latest = try transaction.latest(of: series.id, in: window, asOf: asOf, tables)
                        #expect(latest == inside.last)
                        let buckets = try transaction.buckets(of: series.id, in: window, asOf: asOf, tables)
                        #expect(buckets == LogBuckets(inside))
                        let sum = try transaction.rollup(of: series.id, in: window, asOf: asOf, .sum, tables)
                        #expect(sum?.sum == Rollup(inside)?.sum)
                        let most = try transaction.rollup(
                            of: series.id, in: window, asOf: asOf, .extremes, tables)
                        #expect(most?.maximum == Rollup(inside)?.maximum)
                    }
                }
            }
            #expect(found == expected)
        }
    }

    @Test func `keeps a long run of corrections of one document in order`() throws {
        let count: UInt64 = 400
        let fixture = try StoreFixture(
            try (0..<count).map { number in
                try feed(
                    number, [measure("a", at: 1000, "\(number)")], replaces: number == 0 ? nil : number / 2)
            })
        try fixture.store.checkTrees()
        #expect(try fixture.engine.show("count_over_time(a[1m])", at: 1000) == ["{} 1"])
        #expect(try fixture.engine.show("a", at: 1000) == ["a \(count - 1)"])
        // The newest goes away, and the one before it counts again.
        #expect(try fixture.store.erase(EntryIndex(count - 1)) == 1)
        #expect(try fixture.engine.show("a", at: 1000) == ["a \(count - 2)"])
        try fixture.store.checkTrees()
    }
}
