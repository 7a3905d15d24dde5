import AsyncHTTPClient
import Foundation
import Ledger
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// HTTPS requests to one node or another, each tried once.
final class LedgerPort: Sendable {
    /// Why there was no answer, in the words of the figures.
    struct NoAnswer: Error { let reason: String }

    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]

        /// `no-quorum` of `urn:kpi-ledger:problem:no-quorum`; the status alone where it is no problem of ours.
        var problem: String {
            struct Problem: Decodable { let type: String }
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(body))
            let name = problem?.type.split(separator: ":").last.map(String.init)
            return "\(status) \(name ?? "")"
        }
    }

    /// What `/healthz` tells.
    struct Health: Decodable, Sendable {
        let size: UInt64
        let queried: UInt64
        let height: UInt64
        let currentView: UInt64
        let isChangingView: Bool
        let primary: String
        let evidence: [String]
    }

    private let http: HTTPClient
    private let folder: LedgerFolder
    private let token: String

    init(_ folder: LedgerFolder) async throws {
        self.folder = folder
        token = try await folder.analystToken()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(folder.authorityPath))
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = .seconds(2)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 128
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func close() async { try? await http.shutdown() }

    func append(_ submission: [UInt8], at node: Int, within time: TimeAmount) async throws(NoAnswer) -> Answer
    {
        try await send(
            .POST, "/v1/entries", node, within: time, headers: [("content-type", "application/cms")],
            body: submission)
    }

    func get(_ path: String, at node: Int, within time: TimeAmount) async throws(NoAnswer) -> Answer {
        try await send(
            .GET, path, node, within: time,
            headers: path.hasPrefix("/api/") ? [("authorization", "Bearer \(token)")] : [])
    }

    /// `nil` where the node does not answer.
    func health(_ node: Int) async -> Health? {
        guard let answer = try? await get("/healthz", at: node, within: .seconds(2)), answer.status == 200
        else { return nil }
        return try? JSONDecoder().decode(Health.self, from: Data(answer.body))
    }

    /// Of all nodes, in their order.
    func healths() async -> [Health?] {
        await withTaskGroup(of: (Int, Health?).self) { group in
            for node in folder.names.indices { group.addTask { (node, await self.health(node)) } }
            var healths = [Health?](repeating: nil, count: folder.names.count)
            for await (node, health) in group { healths[node] = health }
            return healths
        }
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ node: Int, within time: TimeAmount,
        headers: [(String, String)], body: [UInt8]? = nil
    ) async throws(NoAnswer) -> Answer {
        var request = HTTPClientRequest(url: folder.url(node) + path)
        request.method = method
        request.headers = HTTPHeaders(headers)
        if let body { request.body = .bytes(body) }
        do {
            let response = try await http.execute(request, timeout: time)
            let bytes = try await response.body.collect(upTo: 16 << 20)
            return Answer(status: Int(response.status.code), body: Array(bytes.readableBytesView))
        } catch { throw NoAnswer(reason: Self.reason(error)) }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded: "no answer in time"
        case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
        case let error as HTTPClientError where error == .remoteConnectionClosed: "connection lost"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "no address"
        case let error as IOError where error.errnoCode == ECONNREFUSED: "connection refused"
        case is IOError, is ChannelError, is NIOSSLError: "connection lost"
        default: "\(error)"
        }
    }
}
