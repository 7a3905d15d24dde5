import AsyncHTTPClient
import Foundation
import Ledger
import NIOHTTP1
import TestSupport
import Testing

@testable import ledgerd

@Suite(.timeLimit(.minutes(20))) struct `The feed` {
    private struct Line: Decodable, Equatable {
        struct Measure: Decodable, Equatable {
            let name: String
            let unit: String
            let time: String
            let value: String
            let labels: [String: String]
        }
        var index: UInt64?
        var block: UInt64?
        var blockTime: String?
        var submitter: String?
        var id: String?
        var pipeline: String?
        var run: String?
        var replaces: UInt64?
        var measures: [Measure]?
        var erases: [UInt64]?
        var erased: Bool?
        var next: UInt64?
    }

    private func line(_ text: String?) throws -> Line {
        try JSONDecoder().decode(Line.self, from: Data(try #require(text).utf8))
    }

    private func read(_ served: ServedNode, _ query: String, token: String) async throws -> [Line] {
        var reader = try await LineReader(served.caller, "/v1/feed?follow=false&" + query, token: token)
        #expect(reader.status == 200)
        return try await reader.all().map { try line($0) }
    }

    @Test func `tells what analysis needs, each entry in its place`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let session = try ledger.session()
            try await served.append(session.submission)
            try await served.append(try ledger.document(id: "a", "-0.000000001", in: session))
            try await served.append(try ledger.document(id: "b", "999999999999999999", replaces: "a"))
            try await served.append(try ledger.document(id: "c", replaces: "nobody"))
            try await served.append(try ledger.document(id: "d", "7"))
            try await served.govern(ledger.erase(3, sequence: 1))
            let token = try await ledger.token([.analyst])
            let lines = try await read(served, "", token: token)

            #expect(lines.map(\.index) == [1, 2, 3, 4, 5, nil])
            #expect(lines[0].measures?.map(\.value) == ["-0.000000001"])
            #expect(lines[0].block == 2)
            #expect(lines[0].blockTime == served.time(ofBlock: 2))
            #expect(lines[0].submitter == "ci")
            #expect(lines[0].id == "a")
            #expect(lines[0].pipeline == "shop/web")
            #expect(lines[0].replaces == nil)
            let measure = try #require(lines[1].measures?.first)
            #expect(
                measure
                    == Line.Measure(
                        name: "cicd.pipeline.run.duration", unit: "s", time: ledger.start.description,
                        value: "999999999999999999", labels: ["pipeline": "shop/web"]))
            #expect(lines[1].replaces == 1)
            // Of what is erased nothing is left, and what it corrected is not known either.
            #expect(lines[2] == Line(index: 3, erased: true))
            #expect(lines[4].erases == [3])
            #expect(lines[4].measures == nil)
            #expect(lines[5] == Line(next: 6))

            // From any index, as many as one likes; what follows goes on exactly there.
            #expect(try await read(served, "from=3", token: token) == Array(lines[2...]))
            #expect(try await read(served, "from=6", token: token) == [Line(next: 6)])
            #expect(try await read(served, "from=0&limit=1", token: token) == [lines[0], Line(next: 2)])
            var gathered: [Line] = []
            var next: UInt64 = 0
            while next < 6 {
                let some = try await read(served, "from=\(next)&limit=2", token: token)
                gathered += some.dropLast()
                next = try #require(some.last?.next)
            }
            #expect(gathered + [Line(next: 6)] == lines)
        }
    }

    @Test func `goes on with what comes, and says where it is while nothing does`() async throws {
        var deadlines = Deadlines()
        deadlines.heartbeat = .milliseconds(50)
        try await ServedNode.run(deadlines: deadlines) { served in
            let ledger = served.ledger
            let token = try await ledger.token([.analyst])
            var reader = try await LineReader(served.caller, "/v1/feed", token: token)
            #expect(try line(try await reader.next()) == Line(next: 0))
            let session = try ledger.session()
            try await served.append(session.submission)
            // A session gives no line, but is passed over.
            while try line(try await reader.next()) != Line(next: 1) {}
            for number in 1..<20 as Range<UInt64> {
                try await served.append(try ledger.document(id: "\(number)", "\(number)", in: session))
                var found = try line(try await reader.next())
                while let next = found.next {
                    #expect(next == number)
                    found = try line(try await reader.next())
                }
                #expect(found.index == number)
                #expect(found.measures?.first?.value == "\(number)")
            }
        }
    }

    @Test func `ends when the token does, when the key is revoked, and when the connection is old`()
        async throws
    {
        let clock = ManualClock(at: Node.now())
        var deadlines = Deadlines()
        deadlines.heartbeat = .milliseconds(50)
        try await ServedNode.run(deadlines: deadlines, clock: { clock.now }) { served in
            let ledger = served.ledger
            clock.set(ledger.start)
            try await served.append(try ledger.document(id: "a"))
            let token = try await ledger.token([.analyst], seconds: 3600)
            var reader = try await LineReader(served.caller, "/v1/feed", token: token)
            #expect(try line(try await reader.next()).index == 0)

            let analyst = try ledger.client("analyst")
            let known = try Caller(port: served.port, ledger: ledger, identity: analyst)
            var other = try await LineReader(known, "/v1/feed?from=1")
            #expect(try line(try await other.next()) == Line(next: 1))
            try await served.govern(ledger.revoke(analyst, sequence: 1))
            // Whether it has passed over the record itself by then or not.
            let last = try line(try await other.all().last)
            #expect(last == Line(next: 1) || last == Line(next: 2))
            try await known.end()

            clock.advance(byMilliseconds: 2 * 3_600_000)
            #expect(try line(try await reader.all().last) == Line(next: 2))
        }
        deadlines = Deadlines()
        // Before the first sign of life is due, which would be a line more.
        deadlines.age = .seconds(8)
        try await ServedNode.run(deadlines: deadlines) { served in
            try await served.append(try served.ledger.document(id: "a"))
            let token = try await served.ledger.token([.analyst])
            let young = try Caller(port: served.port, ledger: served.ledger)
            var reader = try await LineReader(young, "/v1/feed", token: token)
            #expect(try await reader.all().map { try line($0).index } == [0, nil])
            try await young.end()
        }
    }

    @Test func `is for analysts, and for so many at one time`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            #expect(try await served.caller.get("/v1/feed").problem == "unauthenticated")
            let auditor = try await ledger.token([.auditor])
            #expect(try await served.caller.get("/v1/feed", token: auditor).problem == "forbidden")
            let token = try await ledger.token([.analyst])
            for query in [
                "from=-1", "from=x", "from=18446744073709551615", "limit=0", "limit=x", "follow=1", "follow=",
            ] {
                let answer = try await served.caller.get("/v1/feed?" + query, token: token)
                #expect(answer.problem == "bad-parameter", "\(query): \(answer.text)")
            }
            for _ in 0..<2 * Limits.feeds {
                let head = try await served.caller.send(.HEAD, "/v1/feed", Caller.bearer(token))
                #expect(head.status == 200)
            }
            let feeds = served.node.feedPlaces
            while feeds.count > 0 { await Task.yield() }
            var readers: [LineReader] = []
            for _ in 0..<Limits.feeds {
                readers.append(try await LineReader(served.caller, "/v1/feed", token: token))
            }
            #expect(readers.allSatisfy { $0.status == 200 })
            let refused = try await served.caller.get("/v1/feed", token: token)
            #expect(refused.status == 429)
            #expect(refused.problem == "busy")
            #expect(refused.headers["retry-after"] == ["1"])
            // A commit wakes all of them.
            try await served.append(try ledger.document(id: "a"))
            for place in readers.indices {
                #expect(try line(try await readers[place].next()).index == 0)
            }
        }
    }

    @Test(arguments: [HTTPClient.Configuration.HTTPVersion.http1Only, .automatic])
    func `waits for a slow reader, and lets go of one that takes nothing`(
        version: HTTPClient.Configuration.HTTPVersion
    ) async throws {
        var deadlines = Deadlines()
        deadlines.silence = .seconds(8)
        try await ServedNode.run(deadlines: deadlines) { served in
            let ledger = served.ledger
            let token = try await ledger.token([.analyst])
            // 30 documents of a megabyte: more than the sockets of both sides take in.
            let text = String(repeating: "x", count: Limits.labelValueBytes)
            let labels = (0..<28).map { Label(name: "l\($0)", value: text) }
            let measures = try (0..<30).map {
                let plain = try ledger.measure("\($0)")
                return Measure(
                    name: plain.name, unit: plain.unit, time: plain.time, labels: labels, value: plain.value)
            }
            for number in 0..<30 {
                try await served.append(
                    try ledger.seal(ledger.xml(id: "\(number)", measures), by: ledger.client("ci")))
            }
            let caller = try Caller(port: served.port, ledger: ledger, version: version)
            var reader = try await LineReader(caller, "/v1/feed?limit=30", token: token)
            #expect(try line(try await reader.next()).index == 0)
            let metrics = served.node.metrics
            while served.node.feedPlaces.count > 0 { await Task.yield() }
            let taken = metrics.feedEntries.value
            #expect(taken < 30, "it read on for a reader that takes nothing")
            await #expect(throws: (any Error).self) { _ = try await reader.all() }
            try await caller.end()

            // Another one takes all, and from where the first has got to.
            let all = try await read(served, "", token: token)
            #expect(all.map(\.index) == (0..<30).map { $0 } + [nil])
        }
    }

    @Test func `ends in order when the node stops, and goes on at the next start`() async throws {
        let ledger = try await MadeLedger.shared()
        let directory = try TemporaryDirectory()
        try ledger.copy(to: directory)
        let token = try await ledger.token([.analyst])
        var from: UInt64 = 0
        var seen: [UInt64] = []
        for round in 0..<2 {
            let server = try ServerProcess(directory: directory)
            let caller = try Caller(port: server.port, ledger: ledger)
            var reader = try await LineReader(caller, "/v1/feed?from=\(from)", token: token)
            for number in 0..<3 {
                #expect(
                    try await caller.append(ledger.document(id: "\(round) \(number)")).status == 201)
            }
            for _ in 0..<3 { seen.append(try #require(try line(try await reader.next()).index)) }
            server.terminate()
            let last = try line(try await reader.all().last)
            from = try #require(last.next)
            #expect(server.wait() == 0)
            try await caller.end()
        }
        #expect(seen == [0, 1, 2, 3, 4, 5])
        #expect(from == 6)
    }
}

extension ServedNode {
    /// The time in the header of a block.
    fileprivate func time(ofBlock height: UInt64) -> String? {
        try? node.log.header(at: BlockHeight(height))?.time.description
    }
}
