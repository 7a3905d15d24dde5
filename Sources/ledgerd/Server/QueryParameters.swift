import Foundation
import Hummingbird
import Ledger
import Query

/// The parameters of a Prometheus API request: of the address, and of the form in the body of a POST.
struct QueryParameters: Sendable {
    private var pairs: [(name: String, value: String)] = []

    /// - Throws: `Problem` for a body that is too large or no form.
    init(_ request: Request, _ budget: ByteBudget) async throws {
        // Not by Hummingbird's own parser, which leaves names as they came: clients write `match%5B%5D=`.
        add(request.uri.query ?? "")
        guard request.method == .post else { return }
        guard request.mediaType == "application/x-www-form-urlencoded" else {
            throw Problem.mediaType("application/x-www-form-urlencoded")
        }
        let body = try await request.withBody(limitBytes: Limits.queryBytes, budget) {
            String(decoding: $0, as: UTF8.self)
        }
        add(body)
    }

    /// - Source: the URL Standard, application/x-www-form-urlencoded; Go's clients write addresses so too.
    private mutating func add(_ text: String) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            pairs.append((Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : ""))
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = text.replacing("+", with: " ")
        return spaced.removingPercentEncoding ?? String(spaced)
    }

    func first(_ name: String) -> String? { pairs.first { $0.name == name }?.value }
    func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    func required(_ name: String) throws(QueryError) -> String {
        guard let value = first(name) else { throw missing(name) }
        return value
    }

    func missing(_ name: String) -> QueryError {
        QueryError(.badData, "invalid parameter \"\(name)\": it is missing")
    }

    func invalid(_ name: String, _ value: String, _ expectation: String) -> QueryError {
        QueryError(.badData, "invalid parameter \"\(name)\": cannot parse \"\(value)\" to \(expectation)")
    }

    /// RFC 3339, or seconds since 1970 with a fraction.
    func time(_ name: String) throws(QueryError) -> Timestamp? {
        guard let text = first(name), !text.isEmpty else { return nil }
        if let seconds = Double(text), seconds.isFinite, seconds.magnitude < 1e12 {
            if let time = Timestamp(milliseconds: Int64((seconds * 1000).rounded())) { return time }
        } else if let time = Self.rfc3339(text) {
            return time
        }
        throw invalid(name, text, "a valid timestamp")
    }

    /// What is known at which moment: a number of entries, or a time.
    enum Moment: Sendable, Equatable {
        case entries(UInt64)
        case time(Timestamp)
    }

    /// `as_of`: a whole number counts entries, and is never a time; a time is of RFC 3339.
    func moment() throws(QueryError) -> Moment? {
        guard let text = first("as_of"), !text.isEmpty else { return nil }
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = UInt64(text) {
            return .entries(count)
        }
        if let time = Self.rfc3339(text) { return .time(time) }
        throw invalid("as_of", text, "a number of entries or a time of RFC 3339")
    }

    /// Clients such as Grafana and promtool send nanoseconds; what is finer than a millisecond is dropped.
    private static func rfc3339(_ text: String) -> Timestamp? {
        guard let point = text.firstIndex(of: ".") else { return Timestamp(rfc3339: text) }
        let fraction = text[text.index(after: point)...].prefix { $0.isASCII && $0.isNumber }
        let rest = text[point...].dropFirst(fraction.count + 1)
        return Timestamp(rfc3339: text[..<point] + "." + fraction.prefix(3) + rest)
    }

    /// A Prometheus duration (`1h30m`), or seconds with a fraction. In milliseconds.
    func duration(_ name: String) throws(QueryError) -> Int64? {
        guard let text = first(name), !text.isEmpty else { return nil }
        if let seconds = Double(text), seconds.isFinite, seconds.magnitude < 1e12 {
            return Int64((seconds * 1000).rounded())
        }
        guard let milliseconds = DurationText.milliseconds(text) else {
            throw invalid(name, text, "a valid duration")
        }
        return milliseconds
    }

    func lookback() throws(QueryError) -> Int64 {
        try duration("lookback_delta") ?? QueryEngine.defaultLookbackMilliseconds
    }

    /// In milliseconds; never longer than the node allows.
    func timeout() throws(QueryError) -> Int64 {
        let most = Int64(Limits.querySeconds) * 1000
        guard let asked = try duration("timeout") else { return most }
        return min(max(0, asked), most)
    }

    /// 0 or absent means all.
    func limit() throws(QueryError) -> Int {
        guard let text = first("limit"), !text.isEmpty else { return .max }
        guard let limit = Int(text), limit >= 0 else { throw invalid("limit", text, "a non-negative number") }
        return limit == 0 ? .max : limit
    }

    /// As many as `limit` allows, with Prometheus's warning where that is not all.
    func limited<Element>(
        _ found: [Element]
    ) throws(QueryError) -> (kept: [Element], warnings: [String]) {
        let limit = try limit()
        guard found.count > limit else { return (found, []) }
        return (Array(found.prefix(limit)), [AnnotatedResult.truncationWarning])
    }
}
