import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import Query
import Synchronization

/// `/v1/stream`: answers and windows as they change, for as long as somebody listens.
struct StreamRoutes: Sendable {
    let node: Node
    let deadlines: Deadlines

    @Sendable func stream(_ request: Request, _ context: NodeContext) async throws -> Response {
        let principal = try context.require(.analyst)
        let parameters = try await QueryParameters(request, node.bodies)
        let stream = EventStream(deadlines: deadlines, expires: principal.expires, channel: context.channel)
        let resumed = Self.lastEventID(request, parameters)
        let body: @Sendable (inout any ResponseBodyWriter) async throws -> Void
        switch (parameters.first("query"), parameters.first("windows")) {
        case (let query?, nil):
            let question = try question(query, parameters)
            let from = try resumed.map(Self.size)
            body = { writer in try await answers(to: question, after: from, stream, &writer) }
        case (nil, let name?):
            let from = try position(of: name, resumed)
            body = { writer in try await emissions(of: name, after: from, stream, &writer) }
        case (nil, nil), (_?, _?):
            throw Problem.badParameter("query", "given, or windows: one of the two")
        }
        guard let place = node.streamPlaces.take() else { throw Problem.tooManyStreams }
        return .events { writer in
            try await body(&writer)
            withExtendedLifetime(place) {}
        }
    }

    /// What the client has; the parameter is for those that cannot set a header.
    private static func lastEventID(_ request: Request, _ parameters: QueryParameters) -> String? {
        let text =
            HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] } ?? parameters.first("after")
        return text?.isEmpty == false ? text : nil
    }

    private static func size(_ id: String) throws -> UInt64 {
        guard let size = UInt64(id) else {
            throw Problem.badParameter("Last-Event-ID", "the id of an answer")
        }
        return size
    }

    // MARK: Answers

    private struct Question: Sendable {
        let text: String
        let stepMilliseconds: Int64
        let lookbackMilliseconds: Int64
        let limit: Int
    }

    private func question(_ text: String, _ parameters: QueryParameters) throws -> Question {
        do throws(QueryError) {
            let step = try parameters.duration("step") ?? Limits.streamStepMilliseconds
            _ = try QueryEngine.format(text)
            return Question(
                text: text,
                stepMilliseconds: min(
                    max(step, Limits.streamSteps.lowerBound), Limits.streamSteps.upperBound),
                lookbackMilliseconds: try parameters.lookback(),
                limit: min(try parameters.limit(), Limits.streamSeries))
        } catch { throw Problem(error) }
    }

    private func answers(
        to question: Question, after resumed: UInt64?, _ stream: EventStream,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        let newest = Mutex(NewestAnswer())
        try await stream.run(&writer) { bell in
            // Of a log that this node does not have, nothing can be said.
            var told = resumed.flatMap { $0 <= node.follower.followed.size ? $0 : nil }
            var last: Outcome?
            if let told { last = await outcome(of: question, asOf: told) }
            while !Task.isCancelled, !node.follower.followed.isClosed {
                let size = node.follower.followed.size
                let began = ContinuousClock.now
                if size != told, let outcome = await outcome(of: question, asOf: size) {
                    told = size
                    if outcome.compared != last?.compared {
                        newest.withLock { $0.offer(size, outcome.event, outcome.json) }
                        bell.ring()
                    }
                    last = outcome
                }
                if let told { await node.follower.followed.reached(told + 1, within: .seconds(3600)) }
                try await Task.sleep(until: began + .milliseconds(question.stepMilliseconds))
            }
        } next: {
            guard let (skipped, answer) = newest.withLock({ $0.take() }) else { return [] }
            guard let skipped else { return [answer.bytes] }
            let data = Array(try JSONEncoder().encode(skipped))
            return [ServerSentEvent("skipped", data).bytes, answer.bytes]
        }
    }

    /// An answer, or why there is none.
    private struct Outcome: Sendable {
        let event: String
        let json: [UInt8]
        /// What has to differ for a reader to be told.
        let compared: Result<AnnotatedResult, QueryError>
    }

    /// The answer when the log had `size` entries, at the time of its newest block then: it follows from the log alone,
    /// and a quiet ledger has the same answer for ever.
    ///
    /// - Returns: `nil` where no place to evaluate was free.
    private func outcome(of question: Question, asOf size: UInt64) async -> Outcome? {
        let deadline = ContinuousClock.now + .seconds(Limits.streamQuerySeconds)
        let answered = await node.queryPlaces.run { () throws(QueryError) in
            let engine = QueryEngine(store: node.queries, asOf: size) {
                ContinuousClock.now > deadline ? .timeout : nil
            }
            return try engine.instantAnnotated(
                question.text, at: try blockTime(asOf: size),
                lookbackMilliseconds: question.lookbackMilliseconds
            ).truncated(to: question.limit)
        }
        guard let answered else { return nil }
        switch answered {
        case .success(let answer):
            node.metrics.queriesAnswered.increment()
            return Outcome(
                event: "answer", json: PrometheusJSON.response(answer),
                compared: .success(answer.withoutMoment))
        case .failure(let error):
            node.metrics.queriesFailed.increment()
            return Outcome(
                event: "failure", json: PrometheusJSON.response(error: error), compared: .failure(error))
        }
    }

    private func blockTime(asOf size: UInt64) throws(QueryError) -> Timestamp {
        do throws(StoreError) {
            if size > 0, let entry = try node.log.entries(EntryIndex(size - 1)..<EntryIndex(size)).first {
                return entry.blockTime
            }
            return try node.log.header(at: .genesis)?.time ?? .earliest
        } catch { throw QueryError(.internal, "log: \(error.description)") }
    }

    // MARK: Windows

    private func position(of name: String, _ resumed: String?) throws -> WindowPosition {
        let newest: WindowPosition?
        do { newest = try node.queries.newestEmission(of: name) } catch { throw Problem(error) }
        guard let newest else { throw Problem.noSuchWindows(node.queries.windowDefinitions.map(\.name)) }
        guard let resumed else { return newest }
        guard let position = WindowPosition(resumed) else {
            throw Problem.badParameter("Last-Event-ID", "the id of an emission, as 42.1")
        }
        return position
    }

    private func emissions(
        of name: String, after start: WindowPosition, _ stream: EventStream,
        _ writer: inout any ResponseBodyWriter
    ) async throws {
        var position = start
        // Whoever loses the connection before the first emission comes back to here.
        try await writer.write(ServerSentEvent.position(position.description))
        let more = Mutex<EventStream.Bell?>(nil)
        try await stream.run(&writer) { bell in
            more.withLock { $0 = bell }
            while !Task.isCancelled, !node.follower.followed.isClosed {
                let size = node.follower.followed.size
                bell.ring()
                await node.follower.followed.reached(size + 1, within: .seconds(3600))
            }
        } next: {
            let after = position
            let answered = await node.queryPlaces.run { () throws(QueryError) in
                try node.queries.emissions(of: name, after: after, limit: Limits.emissionsAhead) ?? []
            }
            // Without a place, or with a store in trouble, the next ring asks again.
            guard let emissions = try? answered?.get(), let last = emissions.last else { return [] }
            position = last.position
            if emissions.count == Limits.emissionsAhead { more.withLock { $0?.ring() } }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return try emissions.map { emission in
                let data = Array(try encoder.encode(WindowRoutes.Window(emission)))
                return ServerSentEvent(id: emission.position.description, "window", data).bytes
            }
        }
    }
}

extension AnnotatedResult {
    /// What two answers at different moments are compared by.
    fileprivate var withoutMoment: AnnotatedResult { with(result.withoutMoment) }
}
