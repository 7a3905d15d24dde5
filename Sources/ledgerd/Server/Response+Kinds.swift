import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// How long an answer may be kept by a cache.
enum Freshness: String {
    /// It never changes: a full tile, an entry's statement.
    case immutable = "public, max-age=31536000, immutable"
    /// It changes with the next block.
    case seconds = "public, max-age=1"
    /// It is for the one who asked.
    case never = "private, no-store"
}

extension Response {
    static func bytes(
        _ bytes: [UInt8], _ type: String, _ freshness: Freshness, status: HTTPResponse.Status = .ok
    ) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: type, .cacheControl: freshness.rawValue, .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    static func text(_ text: String, _ freshness: Freshness) -> Response {
        bytes(Array(text.utf8), "text/plain; charset=utf-8", freshness)
    }

    static func json(_ value: some Encodable, _ freshness: Freshness) throws -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dataEncodingStrategy = .base64
        return bytes(Array(try encoder.encode(value)), "application/json", freshness)
    }

    func with(_ field: HTTPField.Name, _ value: String) -> Response {
        var response = self
        response.headers[field] = value
        return response
    }
}

extension Request {
    /// A query parameter that is a whole number.
    ///
    /// - Throws: `Problem.badParameter`.
    func number(_ name: String) throws -> UInt64? {
        guard let text = uri.queryParameters[Substring(name)] else { return nil }
        guard let value = UInt64(text) else { throw Problem.badParameter(name, "a whole number") }
        return value
    }

    /// Lends the whole body, refused above a limit before it is read. How long it may take to arrive, and what
    /// becomes of the rest of one that is refused, is `RequestDeadline`'s.
    ///
    /// - Parameter budget: what all bodies in memory share; an exhausted one refuses.
    func withBody<Result>(
        limitBytes: Int, _ budget: ByteBudget, _ use: ([UInt8]) async throws -> Result
    ) async throws -> Result {
        if let length = headers[.contentLength].flatMap(Int.init), length > limitBytes {
            throw Problem.tooLarge(limitBytes: limitBytes)
        }
        var bytes: [UInt8] = []
        var taken = 0
        defer { budget.giveBack(taken) }
        do {
            for try await part in body {
                let count = part.readableBytes
                guard bytes.count + count <= limitBytes else {
                    throw Problem.tooLarge(limitBytes: limitBytes)
                }
                guard budget.take(count) else { throw Problem.busy }
                taken += count
                bytes.append(contentsOf: part.readableBytesView)
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            // The client left, or its chunks are none: nothing that an operator should read about.
            throw Problem.brokenBody
        }
        return try await use(bytes)
    }

    /// The media type of the body, without parameters, in lower case.
    ///
    /// By hand: Foundation's trimming took a fortieth of the node's time under load.
    var mediaType: String? {
        guard let field = headers[.contentType] else { return nil }
        func isBlank(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var name = Substring(field.utf8.prefix { $0 != UInt8(ascii: ";") })
        while isBlank(name.utf8.first) { name.removeFirst() }
        while isBlank(name.utf8.last) { name.removeLast() }
        return name.lowercased()
    }
}
