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

    /// The whole body, refused above a limit before it is read.
    func body(limitBytes: Int) async throws -> [UInt8] {
        if let length = headers[.contentLength].flatMap(Int.init), length > limitBytes {
            throw Problem.tooLarge(limitBytes: limitBytes)
        }
        do {
            var buffer = try await body.collect(upTo: limitBytes)
            return buffer.readBytes(length: buffer.readableBytes) ?? []
        } catch is NIOTooManyBytesError { throw Problem.tooLarge(limitBytes: limitBytes) }
    }

    /// The media type of the body, without parameters, in lower case.
    var mediaType: String? {
        headers[.contentType]?.split(separator: ";").first?.trimmingCharacters(in: .whitespaces).lowercased()
    }
}
