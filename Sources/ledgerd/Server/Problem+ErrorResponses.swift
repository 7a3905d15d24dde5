import HTTPTypes
import Hummingbird
import Ledger
import Query
import Replication

// The one table of what can go wrong and how it is answered.

extension Problem {
    init(_ rejection: Rejection) {
        let status: HTTPResponse.Status =
            switch rejection.code {
            case .malformed: .badRequest
            case .tooLarge: .contentTooLarge
            case .unauthenticated: .unauthorized
            case .forbidden: .forbidden
            case .sealing, .invalid: .unprocessableContent
            case .conflict: .conflict
            case .erased: .gone
            }
        self.init(rejection.code.rawValue, status, rejection.reason)
        line = rejection.line
        column = rejection.column
    }

    init(_ failure: SubmissionFailure) {
        switch failure {
        case .rejected(let rejection): self.init(rejection)
        case .busy: self = .busy
        case .storage(let error): self.init(error)
        case .timeout:
            self.init(
                "no-quorum", .serviceUnavailable,
                "no quorum of nodes settled the entry in time; whether it will be in the log is not known, and sending the same again is safe"
            )
        case .stopped:
            self.init("stopping", .serviceUnavailable, "this node is stopping: send the same again soon")
        }
    }

    init(_ error: StoreError) {
        switch error {
        case .full:
            self.init(
                "disk-full", .init(code: 507, reasonPhrase: "Insufficient Storage"),
                "the node's disk is full; the entry is not in the log")
        case .locked, .otherFormat, .missing, .damaged, .system:
            self.init(
                "storage", .internalServerError,
                "the node's store failed; its operator finds the cause in its output")
        }
    }

    /// Where the Prometheus API's own form is not spoken.
    init(_ error: QueryError) {
        switch error.kind {
        case .badData: self.init("bad-parameter", .badRequest, error.message)
        case .execution: self.init("query", .unprocessableContent, error.message)
        case .timeout, .canceled: self.init("query", .serviceUnavailable, error.message)
        case .internal: self.init("storage", .internalServerError, "the query store failed")
        }
    }

    static func noSuchWindows(_ names: [String]) -> Problem {
        Problem(
            "not-found", .notFound,
            names.isEmpty
                ? "no windows are configured on this node"
                : "the windows of this node are \(names.joined(separator: ", "))")
    }
    static let busyQueries = Problem("busy", .tooManyRequests, "too many queries wait: come back in a second")
        .with(.retryAfter, "1")
    static let tooManyStreams = Problem(
        "busy", .tooManyRequests, "this node has as many streams as it may: ask another, or come back later"
    ).with(.retryAfter, "10")

    static let busy = Problem("busy", .tooManyRequests, "too many entries wait: come back in a second")
        .with(.retryAfter, "1")
    static let tooManyFeeds = Problem(
        "busy", .tooManyRequests,
        "\(Limits.feeds) feeds are being read at this node: ask another, or come back"
    ).with(.retryAfter, "1")
    static let tooManyExports = Problem(
        "busy", .tooManyRequests,
        "\(Limits.exports) exports are under way at this node: ask another, or come back"
    ).with(.retryAfter, "1")
    static let behind = Problem(
        "behind", .serviceUnavailable,
        "this node is behind the others, and does not know yet what this rests on: send the same to another, or soon"
    ).with(.retryAfter, "1")
    static let notFound = Problem("not-found", .notFound, "there is nothing at this address")
    static let method = Problem("method", .methodNotAllowed, "this address does not take that method")
    static let brokenBody = Problem("broken-body", .badRequest, "the body ended before its end")
    static let unauthenticated = Problem(
        "unauthenticated", .unauthorized,
        "show a token: `Authorization: Bearer …`, or Basic with the token as password (`ledgerd token`)"
    ).with(.wwwAuthenticate, "Bearer realm=\"kpi-ledger\"")
    static let erased = Problem(
        "erased", .gone, "the payload of this entry was erased; its statement remains")
    static let noPayload = Problem("not-found", .notFound, "a governance record has no payload")
    static let failed = Problem("internal", .internalServerError, "the node failed to answer")

    static func badToken(_ reason: String) -> Problem {
        Problem("bad-token", .unauthorized, reason)
            .with(.wwwAuthenticate, "Bearer realm=\"kpi-ledger\", error=\"invalid_token\"")
    }
    static func forbidden(needing roles: [Role]) -> Problem {
        Problem(
            "forbidden", .forbidden, "this needs the role \(roles.map(\.rawValue).joined(separator: " or "))")
    }
    static func badParameter(_ name: String, _ expectation: String) -> Problem {
        Problem("bad-parameter", .badRequest, "\(name) must be \(expectation)")
    }
    static func noSuchEntry(size: UInt64) -> Problem {
        Problem("not-found", .notFound, "the log has \(size) entries, counted from 0")
    }
    static func tooLarge(limitBytes: Int) -> Problem {
        Problem("too-large", .contentTooLarge, "a body has at most \(limitBytes) bytes here")
    }
    static func mediaType(_ expected: String) -> Problem {
        Problem("media-type", .unsupportedMediaType, "send \(expected)")
    }
    static func notAcceptable(_ offered: String) -> Problem {
        Problem("not-acceptable", .notAcceptable, "this address answers with \(offered)")
    }
}
