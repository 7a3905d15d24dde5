import Foundation
import Hummingbird
import Ledger
import Query

/// The windows of continuous aggregates: docs/windows.md.
struct WindowRoutes: Sendable {
    let node: Node

    /// Exact numbers are texts: a sum has more digits than a JSON reader keeps.
    struct Window: Codable, Sendable {
        let start: String
        let end: String
        let labels: [String: String]
        let count: UInt64
        let sum: String
        let avg: String?
        let min: String?
        let max: String?
        let p50: String?
        let p95: String?
        let p99: String?
        let open: Bool
        let revision: UInt64
        /// Of an emission: the starts of the sessions that it takes the place of.
        var supersedes: [String]?

        init(_ window: WindowAnswer) {
            start = Self.text(window.span.start)
            end = Self.text(window.span.end)
            labels = Dictionary(window.labels.labels.map { ($0.name, $0.value) }) { first, _ in first }
            count = window.count
            sum = window.sum
            avg = window.average.map(FloatText.sample)
            min = window.minimum?.description
            max = window.maximum?.description
            p50 = window.quantile(0.5).map(FloatText.sample)
            p95 = window.quantile(0.95).map(FloatText.sample)
            p99 = window.quantile(0.99).map(FloatText.sample)
            open = window.isOpen
            revision = window.revision
        }

        init(_ emission: WindowEmission) {
            self.init(emission.window)
            supersedes = emission.superseded.map(Self.text)
        }

        static func text(_ milliseconds: Int64) -> String {
            let held = Swift.min(
                Swift.max(milliseconds, Timestamp.earliest.milliseconds), Timestamp.latest.milliseconds)
            return (Timestamp(milliseconds: held) ?? .latest).description
        }
    }

    struct Windows: Codable, Sendable {
        let name: String
        let asOf: UInt64
        let watermark: String?
        let position: String
        let truncated: Bool
        let windows: [Window]
    }

    struct Names: Codable, Sendable {
        let windows: [String]
    }

    /// The names that are configured here.
    @Sendable func names(_ request: Request, _ context: NodeContext) async throws -> Response {
        try context.require(.analyst)
        return try .json(Names(windows: node.queries.windowDefinitions.map(\.name)), .never)
    }

    /// `?from=&to=&newest=`: the windows that share a moment with the time from `from` up to `to`, or the last of them.
    @Sendable func windows(_ request: Request, _ context: NodeContext) async throws -> Response {
        try context.require(.analyst)
        let name = context.parameters.get("name") ?? ""
        let parameters = try await QueryParameters(request, node.bodies)
        let from = try moment("from", parameters) ?? .earliest
        let to = try moment("to", parameters) ?? .latest
        let newest = try newest(parameters)
        let span = WindowSpan(start: from.milliseconds, end: to.milliseconds)
        let deadline = ContinuousClock.now + .seconds(Int64(Limits.querySeconds))
        let answered = await node.queryPlaces.run { () throws(QueryError) in
            try node.queries.windows(
                name, overlapping: span, limit: newest ?? QueryLimits.windowsPerAnswer, newest: newest != nil
            ) {
                ContinuousClock.now > deadline ? .timeout : nil
            }
        }
        guard let answered else { throw Problem.busyQueries }
        let answer: WindowsAnswer?
        do { answer = try answered.get() } catch { throw Problem(error) }
        guard let answer else { throw Problem.noSuchWindows(node.queries.windowDefinitions.map(\.name)) }
        return try .json(
            Windows(
                name: name, asOf: answer.size, watermark: answer.watermark.map(Window.text),
                position: answer.position.description, truncated: answer.isTruncated,
                windows: answer.windows.map { Window($0) }),
            .never)
    }

    private func newest(_ parameters: QueryParameters) throws -> Int? {
        guard let text = parameters.first("newest"), !text.isEmpty else { return nil }
        guard let count = Int(text), (1...QueryLimits.windowsPerAnswer).contains(count) else {
            throw Problem.badParameter("newest", "a number from 1 to \(QueryLimits.windowsPerAnswer)")
        }
        return count
    }

    private func moment(_ name: String, _ parameters: QueryParameters) throws -> Timestamp? {
        do { return try parameters.time(name) } catch {
            throw Problem.badParameter(name, "a time of RFC 3339 or seconds since 1970")
        }
    }
}
