import Foundation
import Ledger
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

@testable import Query
@testable import ledgerd

@Suite struct `Queries over HTTPS` {
    private struct Failure: Decodable {
        let status: String
        let errorType: String
        let error: String
    }

    private static let form = [("content-type", "application/x-www-form-urlencoded")]

    @Test func `say beside each answer that they stand still`() async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst])
            try await served.append(try served.ledger.document(id: "a", "40"))
            await served.settleQueries()
            let path = "/api/v1/query?query=sum_over_time(cicd_pipeline_run_duration_seconds%5B1h%5D)"
            let still = "queries know 1 of 1 entries and stand still"
            for repaired in 0...Limits.followerRepairs {
                #expect(try await !served.caller.get(path, token: token).text.contains(still))
                try served.node.queries.damageSeries()
                #expect(try await served.caller.get(path, token: token).status == 500, "\(repaired)")
                await served.settleQueries()
            }
            // Nothing of it is looked at.
            let answer = try await served.caller.get("/api/v1/query?query=1%2B1", token: token)
            #expect(answer.status == 200)
            #expect(answer.text.contains(still), "\(answer.text)")
            #expect(try await served.caller.get("/readyz").status == 503)
        }
    }

    @Test func `are answered as Prometheus answers them`() async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst])
            try await served.append(try served.ledger.document(id: "a", "40"))
            try await served.append(try served.ledger.document(id: "b", "2"))
            await served.settleQueries()
            #expect(
                try await served.value(
                    "sum(sum_over_time(cicd_pipeline_run_duration_seconds[1h]))", token: token) == "42")
            let now = served.ledger.start.milliseconds / 1000
            let selector = "match%5B%5D=cicd_pipeline_run_duration_seconds"
            for (path, expected) in [
                ("/api/v1/query?query=1%2B1", #""result":["#),
                (
                    "/api/v1/query_range?query=sum(cicd_pipeline_run_duration_seconds)&start=\(now)&end=\(now + 10)&step=5",
                    #""resultType":"matrix""#
                ),
                ("/api/v1/series?\(selector)", #""pipeline":"shop/web""#),
                ("/api/v1/labels?\(selector)", #""pipeline""#),
                ("/api/v1/label/pipeline/values", #"["shop/web"]"#),
                ("/api/v1/label/__name__/values", #"["cicd_pipeline_run_duration_seconds"]"#),
                ("/api/v1/metadata", "cicd_pipeline_run_duration_seconds"),
                ("/api/v1/format_query?query=1%2B1", "1 + 1"),
                ("/api/v1/format_query?query=1+%2B+1", "1 + 1"),
                ("/api/v1/status/buildinfo", "kpi-ledger"),
                (
                    "/api/v1/query?query=vector(1)+or+cicd_pipeline_run_duration_seconds&limit=1&lookback_delta=1h",
                    #""warnings":["results truncated due to limit"]"#
                ),
                ("/api/v1/labels?limit=1", #""warnings":["results truncated due to limit"]"#),
                (
                    "/api/v1/query?query=rate(cicd_pipeline_run_duration_seconds%5B5h%5D)",
                    #""infos":["PromQL info: metric might not be a counter"#
                ),
                (
                    "/api/v1/query?query=quantile(2,cicd_pipeline_run_duration_seconds)&lookback_delta=5h",
                    #""warnings":["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"]"#
                ),
                (
                    "/v1/explain?query=count_over_time(cicd_pipeline_run_duration_seconds%5B5h%5D)",
                    #""way":"rollups""#
                ),
            ] {
                let answer = try await served.caller.get(path, token: token)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.headers["content-type"] == ["application/json"])
                #expect(answer.text.contains(#""status":"success""#))
                #expect(answer.text.contains(expected), "\(path): \(answer.text)")
            }
            for (path, body) in [
                ("/api/v1/query", "query=1%2B1&time=\(now)"),
                (
                    "/api/v1/query_range",
                    "query=sum(cicd_pipeline_run_duration_seconds)&start=\(now)&end=\(now + 10)&step=5s"
                ),
                ("/api/v1/series", "match%5B%5D=%7Bpipeline%3D%22shop%2Fweb%22%7D"), ("/api/v1/labels", ""),
                ("/api/v1/format_query", "query=1+%2B+1"),
            ] {
                let answer = try await served.caller.send(
                    .POST, path, Self.form + Caller.bearer(token), body: Array(body.utf8))
                #expect(answer.status == 200, "\(path): \(answer.text)")
            }
        }
    }

    @Test func `fail in the form that Prometheus's clients read`() async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst])
            for path in [
                "/api/v1/query", "/api/v1/query?query=", "/api/v1/query?query=sum(",
                "/api/v1/query?query=1&time=yesterday",
                "/api/v1/query_range?query=1", "/api/v1/query_range?query=1&start=1&end=0&step=1",
                "/api/v1/query_range?query=1&start=0&end=1&step=0",
                "/api/v1/query_range?query=1&start=0&end=100000&step=1",
                "/api/v1/series", "/api/v1/series?match%5B%5D=%7B%7D", "/api/v1/labels?limit=-1",
                "/api/v1/query?query=1&timeout=x", "/api/v1/query?query=%00", "/api/v1/query?query=%FF%FE",
                "/api/v1/query_range?query=1&start=nan&end=inf&step=1", "/api/v1/query?query=1&time=1e300",
                "/api/v1/query?query=1&lookback_delta=-1s", "/api/v1/format_query?query=(",
                "/api/v1/query?query=" + String(repeating: "(", count: 5000),
                "/api/v1/query?query=" + String(repeating: "-", count: 5000) + "1",
            ] {
                let answer = try await served.caller.get(path, token: token)
                #expect(answer.status == 400, "\(path.prefix(80)): \(answer.text)")
                #expect(answer.headers["content-type"] == ["application/json"])
                let failure = try answer.json(as: Failure.self)
                #expect(failure.status == "error")
                #expect(failure.errorType == "bad_data")
            }
            let slow = try await served.caller.get("/api/v1/query?query=sum(a)&timeout=0", token: token)
            #expect(slow.status == 503)
            #expect(try slow.json(as: Failure.self).errorType == "timeout")
            let xml = try await served.caller.send(
                .POST, "/api/v1/query", [("content-type", "application/xml")] + Caller.bearer(token),
                body: [0x31])
            #expect(xml.status == 415)
            let large = try await served.caller.send(
                .POST, "/api/v1/query", Self.form + Caller.bearer(token),
                body: Array("query=1&x=".utf8) + [UInt8](repeating: 0x61, count: Limits.queryBytes))
            #expect(large.problem == "too-large")
        }
    }

    @Test func `that would load too much, or take too long, are ended`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let token = try await ledger.token([.analyst])
            let ci = try ledger.client("ci")
            let measures = try (0..<2000).map {
                try ledger.measure(
                    "1", "m\($0 % 400)", unit: "", at: ledger.start.advanced(byMilliseconds: -Int64($0) * 10))
            }
            try await served.append(try ledger.seal(ledger.xml(id: "many", measures), by: ci))
            await served.settleQueries()
            let end = ledger.start.milliseconds / 1000
            let range = "start=\(end - 10_999)&end=\(end)&step=1"
            let all = "%7B__name__%3D~%22m.*%22%7D"
            let heavy = try await served.caller.get(
                "/api/v1/query_range?query=sum_over_time(\(all)%5B1d%5D)&\(range)", token: token)
            #expect(heavy.status == 422)
            #expect(try heavy.json(as: Failure.self).errorType == "execution")
            let long = (0..<100).map { _ in "sum(sum_over_time(m1%5B1d%5D))" }.joined(separator: "%2B")
            let slow = try await served.caller.get(
                "/api/v1/query_range?query=\(long)&\(range)&timeout=20ms", token: token)
            #expect([422, 503].contains(slow.status), "\(slow.text.prefix(200))")
        }
    }

    @Test func `find a place in turn, and are refused when the line is full`() async throws {
        let places = QueryPlaces(count: 2, waiting: 3)
        let gate = Gate()
        let results = await withTaskGroup(of: Bool.self) { group in
            // Two run and hold their places; three wait; what comes then is refused.
            for _ in 0..<5 { group.addTask { await places.run { gate.wait() } != nil } }
            while places.waitingCount < 3 { await Task.yield() }
            for _ in 0..<4 { #expect(await places.run {} == nil) }
            gate.open()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results == [true, true, true, true, true])
        #expect(await places.run {} != nil)
    }

    /// Blocks threads, as a long query does.
    private final class Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func wait() {
            semaphore.wait()
            semaphore.signal()
        }
        func open() { semaphore.signal() }
    }
}
