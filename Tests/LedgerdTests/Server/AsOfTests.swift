import Foundation
import Ledger
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `A question as of a moment` {
    private static let question =
        "/api/v1/query?lookback_delta=1d&query=sum(cicd_pipeline_run_duration_seconds)"

    private struct Failure: Decodable {
        let errorType: String
        let error: String
    }

    /// 40, an hour later corrected to 42, and another hour later 1 more in another series.
    private func corrected(_ body: (ServedNode, String, (Int64) -> String) async throws -> Void) async throws
    {
        let clock = ManualClock(at: Node.now())
        try await ServedNode.run(clock: { clock.now }) { served in
            let ledger = served.ledger
            clock.set(ledger.start)
            func hours(_ count: Int64) -> String {
                ledger.start.advanced(byMilliseconds: count * 3_600_000).description
            }
            try await served.append(try ledger.document(id: "a", "40"))
            clock.advance(byMilliseconds: 3_600_000)
            try await served.append(try ledger.document(id: "b", "42", replaces: "a"))
            clock.advance(byMilliseconds: 3_600_000)
            let other = ledger.xml(id: "c", [try ledger.measure("1", at: ledger.start)])
            let moved = String(decoding: other, as: UTF8.self).replacing("shop/web", with: "shop/app")
            try await served.append(try ledger.seal(Array(moved.utf8), by: ledger.client("ci")))
            try await body(served, try await ledger.token([.analyst]), hours)
        }
    }

    private func value(_ path: String, _ served: ServedNode, _ token: String) async throws -> String? {
        let answer = try await served.caller.get(path, token: token)
        #expect(answer.status == 200, "\(path): \(answer.text)")
        return try answer.json(as: InstantVector.self).data.result.first?.number
    }

    @Test func `is answered from what was known then`() async throws {
        try await corrected { served, token, hours in
            await served.settleQueries()
            #expect(try await value(Self.question, served, token) == "43")
            for (asOf, expected) in [
                ("3", "43"), ("2", "42"), ("1", "40"), ("0", nil), (hours(0), "40"), (hours(1), "42"),
                ("2026-01-01T00:00:00Z", nil), (hours(2), "43"), (hours(500), "43"),
            ] as [(String, String?)] {
                let found = try await value(Self.question + "&as_of=\(asOf)", served, token)
                #expect(found == expected, "as of \(asOf)")
            }
            let start = served.ledger.start.milliseconds / 1000 + 1
            let range =
                "/api/v1/query_range?query=sum(cicd_pipeline_run_duration_seconds)&start=\(start)&end=\(start)&step=1"
            #expect(try await served.caller.get(range, token: token).text.contains(#""43""#))
            #expect(try await served.caller.get(range + "&as_of=1", token: token).text.contains(#""40""#))
            let explain = "/v1/explain?query=sum_over_time(cicd_pipeline_run_duration_seconds%5B3h%5D)"
            #expect(try await served.caller.get(explain, token: token).text.contains(#""samples":2"#))
            let none = try await served.caller.get(explain + "&as_of=0", token: token)
            #expect(none.text.contains(#""samples":0"#), "\(none.text)")
        }
    }

    private struct Labels: Decodable { let data: [String] }
    private struct LabelSets: Decodable { let data: [[String: String]] }

    /// The third entry brings another pipeline.
    @Test func `finds only the series and labels that were known then`() async throws {
        try await corrected { served, token, hours in
            let match = "match%5B%5D=cicd_pipeline_run_duration_seconds"
            for (asOf, pipelines) in [
                ("3", ["shop/app", "shop/web"]), ("2", ["shop/web"]), ("0", []), (hours(1), ["shop/web"]),
                ("", ["shop/app", "shop/web"]),
            ] {
                let values = try await served.caller.get(
                    "/api/v1/label/pipeline/values?as_of=\(asOf)", token: token)
                #expect(try values.json(as: Labels.self).data == pipelines, "as of \(asOf)")
                let series = try await served.caller.get(
                    "/api/v1/series?\(match)&as_of=\(asOf)", token: token)
                let found = try series.json(as: LabelSets.self).data.map { $0["pipeline"] }
                #expect(found == pipelines, "as of \(asOf)")
                let labels = try await served.caller.get("/api/v1/labels?as_of=\(asOf)", token: token)
                #expect(
                    try labels.json(as: Labels.self).data.contains("pipeline") == !pipelines.isEmpty,
                    "as of \(asOf)")
            }
            let answer = try await served.caller.get("/api/v1/labels?as_of=4", token: token)
            #expect(answer.status == 400)
            #expect(try answer.json(as: Failure.self).error.contains("the log has 3 entries"))
        }
    }

    /// The query store is behind the log for a moment; an answer as of an entry waits for it.
    @Test func `waits for what it asks for`() async throws {
        try await corrected { served, token, _ in
            let found = try await value(Self.question + "&as_of=3", served, token)
            #expect(found == "43")
        }
    }

    @Test func `fails in the form that Prometheus's clients read`() async throws {
        try await corrected { served, token, _ in
            // Digits count entries, however many; only RFC 3339 is a time.
            for (asOf, says) in [
                ("4", "the log has 3 entries"), ("1763806500", "the log has 3 entries"),
                ("18446744073709551616", "cannot parse"), ("-1", "cannot parse"), ("1.5", "cannot parse"),
                ("now", "cannot parse"), ("2026-01-01", "cannot parse"),
                ("2026-01-01T00:00:00", "cannot parse"),
            ] {
                let answer = try await served.caller.get(Self.question + "&as_of=\(asOf)", token: token)
                #expect(answer.status == 400, "\(asOf): \(answer.text)")
                let failure = try answer.json(as: Failure.self)
                #expect(failure.errorType == "bad_data")
                #expect(failure.error.hasPrefix(#"invalid parameter "as_of": "#))
                #expect(failure.error.contains(says), "\(failure.error)")
            }
        }
    }

    @Test func `by time finds the last block at or before it`() async throws {
        let clock = ManualClock(at: Node.now())
        try await ServedNode.run(clock: { clock.now }) { served in
            clock.set(served.ledger.start)
            // Blocks of the same time, and gaps between times.
            for (number, pause) in ([0, 0, 5, 1, 0, 20, 0, 0, 1] as [Int64]).enumerated() {
                clock.advance(byMilliseconds: pause)
                try await served.append(try served.ledger.document(id: "\(number)"))
            }
            let newest = served.node.driver.published.header.height
            let headers = try served.node.log.blocks(from: .genesis, limit: 100).map(\.header)
            for offset in -5...40 as ClosedRange<Int64> {
                let time = served.ledger.start.advanced(byMilliseconds: offset)
                let expected = headers.last { $0.time <= time }?.treeSize ?? 0
                #expect(try served.node.log.size(at: time, through: newest) == expected)
            }
            #expect(try served.node.log.size(at: .latest, through: .genesis) == 0)
        }
    }
}
