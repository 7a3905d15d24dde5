import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import ServiceLifecycle
import Synchronization

/// A body that says something whenever there is something to say, and shows in between that it is still there.
///
/// It ends when the node stops, when what the client showed expires, when it is as old as a connection may become, and
/// when the client has taken nothing for as long as a connection may be silent.
struct EventStream: Sendable {
    let deadlines: Deadlines
    let expires: Date
    /// The connection, or its stream.
    let channel: any Channel

    /// Wakes the writer. Several calls before it looks are one.
    struct Bell: Sendable {
        fileprivate let continuation: AsyncStream<Void>.Continuation
        func ring() { continuation.yield() }
        func end() { continuation.finish() }
    }

    private struct State: Sendable {
        var isBeatDue = false
        /// Since when one write has waited for the client.
        var writingSince: ContinuousClock.Instant?
    }

    /// What the writer and the clock share.
    private final class Shared: Sendable {
        private let state = Mutex(State())

        /// - Returns: Since when the writer has waited for the client, if it does.
        func beat() -> ContinuousClock.Instant? {
            state.withLock { state in
                state.isBeatDue = true
                return state.writingSince
            }
        }

        func takeBeat() -> Bool {
            state.withLock { state in
                defer { state.isBeatDue = false }
                return state.isBeatDue
            }
        }

        func note(writingSince moment: ContinuousClock.Instant?) {
            state.withLock { $0.writingSince = moment }
        }
    }

    /// - Parameters:
    ///   - produce: rings when there may be something new; the stream ends when it returns.
    ///   - next: what there is to write now; empty for nothing.
    func run(
        _ writer: inout any ResponseBodyWriter, produce: @escaping @Sendable (Bell) async throws -> Void,
        next: () async throws -> [ByteBuffer]
    ) async throws {
        let (rings, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let bell = Bell(continuation: continuation)
        let shared = Shared()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { bell.end() }
                try await produce(bell)
            }
            group.addTask {
                defer { bell.end() }
                await endInTime()
            }
            group.addTask {
                while (try? await Task.sleep(for: deadlines.heartbeat)) != nil {
                    if let since = shared.beat(), .now - since > deadlines.silence {
                        return channel.close(promise: nil)
                    }
                    bell.ring()
                }
            }
            defer { group.cancelAll() }
            bell.ring()
            for await _ in rings {
                var parts = try await next()
                let isBeatDue = shared.takeBeat()
                if parts.isEmpty, isBeatDue { parts = [ServerSentEvent.heartbeat] }
                for part in parts {
                    shared.note(writingSince: .now)
                    try await writer.write(part)
                    shared.note(writingSince: nil)
                }
            }
        }
        try await writer.finish(nil)
    }

    private func endInTime() async {
        let left = Duration.seconds(min(max(0, expires.timeIntervalSinceNow), 1e9))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Task.sleep(for: min(left, deadlines.age)) }
            group.addTask { try? await gracefulShutdown() }
            await group.next()
            group.cancelAll()
        }
    }
}

extension Response {
    /// `text/event-stream`, which neither a cache nor a proxy may hold back.
    static func events(
        _ body: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        var headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
        ]
        if let buffering = HTTPField.Name("X-Accel-Buffering") { headers[buffering] = "no" }
        return Response(status: .ok, headers: headers, body: ResponseBody(body))
    }
}
