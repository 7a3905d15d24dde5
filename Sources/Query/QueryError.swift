internal import Ledger

/// Why a question has no answer, in the terms of the Prometheus HTTP API.
public struct QueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The values of `errorType` in a response.
    public enum Kind: String, Hashable, Sendable {
        /// The question is malformed, or asks for more than may be asked.
        case badData = "bad_data"
        /// The question is well-formed, but the data do not allow an answer.
        case execution
        case timeout
        case canceled
        /// The store failed.
        case `internal`
    }

    public let kind: Kind
    /// For people; begins with the position, `1:5: parse error: …`, where there is one.
    public let message: String
    /// What the store met.
    let cause: StoreError?

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
        cause = nil
    }

    init(_ error: StoreError) {
        kind = .internal
        message = "query store: \(error.description)"
        cause = error
    }

    public var description: String { message }

    /// A parse error at byte `offset` of `text`, in Prometheus's form.
    static func parse(_ reason: String, at offset: Int?, in text: String) -> QueryError {
        guard let offset else { return QueryError(.badData, "unknown position: parse error: \(reason)") }
        let (line, column) = position(of: offset, in: text)
        return QueryError(.badData, "\(line):\(column): parse error: \(reason)")
    }

    /// Names the parameter of the HTTP API that is wrong, as Prometheus does.
    func of(parameter: String) -> QueryError {
        kind == .badData ? QueryError(.badData, "invalid parameter \"\(parameter)\": \(message)") : self
    }

    /// Lines and columns count from 1, columns in bytes.
    static func position(of offset: Int, in text: String) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in text.utf8.prefix(max(0, offset)) {
            column += 1
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            }
        }
        return (line, column)
    }

    static let tooManySamples = QueryError(
        .execution, "query processing would load too many samples into memory in query execution")
}

/// Why an evaluation has to stop before its end.
public enum Interruption: Hashable, Sendable {
    case timeout
    case canceled

    var error: QueryError {
        switch self {
        case .timeout: QueryError(.timeout, "query timed out in expression evaluation")
        case .canceled: QueryError(.canceled, "query was canceled in expression evaluation")
        }
    }
}
