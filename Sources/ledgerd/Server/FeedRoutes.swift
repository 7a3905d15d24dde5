import Foundation
import Hummingbird
import Ledger
import Logging
import NIOCore
import Replication
import ServiceLifecycle

/// `GET /v1/feed`: the log as other engines read it, from any entry to the newest, then as they come.
struct FeedRoutes: Sendable {
    let node: Node
    let deadlines: Deadlines

    @Sendable func feed(_ request: Request, _ context: NodeContext) async throws -> Response {
        let principal = try context.require(.analyst)
        let from = try request.number("from") ?? 0
        guard from <= Limits.sequenceNumber else {
            throw Problem.badParameter("from", "an index of an entry")
        }
        let limit = try request.number("limit")
        guard limit != 0 else { throw Problem.badParameter("limit", "a number of lines, at least 1") }
        let follows: Bool
        switch request.uri.queryParameters["follow"] {
        case nil, "true": follows = true
        case "false": follows = false
        case .some: throw Problem.badParameter("follow", "true or false")
        }
        guard let place = node.feedPlaces.take() else { throw Problem.tooManyFeeds }
        let (node, deadlines, channel) = (node, deadlines, context.channel)
        let end = await ConnectionGuard.end(of: channel)
        return .streamed("application/x-ndjson") { writer in
            // Given back when the answer ends, and also where it never begins.
            defer { withExtendedLifetime(place) {} }
            var feed = Feed(
                node: node, deadlines: deadlines, principal: principal, connectionEnd: end,
                next: EntryIndex(from), linesLeft: limit ?? .max)
            var out = StreamWriter(writer, channel, silence: deadlines.silence)
            try await withGracefulShutdownHandler {
                do { try await feed.run(follows: follows, to: &out) } catch let error as StoreError {
                    // The reader sees an answer without an end; what is damaged, an operator has to know.
                    node.logger.error("a feed breaks off", metadata: ["error": "\(error)"])
                    throw error
                }
            } onGracefulShutdown: {
                node.settled.close()
            }
            try await out.finish()
        }
    }
}

/// One reader's way through the log.
private struct Feed {
    let node: Node
    let deadlines: Deadlines
    let principal: Principal
    /// When the connection is told to end.
    let connectionEnd: NIODeadline?
    var next: EntryIndex
    var linesLeft: UInt64

    /// Ends with a line that says where to go on.
    mutating func run(follows: Bool, to out: inout StreamWriter) async throws {
        while linesLeft > 0, mayGoOn {
            if next.value < node.settled.size {
                try await writePage(to: &out)
            } else if follows {
                try await wait(&out)
            } else {
                break
            }
            if ContinuousClock.now - out.lastWrite >= deadlines.heartbeat { try await writeNext(to: &out) }
        }
        try await writeNext(to: &out)
    }

    /// Reads some entries when the reader has taken those before: never more than a page waits for it.
    private mutating func writePage(to out: inout StreamWriter) async throws {
        let end = min(node.settled.size, next.value + Limits.feedPageEntries)
        for entry in try node.log.entries(next..<EntryIndex(end)) {
            if let line = try FeedLine(entry, in: node.log) {
                try await out.write(try line.bytes)
                linesLeft -= 1
            }
            next = EntryIndex(entry.index.value + 1)
            node.metrics.feedEntries.increment()
            if linesLeft == 0 { break }
        }
        try await out.flush()
    }

    private func writeNext(to out: inout StreamWriter) async throws {
        try await out.write(try FeedLine(next: next).bytes)
        try await out.flush()
    }

    private func wait(_ out: inout StreamWriter) async throws {
        var limit = deadlines.heartbeat - (ContinuousClock.now - out.lastWrite)
        if let connectionEnd {
            limit = min(limit, .nanoseconds((connectionEnd - .now()).nanoseconds))
        }
        let left = principal.expires.timeIntervalSince1970 - Double(node.clock().milliseconds) / 1000
        // A token may name a moment that no duration reaches.
        limit = min(limit, .seconds(min(left, 1e9)))
        await node.settled.reached(next.value + 1, within: limit)
    }

    /// Whoever may not begin a feed any more does not go on with one either.
    private var mayGoOn: Bool {
        if Task.isCancelled || node.settled.isClosed { return false }
        if let connectionEnd, connectionEnd <= .now() { return false }
        return principal.isValid(at: node.clock(), node.driver.published.state.registry)
    }
}
