import Ledger
import Testing

@testable import Query

@Suite struct `A name in PromQL` {
    @Test(arguments: [
        ("cicd.pipeline.run.duration", "s", "cicd_pipeline_run_duration_seconds"),
        ("test.cases", "{case}", "test_cases"), ("code.coverage.lines", "{line}", "code_coverage_lines"),
        ("disk.io", "By", "disk_io_bytes"), ("disk.io", "By/s", "disk_io_bytes_per_second"),
        ("disk.io", "{operation}/s", "disk_io_per_second"), ("a.b", "ms", "a_b_milliseconds"),
        ("a.ratio", "1", "a_ratio"), ("coverage.total", "1", "coverage_total_ratio"),
        ("a.b", "%", "a_b_percent"),
        ("a.duration.seconds", "s", "a_duration_seconds"),
        ("a.bytes.per_second", "By/s", "a_bytes_per_second_per_second"),
        ("http_requests_total", "", "http_requests_total"),
        ("http_requests_total", "s", "http_requests_total"),
        ("http_requests_total", "1", "http_requests_total"), ("job:a_b:sum", "", "job:a_b:sum"),
        ("a.b", "", "a_b"), ("a..b--c_d", "", "a_b_c_d"), (".a.", "", "a"), ("5xx.rate", "", "_5xx_rate"),
        ("a.b", "furlong/wk", "a_b_furlong_per_week"), ("a.b", "m/s", "a_b_meters_per_second"),
        ("日本", "s", "日本"), ("日本.a", "s", "a_seconds"),
    ])
    func `is the one that OpenTelemetry translates to`(_ name: String, _ unit: String, _ expected: String) {
        #expect(PrometheusName.metric(name, unit: unit) == expected)
    }

    @Test(arguments: [
        ("vcs.ref.head.name", "vcs_ref_head_name"), ("pipeline", "pipeline"), ("a__b", "a__b"),
        ("a.-b", "a_b"),
        ("1a", "key_1a"), ("_a", "key_a"), ("__name__", "key__name__"), ("...", "key_"), ("é", "key_"),
    ])
    func `has labels of the old form`(_ name: String, _ expected: String) {
        #expect(PrometheusName.label(name) == expected)
    }

    @Test func `joins the values of labels that become one, in the order of their names`() throws {
        let store = try StoreFixture([
            feed(0, [measure("m", ["a.b": "x", "a_b": "y", "a-b": "z", "empty": ""], at: 0, "1")])
        ])
        #expect(try store.engine.show("m", at: 0) == ["m{a_b=\"z;x;y\"} 1"])
        #expect(try store.engine.show("m{\"a.b\"=\"x\"}", at: 0) == ["m{a_b=\"z;x;y\"} 1"])
        #expect(try store.engine.show("m{a_b=\"z;x;y\", \"a-b\"!=\"x\", empty=\"\"}", at: 0).count == 1)
        #expect(try store.engine.show("m{a_b=\"y\"}", at: 0) == [])
    }

    @Test func `is listed with its labels, values and unit`() throws {
        let store = try StoreFixture([
            feed(
                0,
                [
                    measure("a.b", unit: "s", ["x.y": "1", "z": "9"], at: 1000, "1"),
                    measure("c", ["z": "8"], at: 2000, "1"),
                ])
        ])
        let engine = store.engine
        #expect(try engine.labels() == ["__name__", "x_y", "z"])
        #expect(try engine.labels(["c"]) == ["__name__", "z"])
        #expect(try engine.labelValues("z") == ["8", "9"])
        #expect(try engine.labelValues("x.y") == ["1"])
        #expect(try engine.labelValues("U__x_2e_y") == ["1"])
        #expect(try engine.labelValues("__name__") == ["a_b_seconds", "c"])
        #expect(try engine.labelValues("z", ["c"]) == ["8"])
        #expect(try engine.labelValues("z", from: time(1500)) == ["8"])
        #expect(
            try engine.series(["{z=~\".+\"}"], through: time(1500)).map(\.description) == [
                "a_b_seconds{x_y=\"1\", z=\"9\"}"
            ])
        #expect(throws: QueryError.self) { try engine.series([]) }
        #expect(throws: QueryError.self) { try engine.series(["{}"]) }
        #expect(engine.metadata().map(\.unit) == ["seconds", ""])
        #expect(engine.metadata(of: "a.b").map(\.name) == ["a_b_seconds"])
    }
}
