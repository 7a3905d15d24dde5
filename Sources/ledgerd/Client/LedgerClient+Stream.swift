import AsyncHTTPClient
import Ledger
import NIOCore
import NIOHTTP1

/// Answers that are too long to be held.
extension LedgerClient {
    /// Asks with a form (without one, for what stands at the address), and hands over the answer piece by piece as it
    /// comes.
    ///
    /// The next address is asked only where one does not begin to answer: what began cannot be taken back.
    ///
    /// - Parameter take: is given a piece, and what finds a field of the answer's head.
    /// - Throws: `ClientFailure`, and what `take` throws. An answer that breaks off is `.away`.
    func stream(
        _ path: String, _ form: [(name: String, value: String)]? = nil,
        _ take: ([UInt8], (String) -> String?) throws -> Void
    ) async throws {
        var reason = "no address was given"
        var status: Int?
        for url in urls {
            let response: HTTPClientResponse
            do {
                response =
                    if let form {
                        try await begin(.POST, url + path, Self.body(form), Self.formType)
                    } else { try await begin(.GET, url + path) }
                guard response.status == .ok else {
                    let body = try await response.body.collect(upTo: Limits.smallAnswerBytes)
                    throw ClientFailure.refused(
                        .init(status: Int(response.status.code), body: Array(body.readableBytesView)))
                }
            } catch ClientFailure.refused(let refusal) where refusal.status == 429 || refusal.status >= 500 {
                (reason, status) = ("\(url): \(refusal.detail)", refusal.status)
                continue
            } catch let failure as ClientFailure {
                throw failure
            } catch {
                (reason, status) = ("\(url): \(Self.reason(error))", nil)
                continue
            }
            var pieces = response.body.makeAsyncIterator()
            while let piece = try await Self.next(&pieces, url) {
                try take(Array(piece.readableBytesView)) { response.headers.first(name: $0) }
            }
            return
        }
        throw ClientFailure.away(reason, status: status)
    }

    private static func next(
        _ pieces: inout HTTPClientResponse.Body.AsyncIterator, _ url: String
    ) async throws(ClientFailure) -> ByteBuffer? {
        do { return try await pieces.next() } catch {
            throw .away("\(url): the answer broke off: \(reason(error))")
        }
    }
}
