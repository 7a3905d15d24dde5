import Ledger
import Testing

@testable import ledgerd

@Suite struct `A stream of events` {
    private static let text =
        ": hello\n\nid: 0.0\n\nid: 4.1\nevent: window\ndata: {\"a\":1}\n\n:\n\nid: 5\r\nevent:answer\r\ndata: x\r\ndata:y\r\n\r\nid: 6\n"

    private static let events = [
        EventParser.Event(id: "0.0"), EventParser.Event(id: "4.1", name: "window", data: #"{"a":1}"#),
        EventParser.Event(id: "5", name: "answer", data: "x\ny"),
    ]

    @Test func `is read whatever pieces it comes in`() throws {
        let bytes = Array(Self.text.utf8)
        for size in [1, 2, 3, 7, bytes.count] {
            var parser = EventParser()
            var found: [EventParser.Event] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                found += try parser.events(in: Array(bytes[start..<min(bytes.count, start + size)]))
            }
            #expect(found == Self.events, "in pieces of \(size)")
        }
    }

    @Test func `is given up where a line does not end`() throws {
        var parser = EventParser()
        _ = try parser.events(in: [UInt8](repeating: 0x61, count: Limits.smallAnswerBytes))
        #expect(throws: ClientFailure.self) { try parser.events(in: [0x61]) }
    }
}
