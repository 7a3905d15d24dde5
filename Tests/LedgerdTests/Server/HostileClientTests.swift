import AsyncHTTPClient
import Foundation
import Ledger
import NIOHTTP1
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite(.serialized) struct `A node among hostile clients` {
    private static let head =
        "POST /v1/entries HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cms\r\n"

    @Test func `refuses damaged submissions and stays as it is`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let good = try ledger.document(id: "a")
            var random = SeededGenerator(seed: 11)
            var bodies: [[UInt8]] = []
            for _ in 0..<150 {
                bodies.append(Array(good.prefix(Int.random(in: 0..<good.count, using: &random))))
                var flipped = good
                // The certificates' and the ciphertext's bytes, lengths and tags alike.
                flipped[Int.random(in: 0..<good.count, using: &random)] ^= UInt8.random(
                    in: 1...255, using: &random)
                bodies.append(flipped)
                bodies.append(
                    (0..<Int.random(in: 0..<2000, using: &random)).map { _ in
                        .random(in: 0...255, using: &random)
                    })
            }
            bodies.append([UInt8](repeating: 0x30, count: 100_000))
            bodies.append(Array(repeating: [0x30, 0x80], count: 50_000).flatMap { $0 })
            bodies.append([0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF] + good)
            for body in bodies {
                let answer = try await served.caller.append(body)
                #expect([400, 401, 413, 422].contains(answer.status), "\(answer.status) \(answer.text)")
                #expect(answer.problem != nil)
            }
            #expect(served.node.driver.published.size == 0)
            #expect(try await served.caller.append(good).status == 201)
        }
    }

    @Test func `refuses hostile XML of an enrolled submitter`() async throws {
        try await ServedNode.run { served in
            let ledger = served.ledger
            let ci = try ledger.client("ci")
            let laughs =
                "<!DOCTYPE k [<!ENTITY a \"ha\">"
                + (1...20).map { "<!ENTITY a\($0) \"&a\($0 - 1);&a\($0 - 1);\">" }.joined()
                + "]><kpis>&a20;</kpis>"
            let texts = [
                String(repeating: "<a>", count: 50_000), String(repeating: "<a ", count: 50_000),
                "<kpis " + (0..<5000).map { "a\($0)=\"\"" }.joined(separator: " ") + "/>", laughs,
                "<!DOCTYPE k SYSTEM \"file:///etc/passwd\"><kpis/>",
                "<?xml version=\"1.0\" encoding=\"UTF-16\"?><kpis/>",
                "<kpis xmlns=\"urn:kpi-ledger:kpi:1\">\u{0}</kpis>",
                "<kpis>" + String(repeating: "&#38;", count: 100_000) + "</kpis>",
            ]
            for text in texts {
                let answer = try await served.caller.append(ledger.seal(Array(text.utf8), by: ci))
                #expect(
                    [400, 422].contains(answer.status),
                    "\(text.prefix(30)): \(answer.status) \(answer.text.prefix(200))")
            }
            #expect(try await served.caller.append(ledger.document(id: "a")).status == 201)
        }
    }

    @Test func `bounds heads, addresses and what is no HTTP`() async throws {
        try await ServedNode.run { served in
            let long = String(repeating: "a", count: 200_000)
            for request in [
                "GET /\(long) HTTP/1.1\r\nhost: x\r\n\r\n",
                "GET /v1/nodes?\(long)=1 HTTP/1.1\r\nhost: x\r\n\r\n",
                "GET /v1/nodes HTTP/1.1\r\nhost: x\r\nx: \(long)\r\n\r\n",
                "GET /v1/nodes HTTP/1.1\r\nhost: x\r\n" + (0..<5000).map { "x\($0): y\r\n" }.joined()
                    + "\r\n",
                "\u{0}\u{1}\u{2} nonsense\r\n\r\n", "GET /v1/nodes HTTP/9.9\r\n\r\n",
                Self.head + "content-length: -1\r\n\r\n",
                Self.head + "content-length: 99999999999999999999\r\n\r\n",
                Self.head + "content-length: 5\r\ncontent-length: 6\r\n\r\n12345",
                Self.head + "transfer-encoding: chunked\r\n\r\nZZZ\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            ] {
                let connection = try await RawConnection.open(
                    port: served.port, tls: try served.ledger.authority)
                try? await connection.write(request)
                let answer = try await connection.end()
                #expect(
                    answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"),
                    "\(request.prefix(60)): \(answer.prefix(200))")
            }
            // A NUL in an address is no address.
            for path in [
                "/%00", "/v1/entries/%00", "/checkpoint%00", "/tile/%00",
                "/v1/nodes/%2e%2e/%2e%2e/etc/passwd",
            ] {
                let answer = try await served.caller.get(path)
                #expect([400, 401, 404].contains(answer.status), "\(path)")
            }
            #expect(try await served.caller.get("/healthz").status == 200)
        }
    }

    @Test func `waits for no one for ever`() async throws {
        var deadlines = Deadlines()
        deadlines.handshake = .milliseconds(300)
        deadlines.body = .milliseconds(300)
        deadlines.idle = .milliseconds(600)
        try await ServedNode.run(deadlines: deadlines) { served in
            let authority = try served.ledger.authority
            // Nothing at all, a head that does not end, an answered request with nothing after it.
            let silent = try await RawConnection.open(port: served.port, tls: nil)
            #expect(try await silent.end() == "")
            let half = try await RawConnection.open(port: served.port, tls: authority)
            try await half.write("GET /v1/nodes HTTP/1.1\r\nhost:")
            _ = try await half.end()
            let idle = try await RawConnection.open(port: served.port, tls: authority)
            try await idle.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(try await idle.end().hasPrefix("HTTP/1.1 200"))
            // A body that does not end, whether somebody reads it or not.
            let slow = try await RawConnection.open(port: served.port, tls: authority)
            try await slow.write(Self.head + "content-length: 1000\r\n\r\n12345")
            let answer = try await slow.end()
            #expect(answer.hasPrefix("HTTP/1.1 408"), "\(answer)")
            #expect(answer.contains("urn:kpi-ledger:problem:too-slow"))
            let unread = try await RawConnection.open(port: served.port, tls: authority)
            try await unread.write(
                "POST /v1/nothing HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n")
            #expect(try await unread.end().hasPrefix("HTTP/1.1 404"))
            // The client may hear of the end first.
            while served.node.metrics.requestsUnderWay.value > 0 { await Task.yield() }
            #expect(served.node.metrics.submissionsUnderWay.value == 0)
            #expect(served.node.bodies.take(Limits.bodyBytes))
        }
    }

    @Test func `a body that trickles takes no place from others`() async throws {
        try await ServedNode.run { served in
            var slow: [RawConnection] = []
            for _ in 0..<(Limits.submissionsAtOnce + 20) {
                let connection = try await RawConnection.open(
                    port: served.port, tls: try served.ledger.authority)
                try await connection.write(Self.head + "content-length: 1000\r\n\r\n1")
                slow.append(connection)
            }
            while served.node.metrics.requestsUnderWay.value < slow.count { await Task.yield() }
            #expect(try await served.caller.append(served.ledger.document(id: "a")).status == 201)
            for connection in slow { try await connection.close() }
        }
    }

    /// The listener takes no more than its limit; those that wait are served when others go.
    @Test func `recovers from more connections than it takes`() async throws {
        let ledger = try await MadeLedger.shared()
        let directory = try TemporaryDirectory()
        try ledger.copy(to: directory)
        let server = try ServerProcess(directory: directory, shell: "ulimit -n 4096;")
        let caller = try Caller(port: server.port, ledger: ledger)
        #expect(try await caller.append(ledger.document(id: "a")).status == 201)
        let before = try server.residentBytes
        for round in 0..<2 {
            var connections: [RawConnection] = []
            for _ in 0..<(Limits.connections + 200) {
                connections.append(try await RawConnection.open(port: server.port, tls: nil))
            }
            for connection in connections { try await connection.close() }
            #expect(try await caller.append(ledger.document(id: "after \(round)")).status == 201)
        }
        let grown = try server.residentBytes - before
        #expect(grown < 96 << 20, "grown by \(grown >> 20) MiB")
        try await caller.end()
        server.terminate()
        #expect(server.wait() == 0)
    }

    @Test func `does not grow under a storm`() async throws {
        let ledger = try await MadeLedger.shared()
        let directory = try TemporaryDirectory()
        try ledger.copy(to: directory)
        let server = try ServerProcess(directory: directory)
        let one = try Caller(port: server.port, ledger: ledger)
        let many = try Caller(port: server.port, ledger: ledger, version: .automatic)
        let token = try await ledger.token([.analyst])
        #expect(try await one.append(ledger.document(id: "a")).status == 201)
        let large = [UInt8](repeating: 0x30, count: Limits.submissionBytes)
        /// Noise of every kind, over HTTP/1.1 and as many streams of one HTTP/2 connection.
        func storm() async {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<300 {
                    group.addTask {
                        let caller = number % 2 == 0 ? one : many
                        switch number % 5 {
                        case 0: _ = try? await caller.append(large)
                        case 1: _ = try? await caller.get("/v1/blocks")
                        case 2: _ = try? await caller.get("/api/v1/query?query=sum(a)", token: token)
                        case 3: _ = try? await caller.send(.POST, "/v1/nothing", body: large, isChunked: true)
                        default: _ = try? await caller.get("/tile/entries/000.p/1")
                        }
                    }
                }
            }
        }
        // The first storm makes what is kept for later ones: threads, pools, buffers.
        for _ in 0..<2 { await storm() }
        let before = try server.residentBytes
        for round in 1...4 {
            await storm()
            print("storm \(round): \(try server.residentBytes >> 20) MiB")
        }
        let grown = try server.residentBytes - before
        #expect(grown < 48 << 20, "grown by \(grown >> 20) MiB")
        #expect(server.isRunning)
        #expect(try await one.append(ledger.document(id: "b")).status == 201)
        try await one.end()
        try await many.end()
        server.terminate()
        #expect(server.wait() == 0)
    }
}
