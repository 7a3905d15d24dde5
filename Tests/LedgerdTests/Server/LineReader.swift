import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing

@testable import ledgerd

/// An answer that is read line by line as it comes.
struct LineReader {
    let status: Int
    private var pieces: HTTPClientResponse.Body.AsyncIterator
    private var rest = ByteBuffer()
    /// So many bytes of it hold no end of a line.
    private var searched = 0

    init(_ caller: Caller, _ path: String, token: String? = nil) async throws {
        var request = HTTPClientRequest(url: caller.base + path)
        for (name, value) in Caller.bearer(token) { request.headers.add(name: name, value: value) }
        let response = try await caller.client.execute(request, timeout: .seconds(120))
        status = Int(response.status.code)
        pieces = response.body.makeAsyncIterator()
    }

    /// - Returns: `nil` once the answer has come to its end in order.
    mutating func next() async throws -> String? {
        while true {
            if let end = rest.readableBytesView.dropFirst(searched).firstIndex(of: 0x0A) {
                let line = rest.readString(length: end - rest.readerIndex)
                rest.moveReaderIndex(forwardBy: 1)
                searched = 0
                return line
            }
            searched = rest.readableBytes
            guard var piece = try await pieces.next() else {
                #expect(rest.readableBytes == 0, "the last line has no end")
                return nil
            }
            rest.writeBuffer(&piece)
        }
    }

    mutating func all() async throws -> [String] {
        var lines: [String] = []
        while let line = try await next() { lines.append(line) }
        return lines
    }
}
