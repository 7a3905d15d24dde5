import AsyncHTTPClient
import Foundation
import Hummingbird
import Ledger
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Query
import Synchronization
import TestSupport
import Testing

@testable import ledgerd

/// Reads a `text/event-stream` event by event.
private struct EventReader {
    struct Event: Equatable {
        var id: String?
        var name: String?
        var data = ""
    }

    let status: Int
    let type: String?
    private var bytes: HTTPClientResponse.Body.AsyncIterator
    private var text = ""

    init(_ caller: Caller, _ path: String, token: String, lastEventID: String? = nil) async throws {
        var request = HTTPClientRequest(url: caller.base + path)
        request.headers.add(name: "authorization", value: "Bearer \(token)")
        request.headers.add(name: "accept", value: "text/event-stream")
        if let lastEventID { request.headers.add(name: "last-event-id", value: lastEventID) }
        let response = try await caller.client.execute(request, timeout: .seconds(60))
        status = Int(response.status.code)
        type = response.headers.first(name: "content-type")
        bytes = response.body.makeAsyncIterator()
    }

    /// The next block between empty lines, comments too; `nil` at the end.
    mutating func block() async throws -> [String]? {
        while true {
            if let end = text.range(of: "\n\n") {
                let lines = text[..<end.lowerBound].split(separator: "\n").map(String.init)
                text.removeSubrange(..<end.upperBound)
                return lines
            }
            guard let part = try await bytes.next() else { return nil }
            text += String(buffer: part)
        }
    }

    /// The next event, or the next place to come back to, which has no name.
    mutating func next() async throws -> Event? {
        while let lines = try await block() {
            if lines.allSatisfy({ $0.hasPrefix(":") }) { continue }
            var event = Event()
            for line in lines {
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { event.data += line.dropFirst(6) }
            }
            return event
        }
        return nil
    }

    mutating func value() async throws -> (id: String?, value: String?) {
        let event = try #require(try await next())
        #expect(event.name == "answer")
        let answer = try JSONDecoder().decode(InstantVector.self, from: Data(event.data.utf8))
        return (event.id, answer.data.result.first?.number)
    }
}

/// Stands for a client that takes nothing until it is told to.
private struct GatedWriter: ResponseBodyWriter {
    final class Taken: Sendable {
        let parts = Mutex<[String]>([])
        let isFinished = Atomic(false)
        /// Without the signs of life between, which a busy machine may have time for.
        var said: [String] { parts.withLock { $0 }.filter { $0 != ":\n\n" } }
    }

    let gate: AsyncStream<Void>
    let taken: Taken
    let onWrite: @Sendable () -> Void

    mutating func write(_ buffer: ByteBuffer) async throws {
        onWrite()
        for await _ in gate { break }
        try Task.checkCancellation()
        taken.parts.withLock { $0.append(String(buffer: buffer)) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        taken.isFinished.store(true, ordering: .relaxed)
    }
}

@Suite struct `Streams of events` {
    private static let sum =
        "/v1/stream?step=100ms&query=sum(sum_over_time(cicd_pipeline_run_duration_seconds%5B1h%5D))"

