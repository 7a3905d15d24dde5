import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct `A question` {
    private let minute: Int64 = 60_000

    private func fixture() throws -> StoreFixture {
        try StoreFixture([
            feed(
                0,
                [
                    measure(
                        "cicd.pipeline.run.duration", unit: "s",
                        ["pipeline": "web", "vcs.ref.head.name": "main"], at: 0, "10"),
                    measure(
                        "cicd.pipeline.run.duration", unit: "s",
                        ["pipeline": "api", "vcs.ref.head.name": "main"], at: 0, "20.5"),
                    measure(
                        "cicd.pipeline.run.duration", unit: "s",
                        ["pipeline": "api", "vcs.ref.head.name": "dev"], at: 0, "40"),
                ]),
            feed(
                1,
                [
                    measure(
                        "cicd.pipeline.run.duration", unit: "s",
                        ["pipeline": "web", "vcs.ref.head.name": "main"], at: minute, "-30"),
                    measure(
                        "test.cases", unit: "{case}", ["test.result": "passed", "pipeline": "web"],
                        at: minute, "1204"),
                    measure(
                        "test.cases", unit: "{case}", ["test.result": "failed", "pipeline": "web"],
                        at: minute, "6"),
                    measure("workers", ["pipeline": "web"], at: minute, "2"),
                    measure("workers", ["pipeline": "api"], at: minute, "4"),
                ]),
        ])
    }

    @Test(arguments: [
        (
            "cicd_pipeline_run_duration_seconds{pipeline=\"web\"}",
            ["cicd_pipeline_run_duration_seconds{pipeline=\"web\", vcs_ref_head_name=\"main\"} -30"]
        ),
        (
            "{\"cicd.pipeline.run.duration\", \"vcs.ref.head.name\"=\"dev\"}",
            ["cicd_pipeline_run_duration_seconds{pipeline=\"api\", vcs_ref_head_name=\"dev\"} 40"]
        ),
        (
            "cicd_pipeline_run_duration_seconds{vcs_ref_head_name!=\"main\"}",
            ["cicd_pipeline_run_duration_seconds{pipeline=\"api\", vcs_ref_head_name=\"dev\"} 40"]
        ),
        (
            "cicd_pipeline_run_duration_seconds{pipeline=~\"w.*\"} / 2",
            ["{pipeline=\"web\", vcs_ref_head_name=\"main\"} -15"]
        ),
        ("test_cases{test_result!~\"pass.*\"}", ["test_cases{pipeline=\"web\", test_result=\"failed\"} 6"]),
        (
            "{__name__=~\"test.*\", \"test.result\"=\"passed\"}",
            ["test_cases{pipeline=\"web\", test_result=\"passed\"} 1204"]
        ),
        ("test_cases{absent=\"\"} > 10", ["test_cases{pipeline=\"web\", test_result=\"passed\"} 1204"]),
        ("sum(test_cases)", ["{} 1210"]), ("avg(test_cases)", ["{} 605"]), ("min(test_cases)", ["{} 6"]),
        ("max(test_cases)", ["{} 1204"]), ("count(test_cases)", ["{} 2"]), ("group(test_cases)", ["{} 1"]),
        (
            "sum by (pipeline) (cicd_pipeline_run_duration_seconds)",
            ["{pipeline=\"api\"} 60.5", "{pipeline=\"web\"} -30"]
        ),
        (
            "sum without (pipeline) (cicd_pipeline_run_duration_seconds)",
            ["{vcs_ref_head_name=\"dev\"} 40", "{vcs_ref_head_name=\"main\"} -9.5"]
        ),
        (
            "count by (\"vcs.ref.head.name\") (cicd_pipeline_run_duration_seconds)",
            ["{vcs_ref_head_name=\"dev\"} 1", "{vcs_ref_head_name=\"main\"} 2"]
        ),
        ("sum by (__name__) (workers)", ["workers 6"]), ("sum by (nothing) (workers)", ["{} 6"]),
        ("-workers{pipeline=\"api\"}", ["{pipeline=\"api\"} -4"]),
        ("+workers{pipeline=\"api\"}", ["workers{pipeline=\"api\"} 4"]),
        ("2 ^ workers", ["{pipeline=\"api\"} 16", "{pipeline=\"web\"} 4"]),
        ("workers > 3", ["workers{pipeline=\"api\"} 4"]), ("3 < workers", ["workers{pipeline=\"api\"} 4"]),
        ("workers > bool 3", ["{pipeline=\"api\"} 1", "{pipeline=\"web\"} 0"]),
        ("7 % 4 + 1 / 0", ["+Inf"]), ("-7 % 4", ["-3"]), ("1 > bool 2", ["0"]), ("0 / 0", ["NaN"]),
        ("\"text\"", ["text"]),
        (
            "sum by (pipeline) (cicd_pipeline_run_duration_seconds) / workers",
            ["{pipeline=\"api\"} 15.125", "{pipeline=\"web\"} -15"]
        ),
        (
            "test_cases / on (pipeline) group_left workers",
            [
                "{pipeline=\"web\", test_result=\"failed\"} 3",
                "{pipeline=\"web\", test_result=\"passed\"} 602",
            ]
        ),
        (
            "workers * on (pipeline) group_right test_cases",
            [
                "{pipeline=\"web\", test_result=\"failed\"} 12",
                "{pipeline=\"web\", test_result=\"passed\"} 2408",
            ]
        ),
        ("workers and on (pipeline) test_cases", ["workers{pipeline=\"web\"} 2"]),
        ("workers unless on (pipeline) test_cases", ["workers{pipeline=\"api\"} 4"]),
        (
            "workers{pipeline=\"api\"} or workers",
            ["workers{pipeline=\"api\"} 4", "workers{pipeline=\"web\"} 2"]
        ),
        (
            "sum_over_time(cicd_pipeline_run_duration_seconds{pipeline=\"web\"}[5m])",
            ["{pipeline=\"web\", vcs_ref_head_name=\"main\"} -20"]
        ),
        (
            "avg_over_time(cicd_pipeline_run_duration_seconds{pipeline=\"web\"}[5m])",
            ["{pipeline=\"web\", vcs_ref_head_name=\"main\"} -10"]
        ),
        (
            "min_over_time(cicd_pipeline_run_duration_seconds{pipeline=\"web\"}[5m]) + 0",
            ["{pipeline=\"web\", vcs_ref_head_name=\"main\"} -30"]
        ),
        (
            "max_over_time(cicd_pipeline_run_duration_seconds{pipeline=\"web\"}[5m])",
            ["{pipeline=\"web\", vcs_ref_head_name=\"main\"} 10"]
        ),
        (
            "count_over_time((cicd_pipeline_run_duration_seconds{pipeline=\"web\"}[5m]))",
            ["{pipeline=\"web\", vcs_ref_head_name=\"main\"} 2"]
        ),
        ("workers{pipeline=\"web\"}[5m]", ["workers{pipeline=\"web\"} 60000:2"]),
        ("nothing", []), ("sum(nothing)", []),
    ])
    func `is answered as Prometheus answers it`(_ query: String, _ expected: [String]) throws {
        #expect(try fixture().engine.show(query, at: 2 * minute) == expected)
    }

    @Test(arguments: [
        (
            "cicd_pipeline_run_duration_seconds + on (pipeline) workers",
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        ),
        (
            "workers + on (pipeline) cicd_pipeline_run_duration_seconds",
            "found duplicate series for the match group"
        ),
        ("test_cases * on (pipeline) group_left () test_cases", "found duplicate series"),
    ])
    func `has no answer when the match is ambiguous`(_ query: String, _ reason: String) throws {
        let engine = try fixture().engine
        let error = #expect(throws: QueryError.self) { try engine.show(query, at: 2 * minute) }
        #expect(error?.kind == .execution)
        #expect(error?.message.hasPrefix(reason) == true, "\(error?.message ?? "")")
    }

    @Test func `does not mix metrics that lose their names`() throws {
        let store = try StoreFixture([feed(0, [measure("a", at: 0, "1"), measure("b", at: 0, "2")])])
        #expect(throws: QueryError(.execution, "vector cannot contain metrics with the same labelset")) {
            try store.engine.show("-{__name__=~\"a|b\"}", at: 0)
        }
        #expect(throws: QueryError(.execution, "vector cannot contain metrics with the same labelset")) {
            try store.engine.show("sum_over_time({__name__=~\"a|b\"}[1m])", at: 0)
        }
    }

    @Test func `excludes the left edge of its window and includes the right`() throws {
        let store = try StoreFixture([feed(0, [measure("a", at: 1_000_000, "7")])])
        let engine = store.engine
        #expect(try engine.show("a", at: 1_000_000) == ["a 7"])
        #expect(try engine.show("a", at: 999_999) == [])
        #expect(try engine.show("a", at: 1_299_999) == ["a 7"])
        #expect(try engine.show("a", at: 1_300_000) == [])
        #expect(try engine.show("a", at: 1_300_000, lookback: 300_001) == ["a 7"])
        #expect(try engine.show("count_over_time(a[1s])", at: 1_000_999) == ["{} 1"])
        #expect(try engine.show("count_over_time(a[1s])", at: 1_001_000) == [])
        #expect(try engine.show("a offset 1m", at: 1_060_000) == ["a 7"])
        #expect(try engine.show("a offset 1m", at: 1_059_999) == [])
        #expect(try engine.show("a offset -1m", at: 940_000) == ["a 7"])
        #expect(try engine.show("count_over_time(a[1s] offset 1m)", at: 1_060_000) == ["{} 1"])
        #expect(try engine.show("a @ 1000", at: 0) == ["a 7"])
        #expect(try engine.show("a[1m] @ 1000", at: 0) == ["a 1000000:7"])
        #expect(
            try engine.show("a", from: 1_000_000, through: 1_300_000, step: 150_000) == [
                "a 1000000:7 1150000:7"
            ])
        #expect(
            try engine.show("a @ end() + 1", from: 999_000, through: 1_000_000, step: 500) == [
                "{} 999000:8 999500:8 1000000:8"
            ])
        #expect(try engine.show("2", from: 0, through: 20, step: 10) == ["{} 0:2 10:2 20:2"])
    }

    @Test func `counts two samples of one millisecond and shows the later in the log`() throws {
        let store = try StoreFixture([
            feed(0, [measure("a", at: 5, "1"), measure("a", at: 5, "9")]),
            feed(1, [measure("a", at: 5, "3"), measure("a", at: 5, "2")]),
            feed(2, [measure("a", at: 4, "8")]),
        ])
        #expect(try store.engine.show("a", at: 5) == ["a 2"])
        #expect(try store.engine.show("a", at: 4) == ["a 8"])
        #expect(try store.engine.show("count_over_time(a[1m])", at: 5) == ["{} 5"])
        #expect(try store.engine.show("sum_over_time(a[1m])", at: 5) == ["{} 23"])
        #expect(try store.engine.show("a[1m]", at: 5) == ["a 4:8 5:1 5:9 5:3 5:2"])
        #expect(try store.engine.show("a", from: 4, through: 6, step: 1) == ["a 4:8 5:2 6:2"])
    }

    @Test func `treats series that show alike as one, and tells them apart by their own names`() throws {
        let store = try StoreFixture([
            feed(0, [measure("run.time", unit: "s", at: 0, "1"), measure("run_time_seconds", at: 0, "5")]),
            feed(1, [measure("run.time", unit: "s", at: 0, "2")]),
        ])
        #expect(try store.engine.show("run_time_seconds", at: 0) == ["run_time_seconds 2"])
        #expect(try store.engine.show("sum_over_time(run_time_seconds[1m])", at: 0) == ["{} 8"])
        #expect(try store.engine.show("sum_over_time({\"run.time\"}[1m])", at: 0) == ["{} 3"])
        #expect(
            try store.engine.show("count_over_time({\"run.time\"}[1m])", from: 0, through: 1, step: 1) == [
                "{} 0:2 1:2"
            ])
        #expect(
            try store.engine.show("{__name__!=\"run.time\", __name__!=\"\"}", at: 0) == ["run_time_seconds 5"]
        )
    }

    @Test func `is exact where doubles are not`() throws {
        let store = try StoreFixture([
            feed(
                0,
                [
                    measure("a", at: 0, "99999999999999999"), measure("a", at: 1, "0.000000001"),
                    measure("a", at: 2, "-99999999999999999"), measure("a", at: 3, "0.1"),
                    measure("a", at: 4, "0.2"),
                ])
        ])
        #expect(try store.engine.show("sum_over_time(a[1m])", at: 4) == ["{} 0.300000001"])
        #expect(try store.engine.show("sum_over_time(a[2ms])", at: 4) == ["{} 0.3"])
        #expect(try store.engine.show("avg_over_time(a[2ms])", at: 4) == ["{} 0.15"])
        #expect(try store.engine.show("a @ 0", at: 4) == ["a 100000000000000000"])
    }

    @Test func `stops at its limits and its deadline`() throws {
        let store = try StoreFixture([feed(0, [measure("a", at: 0, "1")])])
        let engine = store.engine
        #expect(throws: QueryError.self) {
            try engine.range("a", from: time(0), through: time(11_000), stepMilliseconds: 1)
        }
        #expect(throws: Never.self) {
            try engine.range("a", from: time(0), through: time(10_999), stepMilliseconds: 1)
        }
        #expect(throws: QueryError.self) {
            try engine.range("a", from: time(1), through: time(0), stepMilliseconds: 1)
        }
        #expect(throws: QueryError.self) {
            try engine.range("a", from: time(0), through: time(1), stepMilliseconds: 0)
        }
        #expect(throws: QueryError.self) {
            try engine.range("a[1m]", from: time(0), through: time(1), stepMilliseconds: 1)
        }
        #expect(throws: QueryError.self) { try engine.instant("a", at: time(0), lookbackMilliseconds: 0) }
        let late = QueryEngine(store: store.store) { .timeout }
        let error = #expect(throws: QueryError.self) { try late.instant("a", at: time(0)) }
        #expect(error?.kind == .timeout)
        let gone = QueryEngine(store: store.store) { .canceled }
        #expect(throws: QueryError.self) { try gone.series(["a"]) }
    }

    @Test func `gets the same answer as a slow recount, whatever the data`() throws {
        var generator = SeededGenerator(seed: 4)
        for round in 0..<8 {
            let feeds = try RandomFeed.entries(count: 60, using: &generator)
            let fixture = try StoreFixture(feeds)
            var memory = MemorySamples()
            for entry in feeds { memory.add(entry) }
            for _ in 0..<40 {
                let query = Self.randomQuery(using: &generator)
                let start = Int64.random(in: -3 * 86_400_000...3 * 86_400_000, using: &generator)
                let step = Int64.random(in: 1...20_000_000, using: &generator)
                let count = Int64.random(in: 0...12, using: &generator)
                let times = (0...count).map { start + $0 * step }
                let lookback: Int64 = generator.pick([1, 300_000, 86_400_000])
                let expected = try memory.evaluate(query, times, lookback: lookback)
                let answer = try fixture.engine.range(
                    query, from: time(start), through: time(start + count * step), stepMilliseconds: step,
                    lookbackMilliseconds: lookback)
                guard case .matrix(let series) = answer else {
                    Issue.record("a range query answers with a matrix")
                    continue
                }
                var found: [LabelSet: [Int64: Double]] = [:]
                for one in series {
                    for point in one.points { found[one.labels, default: [:]][point.time] = point.value }
                }
                #expect(
                    found == expected,
                    "round \(round): \(query) from \(start) step \(step) lookback \(lookback)")
                // The instant form takes the other way, through the rollups.
                let instant = try fixture.engine.instant(
                    query, at: time(start), lookbackMilliseconds: lookback)
                guard case .vector(let vector) = instant else { continue }
                #expect(
                    Dictionary(uniqueKeysWithValues: vector.map { ($0.labels, $0.points[0].value) })
                        == expected.compactMapValues { $0[start] }, "\(query) at \(start)")
            }
        }
    }

    /// Many samples in few windows, which rollups answer, and in many, over which the windows slide.
    @Test func `gets the same answer from rollups as from samples`() throws {
        var generator = SeededGenerator(seed: 7)
        var memory = MemorySamples()
        var feeds: [FeedEntry] = []
        for index in 0..<UInt64(6) {
            let measures = try (0..<400).map { place in
                try measure(
                    "dense", ["x": place % 3 == 0 ? "1" : "2"],
                    at: Int64.random(in: 0...3_600_000, using: &generator),
                    generator.pick([
                        "0.1", "-7.000000001", "123456789.5", "1000000000", "100000000.000000001",
                    ]))
            }
            feeds.append(try feed(index, measures))
            memory.add(feeds[Int(index)])
        }
        let store = try StoreFixture(feeds)
        var ways: Set<SelectorPlan.Way> = []
        for function in Function.all where function.argumentTypes == [.matrix] {
            for steps in [Int64(2), 40] {
                let query = "\(function.name)(dense[20m])"
                let step = 3_600_000 / steps
                let plan = try store.engine.explain(
                    query, from: time(0), through: time(3_600_000), stepMilliseconds: step)
                ways.formUnion(plan.selectors.map(\.way))
                let expected = try memory.evaluate(
                    query, (0...steps).map { $0 * step }, lookback: 300_000)
                guard
                    case .matrix(let series) = try store.engine.range(
                        query, from: time(0), through: time(3_600_000), stepMilliseconds: step)
                else { return }
                var found: [LabelSet: [Int64: Double]] = [:]
                for one in series {
                    for point in one.points { found[one.labels, default: [:]][point.time] = point.value }
                }
                #expect(found == expected, "\(query) in \(steps) steps")
            }
        }
        #expect(ways == [.rollups, .samples])
    }

    @Test func `finds deviations that doubles cannot`() throws {
        let store = try StoreFixture([
            feed(
                0,
                [
                    measure("a", at: 0, "999999999.000000001"), measure("a", at: 1, "999999999.000000002"),
                    measure("a", at: 2, "999999999.000000003"), measure("b", at: 0, "-999999999999999999"),
                    measure("b", at: 1, "999999999999999999"), measure("c", at: 0, "5"),
                ])
        ])
        #expect(
            try store.engine.show("stdvar_over_time(a[1m])", at: 2) == [
                "{} \(FloatText.fixed(2.0 / 3 / 1e18))"
            ])
        #expect(try store.engine.show("stddev_over_time(b[1m])", at: 2) == ["{} 1000000000000000000"])
        #expect(try store.engine.show("absent({_none=\"1\",\"a.b\"=\"2\"} @ 17000066173)", at: 2).count == 1)
        #expect(try store.engine.show("stddev_over_time(c[1m])", at: 2) == ["{} 0"])
    }

    @Test func `tells beside its answer what is probably a mistake`() throws {
        let store = try StoreFixture([feed(0, [measure("a", at: 0, "1"), measure("a_total", at: 0, "1")])])
        let engine = store.engine
        func notes(_ query: String) throws -> [String] {
            let answer = try engine.instantAnnotated(query, at: time(0))
            return answer.warnings + answer.infos
        }
        #expect(
            try notes("1 + rate(a[5m])") == [
                "PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
                    + "\"a\" (1:10)"
            ])
        #expect(try notes("rate(a_total[5m])") == [])
        #expect(
            try notes("quantile_over_time(2, a[5m])") == [
                "PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)"
            ])
        let two = try engine.instantAnnotated("{__name__=~\"a.*\"}", at: time(0))
        #expect(two.truncated(to: 2) == two)
        #expect(two.truncated(to: 1).warnings == ["results truncated due to limit"])
        #expect(two.truncated(to: 1).result.lines == ["a 1"])
    }

    @Test func `holds only what it still needs`() throws {
        let store = try StoreFixture([feed(0, [measure("a", at: 0, "1")])])
        // In sum over four million points, of which some ten thousand are held at a time.
        let query = (0..<190).map { _ in "a" }.joined(separator: " + ")
        let answer = try store.engine.range(
            query, from: time(0), through: time(10_999), stepMilliseconds: 1)
        guard case .matrix(let series) = answer else { return }
        #expect(series.map { $0.points.count } == [11_000])
        #expect(throws: QueryError.tooManySamples) {
            try store.engine.instant("sum_over_time(a[1h:1ms])", at: time(10))
        }
    }

    private static func randomQuery(using generator: inout SeededGenerator) -> String {
        let selector = generator.pick([
            "a_b_seconds", "{\"a.b\"}", "c{x=\"1\"}", "c{x!=\"1\"}", "{__name__=~\"a.*|d\",x=~\"[12]\"}",
            "c{x!~\"1|2\",\"y.z\"=~\".+\"}",
        ])
        let offset = generator.pick(["", "", " offset 1h", " offset -2h30m"])
        let range = generator.pick(["[1ms]", "[1h]", "[1d]", "[2d3h]", "[1w]"])
        let function = generator.pick(Function.all.filter { $0.argumentTypes == [.matrix] }).name
        return generator.pick([
            selector + offset, "\(function)(\(selector)\(range)\(offset))",
            "\(generator.pick(["sum", "min", "max", "count", "avg"])) by (x) (\(selector)\(offset))",
            "max without (x) (\(function)(\(selector)\(range)))",
            "count_over_time(c\(range)) > 1",
        ])
    }
}

