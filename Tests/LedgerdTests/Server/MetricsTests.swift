import Foundation
import Ledger
import NIOHTTP1
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `Metrics` {
    @Test func `write times as shortest decimals`() {
        let cases: [(UInt64, String)] = [
            (0, "0.0"), (1, "0.000001"), (100, "0.0001"), (2_500, "0.0025"), (1_000_000, "1.0"),
            (10_000_000, "10.0"), (1_234_567, "1.234567"), (120_500_000, "120.5"),
        ]
        for (microseconds, text) in cases { #expect(OpenMetricsText.seconds(microseconds) == text) }
    }

    @Test func `count each time in the first bucket that holds it`() {
        var histogram = DurationHistogram()
        let times: [Duration] = [
            .zero, .microseconds(100), .microseconds(101), .milliseconds(3), .seconds(60), .seconds(-1),
        ]
        for time in times { histogram.add(time) }
        var text = OpenMetricsText()
        text.histogram("flush_duration_seconds", "Help.", histogram)
        let lines = text.finished.split(separator: "\n").map(String.init)
        #expect(
            lines.prefix(3) == [
                "# TYPE flush_duration_seconds histogram", "# UNIT flush_duration_seconds seconds",
                "# HELP flush_duration_seconds Help.",
            ])
        for line in [
            "flush_duration_seconds_bucket{le=\"0.0001\"} 3",
            "flush_duration_seconds_bucket{le=\"0.00025\"} 4",
            "flush_duration_seconds_bucket{le=\"0.0025\"} 4", "flush_duration_seconds_bucket{le=\"0.005\"} 5",
            "flush_duration_seconds_bucket{le=\"10.0\"} 5", "flush_duration_seconds_bucket{le=\"+Inf\"} 6",
            "flush_duration_seconds_count 6", "flush_duration_seconds_sum 60.003201",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        #expect(lines.last == "# EOF")
    }

    @Test func `escape what a label may hold`() {
        var text = OpenMetricsText()
        text.gauges("a", "Help.", [(["b": "say \"no\"\\\n"], 1)])
        #expect(text.finished.contains(#"a{b="say \"no\"\\\n"} 1"#))
    }

    /// The rules of OpenMetrics that a scraper relies on.
    @Test func `of a node are OpenMetrics`() async throws {
        try await ServedNode.run { served in
            try await served.append(try served.ledger.document(id: "a"))
            try await served.append(try served.ledger.document(id: "a"))
            _ = try await served.caller.append([1, 2, 3])
            let answer = try await served.caller.get(
                "/metrics", token: served.ledger.token([.operator]))
            #expect(
                answer.headers["content-type"] == [
                    "application/openmetrics-text; version=1.0.0; charset=utf-8"
                ])
            let families = try Self.families(answer.text)
            for name in [
                "kpi_ledger_current_view", "kpi_ledger_block_height", "kpi_ledger_lag_blocks",
                "kpi_ledger_certificates", "kpi_ledger_queue_entries", "kpi_ledger_block_queue_entries",
                "kpi_ledger_flush_duration_seconds", "kpi_ledger_submission_duration_seconds",
                "kpi_ledger_view_changes", "kpi_ledger_fetch_requests", "kpi_ledger_peer_connected",
                "kpi_ledger_peer_lag_blocks", "kpi_ledger_peer_unsent_frames", "kpi_ledger_evidence",
                "kpi_ledger_store_bytes", "kpi_ledger_query_lag_entries",
            ] {
                #expect(families[name] != nil, "\(name)")
            }
            #expect(families["kpi_ledger_log_entries"]?.samples == ["kpi_ledger_log_entries 1"])
            #expect(
                families["kpi_ledger_submissions"]?.samples == [
                    "kpi_ledger_submissions_total{outcome=\"accepted\"} 1",
                    "kpi_ledger_submissions_total{outcome=\"repeated\"} 1",
                    "kpi_ledger_submissions_total{outcome=\"refused\"} 1",
                ])
            #expect(
                families["kpi_ledger_submission_duration_seconds"]?.samples.contains(
                    "kpi_ledger_submission_duration_seconds_count 2") == true)
            // A flush for each block at least, and what is counted is timed.
            let flushes = families["kpi_ledger_flushes"]?.samples.first?.split(separator: " ").last
            #expect((flushes.flatMap { Int($0) } ?? 0) >= 1)
            #expect(
                families["kpi_ledger_flush_duration_seconds"]?.samples.contains(
                    "kpi_ledger_flush_duration_seconds_count \(flushes ?? "none")") == true)
        }
    }

    private struct Family {
        var type = ""
        var unit: String?
        var help = ""
        var samples: [String] = []
    }

    /// Reads an exposition as strictly as its readers may.
    private static func families(_ text: String) throws -> [String: Family] {
        var families: [String: Family] = [:]
        var current = ""
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.suffix(2) == ["# EOF", ""])
        lines.removeLast(2)
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if words.first == "#" {
                try #require(words.count == 4, "\(line)")
                if words[1] == "TYPE" {
                    #expect(families[words[2]] == nil, "\(words[2]) comes twice")
                    current = words[2]
                    families[current] = Family(type: words[3])
                }
                #expect(words[2] == current, "\(line)")
                if words[1] == "UNIT" {
                    families[current]?.unit = words[3]
                    #expect(current.hasSuffix("_" + words[3]), "\(line)")
                }
                if words[1] == "HELP" {
                    families[current]?.help = words[3]
                    #expect(words[3].hasSuffix("."), "\(line)")
                }
                continue
            }
            let name = String(line.prefix { $0 != "{" && $0 != " " })
            let family = try #require(families[current], "\(line)")
            let endings: [String] =
                switch family.type {
                case "gauge": [""]
                case "counter": ["_total"]
                case "info": ["_info"]
                case "histogram": ["_bucket", "_count", "_sum"]
                default: []
                }
            #expect(endings.contains { name == current + $0 }, "\(line) is no sample of a \(family.type)")
            #expect(!family.samples.contains { $0.split(separator: " ")[0] == line.split(separator: " ")[0] })
            families[current]?.samples.append(line)
        }
        for (name, family) in families {
            #expect(!family.help.isEmpty, "\(name)")
            #expect(name.hasPrefix("kpi_ledger_"))
            #expect(!name.hasSuffix("_total") && !name.hasSuffix("_count"), "\(name)")
        }
        return families
    }
}
