import NIOCore

/// One event of a `text/event-stream`.
///
/// - Source: the HTML Standard, "Server-sent events".
struct ServerSentEvent: Sendable, Equatable {
    /// What a client shows as `Last-Event-ID` when it comes back; without one it keeps the id before.
    var id: String?
    let name: String
    /// Without line ends.
    let data: [UInt8]

    init(id: String? = nil, _ name: String, _ data: [UInt8]) {
        self.id = id
        self.name = name
        self.data = data
    }

    var bytes: ByteBuffer {
        var buffer = ByteBuffer()
        if let id { buffer.writeString("id: \(id)\n") }
        buffer.writeString("event: \(name)\ndata: ")
        buffer.writeBytes(data)
        buffer.writeString("\n\n")
        return buffer
    }

    /// A comment, which clients pass over: it shows that somebody is still there.
    static let heartbeat = ByteBuffer(string: ":\n\n")

    /// Sets the id to come back with, and is no event.
    static func position(_ id: String) -> ByteBuffer { ByteBuffer(string: "id: \(id)\n\n") }
}

/// The answer that a reader has not taken yet. A newer one takes its place, and is told with it what was passed over.
struct NewestAnswer: Sendable {
    /// The answers that were never sent, by their ids.
    struct Skipped: Encodable, Sendable, Equatable {
        var first: UInt64
        var last: UInt64
        var answers: Int
    }

    private var waiting: (size: UInt64, name: String, data: [UInt8])?
    private var skipped: Skipped?

    mutating func offer(_ size: UInt64, _ name: String, _ data: [UInt8]) {
        if let waiting {
            skipped = Skipped(
                first: skipped?.first ?? waiting.size, last: waiting.size,
                answers: (skipped?.answers ?? 0) + 1)
        }
        waiting = (size, name, data)
    }

    /// What there is to send, in order.
    mutating func take() -> (skipped: Skipped?, answer: ServerSentEvent)? {
        guard let waiting else { return nil }
        defer { (self.waiting, skipped) = (nil, nil) }
        return (skipped, ServerSentEvent(id: String(waiting.size), waiting.name, waiting.data))
    }
}