/// Entries with late, simultaneous, negative, tiny and huge samples.
enum RandomFeed {
    static func entries(count: Int, using generator: inout SeededGenerator) throws -> [FeedEntry] {
        var entries: [FeedEntry] = []
        for index in 0..<UInt64(count) {
            if Int.random(in: 0..<10, using: &generator) == 0 {
                entries.append(try feed(index, nil))
                continue
            }
            var measures: [Measure] = []
            for _ in 0..<Int.random(in: 0...8, using: &generator) {
                measures.append(try random(using: &generator))
            }
            entries.append(try feed(index, measures))
        }
        return entries
    }

    private static func random(using generator: inout SeededGenerator) throws -> Measure {
        let day: Int64 = 86_400_000
        let time = generator.pick([
            Int64.random(in: -3 * day...3 * day, using: &generator),
            generator.pick([0, 1, -1, day, day - 1, -day]),
        ])
        let value = generator.pick([
            "0", "-1", "0.000000001", "999999999999999999", "-999999999999999999", "123456789.987654321",
            String(Int.random(in: -1000...1000, using: &generator)),
        ])
        if Bool.random(using: &generator) {
            return try measure("a.b", unit: "s", ["x": generator.pick(["1", "2"])], at: time, value)
        }
        let labels = generator.pick([["x": "1"], ["x": "2", "y.z": "q"], ["x": "3", "y.z": "q"], [:]])
        return try measure("c", labels, at: time, value)
    }
}