    @Test(arguments: [HTTPClient.Configuration.HTTPVersion.http1Only, .automatic])
    func `tell an answer when it changes, and as of which entry`(
        version: HTTPClient.Configuration.HTTPVersion
    ) async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst])
            let caller = try Caller(port: served.port, ledger: served.ledger, version: version)
            var events = try await EventReader(caller, Self.sum, token: token)
            #expect(events.status == 200)
            #expect(events.type == "text/event-stream")
            #expect(try await events.value() == ("0", nil))
            try await served.append(try served.ledger.document(id: "a", "40"))
            #expect(try await events.value() == ("1", "40"))
            // Nothing changes by it, so nothing is said.
            try await served.append(try served.ledger.document(id: "b", "0"))
            await served.settleQueries()
            try await served.append(try served.ledger.document(id: "c", "2"))
            #expect(try await events.value() == ("3", "42"))

            // What changed while nobody listened is told at once.
            var late = try await EventReader(served.caller, Self.sum, token: token, lastEventID: "1")
            #expect(try await late.value() == ("3", "42"))
            // What did not change is not.
            var level = try await EventReader(served.caller, Self.sum, token: token, lastEventID: "3")
            try await served.append(try served.ledger.document(id: "d", "1"))
            #expect(try await level.value() == ("4", "43"))
            var parameter = try await EventReader(served.caller, Self.sum + "&after=2", token: token)
            #expect(try await parameter.value() == ("4", "43"))
            try await caller.end()
        }
    }

    @Test func `are refused in words to those who ask for what there is not`() async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst])
            for (path, status) in [
                ("/v1/stream", 400), ("/v1/stream?query=sum(", 400), ("/v1/stream?query=1&windows=x", 400),
                ("/v1/stream?query=1&step=soon", 400), ("/v1/stream?query=1&after=x", 400),
                ("/v1/stream?windows=x", 404), ("/v1/windows/x", 404),
            ] {
                let answer = try await served.caller.get(path, token: token)
                #expect(answer.status == status, "\(path)")
                #expect(answer.problem != nil, "\(path): \(answer.text)")
            }
            for path in ["/v1/stream?query=1", "/v1/windows", "/v1/windows/x"] {
                #expect(try await served.caller.get(path).status == 401)
                let other = try await served.ledger.token([.submitter])
                #expect(try await served.caller.get(path, token: other).status == 403)
            }
            #expect(served.node.streamPlaces.count == 0)
        }
    }

    @Test func `are bounded in number, and give their places back`() async throws {
        var deadlines = Deadlines()
        deadlines.heartbeat = .milliseconds(50)
        try await ServedNode.run(deadlines: deadlines) { served in
            let token = try await served.ledger.token([.analyst])
            let places = served.node.streamPlaces
            var held: [StreamPlace] = []
            while let place = places.take() { held.append(place) }
            #expect(held.count == Limits.streams)
            let refused = try await served.caller.get("/v1/stream?query=1", token: token)
            #expect(refused.status == 429)
            #expect(refused.problem == "busy")
            #expect(refused.headers["retry-after"] == ["10"])

            held.removeLast()
            // The head alone is answered, and takes no place for good.
            #expect(
                try await served.caller.send(.HEAD, "/v1/stream?query=1", Caller.bearer(token)).status == 200)
            do {
                let other = try Caller(port: served.port, ledger: served.ledger)
                var events = try await EventReader(other, "/v1/stream?query=1", token: token)
                #expect(try await events.next()?.name == "answer")
                #expect(places.count == Limits.streams)
                #expect(try await events.block()?.first?.hasPrefix(":") == true, "it shows that it is there")
                try await other.end()
            }
            // The client has gone: a heartbeat finds that out.
            while places.count == Limits.streams { await Task.yield() }
            held = []
            #expect(places.count == 0)
        }
    }

    @Test(arguments: [HTTPClient.Configuration.HTTPVersion.http1Only, .automatic])
    func `outlive every deadline of a connection that says nothing`(
        version: HTTPClient.Configuration.HTTPVersion
    ) async throws {
        var deadlines = Deadlines()
        // Long enough for a machine that runs all tests at once and may not look at this one for seconds.
        deadlines.heartbeat = .milliseconds(500)
        (deadlines.body, deadlines.idle, deadlines.silence) = (.seconds(12), .seconds(12), .seconds(15))
        try await ServedNode.run(deadlines: deadlines) { served in
            let token = try await served.ledger.token([.analyst])
            let caller = try Caller(port: served.port, ledger: served.ledger, version: version)
            var events = try await EventReader(caller, Self.sum, token: token)
            #expect(try await events.value() == ("0", nil))
            // For longer than any of them.
            for _ in 0..<40 { #expect(try await events.block() == [":"]) }
            try await served.append(try served.ledger.document(id: "a", "40"))
            #expect(try await events.value() == ("1", "40"))
            try await caller.end()
        }
    }

    @Test func `end when the token does`() async throws {
        try await ServedNode.run { served in
            let token = try await served.ledger.token([.analyst], seconds: 20)
            var events = try await EventReader(served.caller, "/v1/stream?query=1", token: token)
            #expect(try await events.next()?.name == "answer")
            // In order: the body has its end, so that reading it does not fail.
            #expect(try await events.next() == nil)
            #expect(try await served.caller.get("/v1/windows", token: token).status == 401)
        }
    }

    @Test func `end in order when the node is told to stop`() async throws {
        let ledger = try await MadeLedger.shared()
        let directory = try TemporaryDirectory()
        try ledger.copy(to: directory)
        let server = try ServerProcess(directory: directory)
        let caller = try Caller(port: server.port, ledger: ledger)
        var events = try await EventReader(
            caller, "/v1/stream?query=1", token: try await ledger.token([.analyst]))
        #expect(try await events.next()?.name == "answer")
        server.terminate()
        #expect(try await events.next() == nil)
        #expect(server.wait() == 0)
        try await caller.end()
    }

    @Test func `skip for a client that stops reading, and go on with what is newest`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let token = try await ledger.token([.analyst])
            let ci = try ledger.client("ci")
            func append(_ id: String, _ measures: [Measure]) async throws {
                try await served.append(ledger.seal(ledger.xml(id: id, measures), by: ci))
                await served.settleQueries()
            }
            // Each answer has more than half a megabyte: the system takes a few of them for a client that does not.
            let padding = Label(name: "padding", value: String(repeating: "x", count: 900))
            let measures = try (0..<600).map { number in
                let plain = try ledger.measure("1", "m\(number)", unit: "")
                return Measure(
                    name: plain.name, unit: "", time: plain.time, labels: [padding], value: plain.value)
            }
            try await append("many", measures)
            let connection = try await RawConnection.open(
                port: served.port, tls: try ledger.authority, receiveBytes: 8192)
            let query = "/v1/stream?step=100ms&lookback_delta=1h&query=%7B__name__%3D~%22m.*%22%7D"
            try await connection.write(
                "GET \(query) HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \(token)\r\n\r\n")
            while try await !connection.text.contains("id: 1\n") { await Task.yield() }
            try await connection.setReading(false)
            for number in 1...25 {
                let answered = served.node.metrics.queriesAnswered.value
                try await append("d\(number)", [try ledger.measure("\(number)", "m0", unit: "")])
                while served.node.metrics.queriesAnswered.value == answered { await Task.yield() }
            }
            try await connection.setReading(true)
            let newest = served.node.follower.followed.size
            while try await !connection.text.contains("id: \(newest)\n") { await Task.yield() }
            let text = try await connection.text
            let skipped = text.contains("event: skipped\ndata: {")
            #expect(skipped)
            let answers = text.components(separatedBy: "event: answer").count - 1
            #expect(answers < 25)
            try await connection.close()
        }
    }

    private func stream(_ deadlines: Deadlines, _ channel: any Channel) -> EventStream {
        EventStream(deadlines: deadlines, expires: .distantFuture, channel: channel)
    }

    @Test func `give a slow reader the newest answer, and say what it missed`() async throws {
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let (writes, onWrite) = AsyncStream.makeStream(of: Void.self)
        let taken = GatedWriter.Taken()
        var writer: any ResponseBodyWriter = GatedWriter(gate: gate, taken: taken) { onWrite.yield() }
        let newest = Shared(NewestAnswer())
        try await stream(Deadlines(), NIOAsyncTestingChannel()).run(&writer) { bell in
            newest.value.withLock { $0.offer(1, "answer", [0x31]) }
            bell.ring()
            for await _ in writes { break }
            // The first is under way, and stays so.
            for size in 2...5 as ClosedRange<UInt64> {
                newest.value.withLock { $0.offer(size, "answer", Array("\(size)".utf8)) }
                bell.ring()
            }
            open.finish()
            while taken.said.count < 3 { await Task.yield() }
        } next: {
            guard let (skipped, answer) = newest.value.withLock({ $0.take() }) else { return [] }
            guard let skipped else { return [answer.bytes] }
            return [
                ServerSentEvent("skipped", Array("\(skipped.first)-\(skipped.last)".utf8)).bytes,
                answer.bytes,
            ]
        }
        #expect(
            taken.said == [
                "id: 1\nevent: answer\ndata: 1\n\n", "event: skipped\ndata: 2-4\n\n",
                "id: 5\nevent: answer\ndata: 5\n\n",
            ])
        let isFinished = taken.isFinished.load(ordering: .relaxed)
        #expect(isFinished)
    }

    @Test func `are cut for a reader that takes nothing for too long`() async throws {
        var deadlines = Deadlines()
        deadlines.heartbeat = .milliseconds(20)
        deadlines.silence = .milliseconds(60)
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let channel = NIOAsyncTestingChannel()
        _ = try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).get()
        channel.closeFuture.whenComplete { _ in open.finish() }
        let taken = GatedWriter.Taken()
        var writer: any ResponseBodyWriter = GatedWriter(gate: gate, taken: taken) {}
        try await stream(deadlines, channel).run(&writer) { _ in
            try await channel.closeFuture.get()
        } next: {
            taken.parts.withLock { $0.isEmpty } ? [ServerSentEvent("answer", [0x31]).bytes] : []
        }
        #expect(!channel.isActive)
    }

    private final class Shared<Value: ~Copyable & Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: consuming sending Value) { self.value = Mutex(value) }
    }

    // MARK: Windows

    private struct Windows: Decodable {
        struct Window: Decodable, Equatable {
            let start: String
            let end: String
            let labels: [String: String]
            let count: Int
            let sum: String
            let avg: String?
            let min: String?
            let max: String?
            let p50: String?
            let open: Bool
            let revision: Int
            let supersedes: [String]?
        }
        let asOf: Int
        let watermark: String?
        let position: String
        let truncated: Bool
        let windows: [Window]
    }

    private static func configure(_ path: String) throws {
        let file = URL(filePath: path + "/config.json")
        var configuration = try JSONDecoder().decode(NodeConfiguration.self, from: Data(contentsOf: file))
        configuration.windows = [
            WindowSettings(
                name: "durations", selector: "cicd_pipeline_run_duration_seconds", kind: "tumbling",
                size: "1m",
                by: ["pipeline"], allowedLateness: "0s", idleTimeout: "1h")
        ]
        try JSONEncoder().encode(configuration).write(to: file)
    }

    @Test func `tell the windows that close and change, and go on exactly where a reader was`() async throws {
        try await ServedNode.run(preparing: Self.configure) { served in
            let ledger = served.ledger
            let token = try await ledger.token([.analyst])
            let minute = ledger.start.milliseconds / 60_000 * 60_000
            func append(_ id: String, _ value: String, minutesAgo: Int64, seconds: Int64) async throws {
                let time = try #require(
                    Timestamp(milliseconds: minute - minutesAgo * 60_000 + seconds * 1000))
                try await served.append(
                    ledger.seal(
                        ledger.xml(id: id, [try ledger.measure(value, at: time)]), by: ledger.client("ci")))
                await served.settleQueries()
            }
            func decode(_ event: EventReader.Event?) throws -> Windows.Window {
                #expect(event?.name == "window")
                return try JSONDecoder().decode(Windows.Window.self, from: Data((event?.data ?? "").utf8))
            }

            var events = try await EventReader(served.caller, "/v1/stream?windows=durations", token: token)
            #expect(try await events.next() == EventReader.Event(id: "0.0"))
            try await append("a", "1.5", minutesAgo: 9, seconds: 10)
            try await append("b", "2.25", minutesAgo: 9, seconds: 20)
            try await append("c", "7", minutesAgo: 7, seconds: 0)
            let closed = try await events.next()
            #expect(closed?.id == "3.1")
            let first = try decode(closed)
            #expect(first.labels == ["pipeline": "shop/web"])
            #expect(first.count == 2)
            #expect(first.sum == "3.75")
            #expect(first.avg == "1.875")
            #expect((first.min, first.max) == ("1.5", "2.25"))
            #expect(first.revision == 1)
            #expect(!first.open)
            #expect(first.start == Timestamp(milliseconds: minute - 9 * 60_000)?.description)
            #expect(first.end == Timestamp(milliseconds: minute - 8 * 60_000)?.description)

            // Late.
            try await append("d", "-3.75", minutesAgo: 9, seconds: 59)
            let changed = try await events.next()
            #expect(changed?.id == "4.1")
            #expect(try decode(changed).revision == 2)
            #expect(try decode(changed).sum == "0")

            // A reader that was away hears all it missed, as it was then, and nothing twice.
            var again = try await EventReader(
                served.caller, "/v1/stream?windows=durations", token: token, lastEventID: "0.0")
            #expect(try await again.next()?.id == "0.0")
            #expect(try await again.next() == closed)
            #expect(try await again.next() == changed)
            var rest = try await EventReader(
                served.caller, "/v1/stream?windows=durations&after=3.1", token: token)
            #expect(try await rest.next()?.id == "3.1")
            #expect(try await rest.next() == changed)

            let answer = try await served.caller.get("/v1/windows/durations", token: token)
            let all = try answer.json(as: Windows.self)
            #expect(all.asOf == 4)
            #expect(all.position == "4.1")
            #expect(all.watermark == Timestamp(milliseconds: minute - 7 * 60_000)?.description)
            #expect(!all.truncated)
            #expect(all.windows.map(\.open) == [false, true])
            #expect(all.windows.map(\.revision) == [2, 0])
            #expect(all.windows.map(\.count) == [3, 1])
            let part = try await served.caller.get(
                "/v1/windows/durations?from=\(minute / 1000 - 480)&to=\(minute / 1000)", token: token)
            #expect(try part.json(as: Windows.self).windows == Array(all.windows.suffix(1)))
            let last = try await served.caller.get("/v1/windows/durations?newest=1", token: token)
                .json(as: Windows.self)
            #expect(last.windows == Array(all.windows.suffix(1)))
            #expect(last.truncated)
            let both = try await served.caller.get("/v1/windows/durations?newest=2", token: token)
                .json(as: Windows.self)
            #expect(both.windows == all.windows)
            #expect(!both.truncated)
            let earlier = try await served.caller.get(
                "/v1/windows/durations?newest=5&to=\(minute / 1000 - 480)", token: token)
            #expect(try earlier.json(as: Windows.self).windows == Array(all.windows.prefix(1)))
            for wrong in ["0", "-1", "10001", "x"] {
                let answer = try await served.caller.get(
                    "/v1/windows/durations?newest=\(wrong)", token: token)
                #expect(answer.status == 400, "\(answer.text)")
            }
            let names = try await served.caller.get("/v1/windows", token: token)
            #expect(names.text == #"{"windows":["durations"]}"#)
        }
    }

    @Test func `are not begun for windows that cannot be: the configuration is refused with its place`()
        async throws
    {
        let ledger = try await MadeLedger.shared()
        for (windows, place) in [
            (#"[{"name": "w", "selector": "a", "kind": "tumbling"}]"#, "windows[0].size"),
            (
                #"[{"name": "w", "selector": "a", "kind": "session", "gap": "5m", "lateness": "1m"}]"#,
                "windows[0].lateness"
            ),
        ] {
            let directory = try TemporaryDirectory()
            try ledger.copy(to: directory)
            let file = URL(filePath: directory.path + "/ledger/node1/config.json")
            let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            let brace = try #require(text.firstIndex(of: "{"))
            let changed = "{\"windows\": \(windows)," + text[text.index(after: brace)...]
            try Data(changed.utf8).write(to: file)
            let failure = #expect(throws: CommandFailure.self) {
                try NodeDirectory(path: directory.path + "/ledger/node1")
            }
            #expect(failure?.what.contains(place) == true, "\(failure?.what ?? "")")
            #expect(failure?.remedy.isEmpty == false)
        }
    }
}
