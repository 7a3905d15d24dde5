import Foundation
import Ledger
import NIOHTTP1
import Query
import TestSupport
import Testing

@testable import ledgerd

@Suite(.timeLimit(.minutes(20))) struct `An export over HTTPS` {
    private func filled(_ body: (ServedNode, String) async throws -> Void) async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let odd = Measure(
                name: "odd \"name\", with all", unit: "{case}", time: ledger.start,
                labels: [Label(name: "k", value: "a,\"b\"\\")], value: try ledger.measure("-0.5").value)
            try await served.append(
                try ledger.seal(
                    ledger.xml(id: "a", [odd, try ledger.measure("999999999999999999")]),
                    by: ledger.client("ci")))
            try await served.append(try ledger.document(id: "b", "0.000000001", replaces: "a"))
            await served.settleQueries()
            try await body(served, try await ledger.token([.analyst]))
        }
    }

    @Test func `writes exact decimals as CSV and as NDJSON`() async throws {
        try await filled { served, token in
            let all = "/v1/export?match%5B%5D=%7B__name__%3D~%22.%2B%22%7D"
            let start = served.ledger.start
            let now = try await served.caller.get(all + "&format=csv", token: token)
            #expect(now.status == 200)
            #expect(now.headers["content-type"] == ["text/csv; charset=utf-8; header=present"])
            #expect(now.headers["ledger-samples"] == ["1"])
            #expect(
                now.text == """
                    name,unit,labels,time,value,entry\r
                    cicd.pipeline.run.duration,s,"{""pipeline"":""shop/web""}",\(start),0.000000001,1\r

                    """)
            let then = try await served.caller.get(all + "&format=csv&as_of=1", token: token)
            #expect(
                then.text == """
                    name,unit,labels,time,value,entry\r
                    cicd.pipeline.run.duration,s,"{""pipeline"":""shop/web""}",\(start),999999999999999999,0\r
                    "odd ""name"", with all",{case},"{""k"":""a,\\""b\\""\\\\"",""pipeline"":""shop/web""}",\(start),-0.5,0\r

                    """)
            let lines = try await served.caller.get(all + "&as_of=1", token: token)
            #expect(lines.headers["content-type"] == ["application/x-ndjson"])
            #expect(
                lines.text == """
                    {"name":"cicd.pipeline.run.duration","unit":"s","labels":{"pipeline":"shop/web"},"time":"\(start)","value":"999999999999999999","entry":0}
                    {"name":"odd \\"name\\", with all","unit":"{case}","labels":{"k":"a,\\"b\\"\\\\","pipeline":"shop/web"},"time":"\(start)","value":"-0.5","entry":0}

                    """)
            let form = [("content-type", "application/x-www-form-urlencoded")]
            let posted = try await served.caller.send(
                .POST, "/v1/export", form + Caller.bearer(token),
                body: Array("match[]=cicd_pipeline_run_duration_seconds&end=2020-01-01T00:00:00Z".utf8))
            #expect(posted.status == 200)
            #expect(posted.body.isEmpty)
        }
    }

    @Test func `is for analysts, and fails as queries do`() async throws {
        try await filled { served, token in
            #expect(try await served.caller.get("/v1/export?match%5B%5D=a").status == 401)
            let auditor = try await served.ledger.token([.auditor])
            #expect(try await served.caller.get("/v1/export?match%5B%5D=a", token: auditor).status == 403)
            for query in [
                "", "=sum(a)", "=a&format=xml", "=a&start=x", "=a&as_of=9", "=%7B%7D",
            ] {
                let answer = try await served.caller.get(
                    "/v1/export?" + (query.isEmpty ? "" : "match%5B%5D") + query, token: token)
                #expect(answer.status == 400, "\(query): \(answer.text)")
                #expect(answer.text.contains(#""errorType":"bad_data""#))
            }
            for (accept, status) in [("text/csv", 200), ("application/x-ndjson", 200), ("text/html", 406)] {
                let answer = try await served.caller.get(
                    "/v1/export?match%5B%5D=a", token: token, [("accept", accept)])
                #expect(answer.status == status)
            }
            while served.node.exportPlaces.count > 0 { await Task.yield() }
        }
    }

    @Test func `of many samples is read in little memory, and all of it`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let session = try ledger.session()
            try await served.append(session.submission)
            let count = 3 * Int(QueryLimits.exportSamples)
            let measures = try (0..<count).map {
                try ledger.measure("\($0)", at: ledger.start.advanced(byMilliseconds: Int64(-$0)))
            }
            for start in stride(from: 0, to: count, by: 4096) {
                let part = Array(measures[start..<min(count, start + 4096)])
                try await served.append(
                    try ledger.seal(ledger.xml(id: "\(start)", part), by: ledger.client("ci"), in: session))
            }
            await served.settleQueries()
            var reader = try await LineReader(
                served.caller, "/v1/export?match%5B%5D=cicd_pipeline_run_duration_seconds",
                token: try await ledger.token([.analyst]))
            var expected = count
            while let line = try await reader.next() {
                expected -= 1
                #expect(line.contains("\"value\":\"\(expected)\""))
            }
            #expect(expected == 0)
        }
    }
}
