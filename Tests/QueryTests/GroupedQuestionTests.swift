import Ledger
import TestSupport
import Testing

@testable import Query

/// Aggregations that are answered from all series of a group at once, against a loop over all samples.
@Suite struct `A question to many series at once` {
    private struct Event {
        let name: String
        let labels: [String: String]
        let time: Int64
        let nanos: Int128
        let value: Quantity
    }

    private let events: [Event]
    private let fixture: StoreFixture
    /// Some series more than an aggregate is asked of one by one.
    private static let seriesCount = 30

    init() throws {
        var generator = SeededGenerator(seed: 11)
        var events: [Event] = []
        var entries: [FeedEntry] = []
        for number in 0..<400 as Range<UInt64> {
            var measures: [Measure] = []
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let series = Int.random(in: 0..<Self.seriesCount, using: &generator)
                // Mostly in the order of time, as events come; some late.
                let late =
                    Bool.random(using: &generator) ? 0 : Int64.random(in: 0...300_000, using: &generator)
                let time = Int64(number) * 2500 - late
                let labels = [
                    "pipeline": "p\(series % 4)", "result": series % 3 == 0 ? "failed" : "passed",
                    "n": "\(series)",
                ]
                let text = "\(Int.random(in: -2000...9000, using: &generator)).\(series)5"
                let one = try measure(series < 25 ? "a.b" : "c", labels, at: time, text)
                measures.append(one)
                events.append(
                    Event(
                        name: series < 25 ? "a_b" : "c", labels: labels, time: time, nanos: one.value.nanos,
                        value: one.value))
            }
            entries.append(try feed(number, measures))
        }
        self.events = events
        fixture = try StoreFixture()
        for start in stride(from: 0, to: entries.count, by: 37) {
            _ = try fixture.store.apply(Array(entries[start..<min(start + 37, entries.count)]))
        }
        try fixture.store.checkTrees()
    }

    private func expected(
        by names: [String], window: Int64, at time: Int64, where isWanted: (Event) -> Bool,
        _ amount: ([Event]) -> Double
    ) -> [LabelSet: Double] {
        var groups: [LabelSet: [Event]] = [:]
        for event in events where isWanted(event) && event.time > time - window && event.time <= time {
            let labels = LabelSet(
                names.compactMap { name in event.labels[name].map { Label(name: name, value: $0) } })
            groups[labels, default: []].append(event)
        }
        return groups.mapValues(amount)
    }

    private static func sum(_ events: [Event]) -> Double {
        ExactSum.double(nanos: events.reduce(0) { $0 + $1.nanos })
    }

    private static func quantile(_ events: [Event]) -> Double {
        let sorted = events.map(\.value).sorted()
        return LogBuckets.middle(
            of: LogBuckets.key(of: sorted[max(0, Int((0.9 * Double(sorted.count)).rounded(.up)) - 1)].double))
    }

    @Test(arguments: [
        "sum(sum_over_time(a_b[W]))", "sum by (pipeline) (sum_over_time(a_b[W]))",
        "sum by (result) (count_over_time(a_b[W]))", "sum by (pipeline, n) (sum_over_time({\"a.b\"}[W]))",
        "max(max_over_time(a_b{result=\"failed\"}[W]))", "min by (pipeline) (min_over_time(a_b[W]))",
        "sum(count_over_time(a_b{pipeline=\"p1\"}[W]))", "merged_quantile_over_time(0.9, a_b[W])",
        "merged_quantile_over_time by (pipeline) (0.9, a_b[W])",
        "merged_quantile_over_time by (n) (0.9, a_b{pipeline=~\"p[12]\"}[W])",
    ])
    func `is answered as a loop over all samples answers it`(question: String) throws {
        let names =
            question.split(separator: "by (").dropFirst().first?.prefix { $0 != ")" }
            .split(separator: ", ").map(String.init) ?? []
        let isWanted: (Event) -> Bool = { event in
            event.name == "a_b" && (!question.contains("failed") || event.labels["result"] == "failed")
                && (!question.contains("\"p1\"") || event.labels["pipeline"] == "p1")
                && (!question.contains("p[12]") || ["p1", "p2"].contains(event.labels["pipeline"]))
        }
        let amount: ([Event]) -> Double =
            if question.contains("sum_over_time") { Self.sum } else if question.contains("count_over_time") {
                { Double($0.count) }
            } else if question.contains("max_over_time") {
                { $0.map(\.value).max()?.double ?? .nan }
            } else if question.contains("min_over_time") {
                { $0.map(\.value).min()?.double ?? .nan }
            } else { Self.quantile }
        // Windows of few and of many samples, that do not meet, and that overlap.
        for (window, step, count) in [
            (1_000_000, 0, 1), (77_777, 0, 1), (13_000, 13_000, 60), (400_000, 9000, 90), (50, 100_000, 8),
        ] as [(Int64, Int64, Int64)] {
            let text = question.replacing("[W]", with: "[\(window)ms]")
            let start: Int64 = 700_001
            let grid = (0..<count).map { start - 500_000 + $0 * step }
            var found: [LabelSet: [Int64: Double]] = [:]
            switch count == 1
                ? try fixture.engine.instant(text, at: time(grid[0]))
                : try fixture.engine.range(
                    text, from: time(grid[0]), through: time(grid[grid.count - 1]), stepMilliseconds: step)
            {
            case .vector(let series), .matrix(let series):
                for one in series {
                    for point in one.points { found[one.labels, default: [:]][point.time] = point.value }
                }
            case .scalar, .string: Issue.record("a vector is asked for")
            }
            var wanted: [LabelSet: [Int64: Double]] = [:]
            for moment in grid {
                let answer = expected(by: names, window: window, at: moment, where: isWanted, amount)
                for (labels, value) in answer { wanted[labels, default: [:]][moment] = value }
            }
            #expect(found == wanted, "\(text)")
        }
    }

    @Test func `does not visit every series where aggregates are kept`() throws {
        let explained = try fixture.engine.explain(
            "sum(sum_over_time(a_b[10m]))", from: nil, through: try time(900_000))
        #expect(explained.selectors.map(\.series) == [1])
        #expect(explained.selectors.map(\.way) == [.rollups])
        // By a label that no aggregate knows, each series is asked.
        let each = try fixture.engine.explain(
            "sum by (n) (sum_over_time(a_b[10m]))", from: nil, through: try time(900_000))
        #expect(each.selectors.map(\.series) == [25])
    }

    @Test func `does not visit every series of a group that the configuration declares`() throws {
        var entries: [FeedEntry] = []
        for number in 0..<40 as Range<UInt64> {
            entries.append(
                try feed(
                    number,
                    [
                        measure(
                            "a", ["n": "\(number)", "branch": "b\(number % 2)", "result": "passed"],
                            at: Int64(number) * 1000, "\(number)")
                    ]))
        }
        let text = "sum by (branch) (sum_over_time(a[10m]))"
        func answer(_ aggregates: [[String]]) throws -> (values: [String], series: [Int]) {
            let fixture = try StoreFixture(entries, aggregates: try AggregateKinds(declared: aggregates))
            return (
                try fixture.engine.show(text, at: 60_000),
                try fixture.engine.explain(text, from: nil, through: try time(60_000)).selectors.map(\.series)
            )
        }
        let kept = try answer([["branch"], ["result", "branch"]])
        let each = try answer([])
        #expect(kept.series == [2])
        #expect(each.series == [40])
        #expect(kept.values == each.values)
        #expect(kept.values.count == 2)
    }

    @Test func `declared in a configuration is what it should be, or refused`() throws {
        func error(_ declared: [[String]]) -> QuerySettingsError? {
            do {
                _ = try AggregateKinds(declared: declared)
                return nil
            } catch { return error }
        }
        #expect(
            try AggregateKinds(declared: [["b", "a"], ["pipeline"], ["a", "b"], []]).labels
                == [[], ["pipeline"], ["a", "b"]], "sorted, each once, with what every store keeps")
        let wrong: [([[String]], String)] = [
            (Array(repeating: ["a"], count: 9), "aggregates"), ([["a"], ["b", ""]], "aggregates[1][1]"),
            ([["__name__"]], "aggregates[0][0]"), ([["a", "b", "a"]], "aggregates[0][2]"),
            ([["vcs.ref.head.name"]], "aggregates[0][0]"),
            ([(0..<9).map { "l\($0)" }], "aggregates[0]"),
        ]
        for (declared, place) in wrong {
            let found = error(declared)
            #expect(found?.place == place)
            #expect(found?.reason.isEmpty == false)
            #expect(found?.remedy.isEmpty == false)
        }
    }

    @Test func `still tells names apart that the question would mix`() throws {
        // Two series that differ in their name alone are one too many, as Prometheus has it.
        let clash = try StoreFixture([
            feed(0, [measure("x", at: 0, "1"), measure("y", at: 0, "2")])
        ])
        #expect(throws: QueryError.self) {
            try clash.engine.show("sum(sum_over_time({__name__=~\"x|y\"}[1m]))", at: 0)
        }
        #expect(try clash.engine.show("sum(sum_over_time({__name__=~\"x\"}[1m]))", at: 0) == ["{} 1"])
    }
}
