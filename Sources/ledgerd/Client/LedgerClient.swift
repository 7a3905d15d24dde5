import AsyncHTTPClient
import Foundation
import Ledger
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Requests to a ledger over HTTPS: to the first of its addresses that takes them.
///
/// Every request of this interface may be repeated, so one that failed goes to the next address.
final class LedgerClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let body: [UInt8]
        /// Which address answered.
        let url: String
        fileprivate let headers: HTTPHeaders

        func header(_ name: String) -> String? { headers.first(name: name) }
    }

    /// How the client shows who it is.
    enum Credential: Sendable {
        case none
        case token(String)
        case certificate(ClientIdentity)
    }

    let urls: [String]
    private let http: HTTPClient
    private let authorization: String?

    /// - Parameters:
    ///   - urls: at least one.
    ///   - authority: PEM of the TLS root; the system's roots without one.
    /// - Throws: `CommandFailure` for certificates that cannot be used.
    init(urls: [String], authority: String?, credential: Credential = .none) throws {
        self.urls = urls
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv13
        do {
            if let authority { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority)) }
            if case .certificate(let identity) = credential {
                tls.certificateChain = try NIOSSLCertificate.fromPEMFile(identity.certificatePath)
                    .map { .certificate($0) }
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.keyPath, format: .pem))
            }
        } catch {
            throw CommandFailure(
                .wrongUsage, "a certificate cannot be used: \(error)",
                remedy: "Name PEM files (--ca, --identity).")
        }
        if case .token(let token) = credential {
            authorization = "Bearer \(token)"
        } else {
            authorization = nil
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(Limits.connectSeconds)
        configuration.networkFrameworkWaitForConnectivity = false
        // A connection that fails is answered by the next address, not by waiting.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Limits.payloadsAtOnce
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func close() async { try? await http.shutdown() }

    /// Sends a request and takes a successful answer.
    ///
    /// - Parameters:
    ///   - limitBytes: of the answer's body.
    ///   - seconds: how long each address is waited for.
    func send(
        _ method: HTTPMethod = .GET, _ path: String, body: [UInt8]? = nil, type: String? = nil,
        limitBytes: Int = Limits.smallAnswerBytes, seconds: Int64 = Limits.requestSeconds
    ) async throws(ClientFailure) -> Answer {
        var reason = "no address was given"
        var status: Int?
        var pause = 0.2
        for round in 1...Limits.requestRounds {
            var asked = 0.0
            for url in urls {
                let answer: Answer
                do { answer = try await attempt(method, url, path, body, type, limitBytes, seconds) } catch {
                    if case .nonsense = error { throw error }
                    if case .away(let why, _) = error { (reason, status) = ("\(url): \(why)", nil) }
                    continue
                }
                switch answer.status {
                case 200..<300: return answer
                case 429, 500...:
                    let refusal = ClientFailure.Refusal(status: answer.status, body: answer.body)
                    // A question that took too long would do so again.
                    if answer.status == 503, refusal.name == "timeout" { throw .refused(refusal) }
                    (reason, status) = ("\(url): \(refusal.detail)", answer.status)
                    asked = max(asked, answer.header("retry-after").flatMap { Double($0) } ?? 0)
                default: throw .refused(.init(status: answer.status, body: answer.body))
                }
            }
            guard round < Limits.requestRounds else { break }
            do {
                try await Task.sleep(for: .seconds(min(max(asked, pause), Limits.retryAfterSeconds)))
            } catch { throw .away("interrupted") }
            pause *= 4
        }
        throw .away(reason, status: status)
    }

    /// Asks one address once, whatever it answers.
    func attempt(
        _ method: HTTPMethod, _ url: String, _ path: String, _ body: [UInt8]? = nil, _ type: String? = nil,
        _ limitBytes: Int = Limits.smallAnswerBytes, _ seconds: Int64 = Limits.requestSeconds
    ) async throws(ClientFailure) -> Answer {
        let request = request(method, url + path, body, type)
        do {
            let response = try await http.execute(request, timeout: .seconds(seconds))
            let bytes = try await response.body.collect(upTo: limitBytes)
            return Answer(
                status: Int(response.status.code), body: Array(bytes.readableBytesView), url: url,
                headers: response.headers)
        } catch is NIOTooManyBytesError {
            throw .nonsense("the answer to \(path) is over the limit of \(limitBytes) bytes")
        } catch { throw .away(Self.reason(error)) }
    }

    /// Asks one address once, and returns when its answer begins.
    func begin(
        _ method: HTTPMethod, _ url: String, _ body: [UInt8]? = nil, _ type: String? = nil
    ) async throws -> HTTPClientResponse {
        try await http.execute(
            request(method, url, body, type), deadline: .now() + .seconds(Limits.streamSeconds))
    }

    private func request(
        _ method: HTTPMethod, _ url: String, _ body: [UInt8]?, _ type: String?
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let authorization { request.headers.add(name: "Authorization", value: authorization) }
        if let type { request.headers.add(name: "Content-Type", value: type) }
        request.headers.add(name: "User-Agent", value: "ledgerd")
        if let body { request.body = .bytes(body) }
        return request
    }

    static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .connectTimeout: "no connection in time"
        case let error as HTTPClientError where error == .deadlineExceeded: "no answer in time"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error) } ?? "\(error.host) has no address"
        case let error as IOError: Printable.line(String(cString: strerror(error.errnoCode)))
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            "the TLS certificate is not accepted (\(Printable.line("\(error)", limit: 120)))"
        default: Printable.line("\(error)", limit: 200)
        }
    }
}
