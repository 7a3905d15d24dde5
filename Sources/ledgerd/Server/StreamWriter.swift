import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// Writes an answer of any length as fast as its reader takes it, and ends with a reader that takes nothing.
struct StreamWriter {
    private let channel: any Channel
    private let silence: Duration
    private var writer: any ResponseBodyWriter
    private var buffer = ByteBuffer()
    /// When something was last handed to the connection.
    private(set) var lastWrite = ContinuousClock.now

    /// - Parameters:
    ///   - channel: the connection, or its stream.
    ///   - silence: how long a reader may take nothing.
    init(_ writer: any ResponseBodyWriter, _ channel: any Channel, silence: Duration) {
        self.writer = writer
        self.channel = channel
        self.silence = silence
    }

    /// Gathers small pieces; larger ones wait until the reader has taken those before.
    mutating func write(_ bytes: [UInt8]) async throws {
        buffer.writeBytes(bytes)
        if buffer.readableBytes >= Limits.streamPieceBytes { try await flush() }
    }

    mutating func flush() async throws {
        while let piece = buffer.readSlice(length: min(buffer.readableBytes, Limits.streamPieceBytes)),
            piece.readableBytes > 0
        {
            try await hand(piece)
        }
        buffer.clear()
    }

    /// Waits as long as the connection takes nothing. Its own guard would not see a stream of HTTP/2 that stands still
    /// among others.
    private mutating func hand(_ piece: ByteBuffer) async throws {
        let alarm = alarm()
        defer { alarm.cancel() }
        try await writer.write(piece)
        lastWrite = .now
    }

    consuming func finish() async throws {
        try await flush()
        let alarm = alarm()
        defer { alarm.cancel() }
        try await writer.finish(nil)
    }

    private func alarm() -> Scheduled<Void> {
        let channel = channel
        return channel.eventLoop.scheduleTask(in: TimeAmount(silence)) { channel.close(promise: nil) }
    }
}

extension Response {
    /// An answer whose length nobody knows when it begins.
    static func streamed(
        _ type: String, _ write: @escaping @Sendable (any ResponseBodyWriter) async throws -> Void
    ) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type, .cacheControl: Freshness.never.rawValue, .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody { writer in try await write(writer) })
    }
}
