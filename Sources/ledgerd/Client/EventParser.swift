import Ledger

/// Reads a `text/event-stream` piece by piece.
///
/// - Source: the HTML Standard, "Server-sent events".
struct EventParser {
    struct Event: Equatable {
        /// To come back with.
        var id: String?
        var name = ""
        /// Empty for what only sets the id.
        var data = ""
    }

    private var line: [UInt8] = []
    private var event = Event()

    /// The events that end in a piece.
    ///
    /// - Throws: `ClientFailure.nonsense` for a line without an end.
    mutating func events(in piece: [UInt8]) throws(ClientFailure) -> [Event] {
        var found: [Event] = []
        for byte in piece {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                guard line.count <= Limits.smallAnswerBytes else {
                    throw .nonsense("an event is over the limit of \(Limits.smallAnswerBytes) bytes")
                }
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.isEmpty {
                if event != Event() { found.append(event) }
                event = Event()
            } else {
                read(String(decoding: line, as: UTF8.self))
            }
            line.removeAll(keepingCapacity: true)
        }
        return found
    }

    private mutating func read(_ line: String) {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? String(parts[1].first == " " ? parts[1].dropFirst() : parts[1]) : ""
        switch parts[0] {
        case "id": event.id = value
        case "event": event.name = value
        case "data": event.data += (event.data.isEmpty ? "" : "\n") + value
        // Comments, whose name is empty, and what later versions may say.
        default: break
        }
    }
}
