import Foundation
import Ledger
import NIOHTTP1

/// The Prometheus HTTP API.
extension LedgerClient {
    /// Asks with a form, since expressions may be longer than addresses.
    ///
    /// - Returns: The exact JSON of a successful answer.
    func query(_ path: String, _ form: [(name: String, value: String)]) async throws(ClientFailure) -> [UInt8]
    {
        try await send(
            .POST, path, body: Self.body(form), type: Self.formType, limitBytes: Limits.queryAnswerBytes,
            seconds: Limits.queryAnswerSeconds
        ).body
    }

    static let formType = "application/x-www-form-urlencoded"

    static func body(_ form: [(name: String, value: String)]) -> [UInt8] {
        Array(form.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&").utf8)
    }

    /// Everything but letters, digits and `-._~` as `%XX`.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
