import Foundation
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// An answer that is not what was asked for: `application/problem+json` (RFC 9457).
///
/// The node never says more than the caller may know.
struct Problem: Error, Sendable {
    /// The end of the stable `type`, `urn:kpi-ledger:problem:<name>`.
    let name: String
    let status: HTTPResponse.Status
    let detail: String
    /// Where in an XML document, counted from 1.
    var line: Int?
    var column: Int?
    /// The entry that already has the document's id.
    var entry: EntryIndex?
    var headers: HTTPFields = [:]

    init(_ name: String, _ status: HTTPResponse.Status, _ detail: String) {
        self.name = name
        self.status = status
        self.detail = detail
    }

    /// The same with one more header field.
    func with(_ field: HTTPField.Name, _ value: String) -> Problem {
        var problem = self
        problem.headers[field] = value
        return problem
    }
}

extension Problem {
    private struct Body: Encodable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let line: Int?
        let column: Int?
        let entry: UInt64?
    }

    func response() throws -> Response {
        let (head, body) = try parts()
        return Response(
            status: head.status, headers: head.headerFields, body: ResponseBody(byteBuffer: body))
    }

    /// The same for whoever writes to the connection itself.
    func parts() throws -> (head: HTTPResponse, body: ByteBuffer) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let body = try encoder.encode(
            Body(
                type: "urn:kpi-ledger:problem:\(name)", title: status.reasonPhrase, status: status.code,
                detail: detail, line: line, column: column, entry: entry?.value))
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        headers[.contentLength] = String(body.count)
        return (HTTPResponse(status: status, headerFields: headers), ByteBuffer(bytes: body))
    }
}
