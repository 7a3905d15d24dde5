import Foundation
import Hummingbird
import Ledger
import Query

/// The Prometheus HTTP API: its parameters, its JSON and its error types.
///
/// - Source: prometheus.io/docs/prometheus/latest/querying/api.
struct QueryRoutes: Sendable {
    let node: Node

    @Sendable func instant(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context, takesMoment: true) { engine, parameters throws(QueryError) in
            let limit = try parameters.limit()
            let answer = try engine.instantAnnotated(
                try parameters.required("query"), at: try parameters.time("time") ?? node.clock(),
                lookbackMilliseconds: try parameters.lookback())
            return PrometheusJSON.response(answer.truncated(to: limit).warning(node.queryWarnings))
        }
    }

    @Sendable func range(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context, takesMoment: true) { engine, parameters throws(QueryError) in
            guard let start = try parameters.time("start") else { throw parameters.missing("start") }
            guard let end = try parameters.time("end") else { throw parameters.missing("end") }
            guard let step = try parameters.duration("step") else { throw parameters.missing("step") }
            let limit = try parameters.limit()
            let answer = try engine.rangeAnnotated(
                try parameters.required("query"), from: start, through: end, stepMilliseconds: step,
                lookbackMilliseconds: try parameters.lookback())
            return PrometheusJSON.response(answer.truncated(to: limit).warning(node.queryWarnings))
        }
    }

    /// Not of Prometheus: how a question would be answered, an instant with `time` or a range with `start`.
    @Sendable func explain(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context, takesMoment: true) { engine, parameters throws(QueryError) in
            let start = try parameters.time("start")
            let end = try parameters.time(start == nil ? "time" : "end")
            return PrometheusJSON.response(
                try engine.explain(
                    try parameters.required("query"), from: start, through: end ?? node.clock(),
                    stepMilliseconds: try parameters.duration("step") ?? 0,
                    lookbackMilliseconds: try parameters.lookback()))
        }
    }

    @Sendable func series(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context, takesMoment: true) { engine, parameters throws(QueryError) in
            let found = try engine.series(
                parameters.all("match[]"), from: try parameters.time("start") ?? .earliest,
                through: try parameters.time("end") ?? .latest)
            let (kept, warnings) = try parameters.limited(found)
            return PrometheusJSON.response(series: kept, warnings: warnings + node.queryWarnings)
        }
    }

    @Sendable func labels(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context, takesMoment: true) { engine, parameters throws(QueryError) in
            let found = try engine.labels(
                parameters.all("match[]"), from: try parameters.time("start") ?? .earliest,
                through: try parameters.time("end") ?? .latest)
            let (kept, warnings) = try parameters.limited(found)
            return PrometheusJSON.response(texts: kept, warnings: warnings + node.queryWarnings)
        }
    }

    @Sendable func labelValues(_ request: Request, _ context: NodeContext) async throws -> Response {
        let name = context.parameters.get("name")?.removingPercentEncoding ?? ""
        return try await answer(request, context, takesMoment: true) {
            engine, parameters throws(QueryError) in
            let found = try engine.labelValues(
                name, parameters.all("match[]"), from: try parameters.time("start") ?? .earliest,
                through: try parameters.time("end") ?? .latest)
            let (kept, warnings) = try parameters.limited(found)
            return PrometheusJSON.response(texts: kept, warnings: warnings + node.queryWarnings)
        }
    }

    @Sendable func metadata(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context) { engine, parameters throws(QueryError) in
            PrometheusJSON.response(
                metadata: engine.metadata(of: parameters.first("metric"), limit: try parameters.limit()))
        }
    }

    @Sendable func format(_ request: Request, _ context: NodeContext) async throws -> Response {
        try await answer(request, context) { _, parameters throws(QueryError) in
            PrometheusJSON.response(text: try QueryEngine.format(try parameters.required("query")))
        }
    }

    private struct BuildInformation: Encodable {
        struct Data: Encodable {
            /// Of the language that is spoken, for clients that look for features in it.
            let version = "3.0.0"
            let application = "kpi-ledger"
            let revision = LedgerVersion.text
        }
        let status = "success"
        let data = Data()
    }

    @Sendable func buildInformation(_ request: Request, _ context: NodeContext) async throws -> Response {
        try context.require(.analyst)
        return try .json(BuildInformation(), .seconds)
    }

    // MARK: How all of them are answered

    /// - Parameter takesMoment: whether it can be asked as of a moment (`as_of`).
    private func answer(
        _ request: Request, _ context: NodeContext, takesMoment: Bool = false,
        _ body: @escaping @Sendable (QueryEngine, QueryParameters) throws(QueryError) -> [UInt8]
    ) async throws -> Response {
        try context.require(.analyst)
        let parameters = try await QueryParameters(request, node.bodies)
        let result: Result<[UInt8], QueryError>
        do throws(QueryError) {
            let deadline = ContinuousClock.now + .milliseconds(try parameters.timeout())
            let size = takesMoment ? try await node.size(asOf: parameters, by: deadline) : nil
            let engine = QueryEngine(store: node.queries, asOf: size ?? .max) {
                ContinuousClock.now > deadline ? .timeout : nil
            }
            let answered = await node.queryPlaces.run { () throws(QueryError) in
                // It may have waited in line for longer than its client does.
                guard ContinuousClock.now <= deadline else {
                    throw QueryError(.timeout, "query timed out in query queue")
                }
                return try body(engine, parameters)
            }
            guard let answered else { return Self.busy(node) }
            result = answered
        } catch { result = .failure(error) }

        switch result {
        case .success(let json):
            node.metrics.queriesAnswered.increment()
            return .bytes(json, "application/json", .never)
        case .failure(let error): return Self.response(error, node)
        }
    }

    /// In the API's own form, since its clients read no other.
    static func response(_ error: QueryError, _ node: Node) -> Response {
        node.metrics.queriesFailed.increment()
        return .bytes(
            PrometheusJSON.response(error: error), "application/json", .never, status: status(error))
    }

    /// The same where the line of queries is full.
    static func busy(_ node: Node) -> Response {
        node.metrics.queriesFailed.increment()
        let error = QueryError(.timeout, "too many queries wait: come back in a second")
        return Response.bytes(
            PrometheusJSON.response(error: error), "application/json", .never, status: .tooManyRequests
        ).with(.retryAfter, "1")
    }

    private static func status(_ error: QueryError) -> HTTPResponse.Status {
        switch error.kind {
        case .badData: .badRequest
        case .execution: .unprocessableContent
        case .timeout, .canceled: .serviceUnavailable
        case .internal: .internalServerError
        }
    }
}
