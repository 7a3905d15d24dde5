import AsyncHTTPClient
import Foundation
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization
import TestSupport
import Testing

@testable import ledgerd

/// What a server answered.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body))
    }

    /// The problem of RFC 9457, where it is one of ours.
    struct Problem: Decodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let line: Int?
        let column: Int?
        let entry: UInt64?
    }

    /// `urn:kpi-ledger:problem:` left out; `nil` where the answer is no problem in the right form.
    var problem: String? {
        guard headers["content-type"] == ["application/problem+json"],
            let problem = try? json(as: Problem.self), problem.status == status, !problem.title.isEmpty,
            !problem.detail.isEmpty, problem.type.hasPrefix("urn:kpi-ledger:problem:")
        else { return nil }
        return String(problem.type.dropFirst("urn:kpi-ledger:problem:".count))
    }
}

/// How a client speaks to a server.
struct Caller: Sendable {
    var client: HTTPClient { shared.client }
    let base: String
    private let shared: SharedClient

    /// A client that is let go of when nobody has it any more. Without, a test that fails before its end would take
    /// down the process, and all other tests with it.
    private final class SharedClient: Sendable {
        let client: HTTPClient
        init(_ client: HTTPClient) { self.client = client }
        deinit { Task { [client] in try? await client.shutdown() } }
    }

    /// - Parameter identity: shown as the client's certificate.
    init(
        port: Int, ledger: MadeLedger, identity: MadeLedger.Signer? = nil,
        version: HTTPClient.Configuration.HTTPVersion = .http1Only
    ) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates([try ledger.authority])
        if let identity {
            tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(identity.certificatePEM)
                .map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: identity.keyPEM, format: .pem))
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = version
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        // A server that is gone is gone: tests start it again themselves.
        configuration.connectionPool.retryConnectionEstablishment = false
        shared = SharedClient(
            HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration))
        base = "https://127.0.0.1:\(port)"
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ headers: [(String, String)] = [], body: [UInt8]? = nil,
        isChunked: Bool = false
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: base + path)
        request.method = method
        request.headers = HTTPHeaders(headers)
        if let body {
            request.body = .bytes(body, length: isChunked ? .unknown : .known(Int64(body.count)))
        }
        let response = try await client.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers, body: Array(bytes.readableBytesView)
        )
    }

    func get(_ path: String, token: String? = nil, _ headers: [(String, String)] = []) async throws -> Answer
    {
        try await send(.GET, path, headers + Self.bearer(token))
    }

    func append(_ submission: [UInt8]) async throws -> Answer {
        try await send(.POST, "/v1/entries", [("content-type", "application/cms")], body: submission)
    }

    func govern(_ submission: [UInt8]) async throws -> Answer {
        try await send(.POST, "/v1/governance", [("content-type", "application/cms")], body: submission)
    }

    static func bearer(_ token: String?) -> [(String, String)] {
        token.map { [("authorization", "Bearer \($0)")] } ?? []
    }

    func end() async throws { try await client.shutdown() }
}

/// A node of `MadeLedger` that serves HTTPS in this process.
struct ServedNode: Sendable {
    let ledger: MadeLedger
    let node: Node
    let port: Int
    let caller: Caller
    let directory: TemporaryDirectory

    struct DidNotStart: Error {}

    /// Runs a test against a fresh node.
    ///
    /// - Parameter preparing: is given the node's directory before it starts.
    static func run(
        deadlines: Deadlines = Deadlines(), clock: @escaping @Sendable () -> Timestamp = Node.now,
        preparing: (String) throws -> Void = { _ in },
        _ body: (ServedNode) async throws -> Void
    ) async throws {
        let ledger = try await MadeLedger.shared()
        let directory = try TemporaryDirectory()
        try ledger.copy(to: directory)
        try preparing(directory.path + "/ledger/node1")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let node = try await Node(
            NodeDirectory(path: directory.path + "/ledger/node1"), logger: logger, clock: clock)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await NodeServer(
                    node, deadlines: deadlines, stopSignals: [], onServing: { continuation.yield($0) }
                ).run()
            }
            guard let port = await ports.first(where: { _ in true }) else { throw DidNotStart() }
            let caller = try Caller(port: port, ledger: ledger)
            let result: Result<Void, any Error>
            do {
                try await body(
                    ServedNode(ledger: ledger, node: node, port: port, caller: caller, directory: directory))
                result = .success(())
            } catch { result = .failure(error) }
            try await caller.end()
            group.cancelAll()
            // The server ends by cancellation, which it reports as an error.
            while let ended = await group.nextResult() { _ = ended }
            try result.get()
        }
    }

    /// Appends a document and returns its index.
    @discardableResult
    func append(_ submission: [UInt8]) async throws -> UInt64 {
        let answer = try await caller.append(submission)
        #expect([200, 201].contains(answer.status), "\(answer.text)")
        return try Receipt(parsing: answer.body).index.value
    }

    @discardableResult
    func govern(_ submission: [UInt8]) async throws -> UInt64 {
        let answer = try await caller.govern(submission)
        #expect(answer.status == 201, "\(answer.text)")
        return try Receipt(parsing: answer.body).index.value
    }

    /// Returns once the query store has followed everything that is final.
    func settleQueries() async { await node.follower.settle() }

    /// The value of an instant query with one number as its answer; `nil` where it is empty.
    func value(_ query: String, token: String) async throws -> String? {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "._-")
        let text = query.addingPercentEncoding(withAllowedCharacters: allowed) ?? query
        let answer = try await caller.get("/api/v1/query?query=\(text)", token: token)
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.json(as: InstantVector.self).data.result.first?.number
    }
}

/// The answer of `/api/v1/query` to a vector.
struct InstantVector: Decodable {
    struct Data: Decodable {
        let resultType: String
        let result: [Sample]
    }
    struct Sample: Decodable {
        let metric: [String: String]
        let number: String

        enum CodingKeys: CodingKey { case metric, value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            metric = try container.decode([String: String].self, forKey: .metric)
            var pair = try container.nestedUnkeyedContainer(forKey: .value)
            _ = try pair.decode(Double.self)
            number = try pair.decode(String.self)
        }
    }
    let status: String
    let data: Data
}
