import Foundation
import Ledger

/// Why a request has no answer that can be used.
enum ClientFailure: Error, Sendable, Equatable {
    /// No address answered, or all of them cannot take work now. The outcome is unknown; sending the same bytes again
    /// is safe.
    ///
    /// - status: what the last of them said, if one answered.
    case away(String, status: Int? = nil)
    /// A node said no, and another would say the same.
    case refused(Refusal)
    /// What came back is not what the interface promises.
    case nonsense(String)

    /// In a few words.
    var reason: String {
        switch self {
        case .away(let reason, _), .nonsense(let reason): reason
        case .refused(let refusal): refusal.detail
        }
    }

    /// - Source: RFC 9457; for the query interface, Prometheus's own errors.
    struct Refusal: Error, Sendable, Equatable {
        var status: Int
        /// The end of `urn:kpi-ledger:problem:<name>`, or Prometheus's error type.
        var name: String
        var detail: String
        /// The entry that the refusal is about, where it names one.
        var entry: UInt64?
    }
}

extension ClientFailure.Refusal {
    private struct Body: Decodable {
        var type: String?
        var title: String?
        var detail: String?
        var entry: UInt64?
        var line: Int?
        var column: Int?
        var errorType: String?
        var error: String?
    }

    init(status: Int, body: [UInt8]) {
        self.init(status: status, name: "", detail: "status \(status)", entry: nil)
        guard let body = try? JSONDecoder().decode(Body.self, from: Data(body)) else { return }
        name = body.errorType ?? body.type.flatMap { $0.split(separator: ":").last.map(String.init) } ?? ""
        detail = Printable.line(body.error ?? body.detail ?? body.title ?? detail)
        if let line = body.line {
            detail += " (line \(line)" + (body.column.map { ", column \($0)" } ?? "") + ")"
        }
        entry = body.entry ?? Self.entry(namedIn: detail)
    }
}

extension ClientFailure.Refusal {
    /// Nodes say “entry 17 has the id … with another content”. Whoever uses the number verifies what it leads to.
    private static func entry(namedIn detail: String) -> UInt64? {
        guard detail.hasPrefix("entry ") else { return nil }
        return UInt64(detail.dropFirst(6).prefix { $0 != " " })
    }
}

extension CommandFailure {
    init(_ failure: ClientFailure) {
        switch failure {
        case .away(let reason, let status?):
            self.init(
                .unreachable, "the ledger cannot do it now: \(reason)", remedy: Self.patience(status))
        case .away(let reason, nil):
            self.init(
                .unreachable, "the ledger could not be reached: \(reason)",
                remedy:
                    "Check the address (--ledger), the authority (--ca) and that the node runs (`ledgerd status`)."
            )
        case .nonsense(let reason):
            self.init(
                .unreachable, "the ledger answered what cannot be believed: \(reason)",
                remedy:
                    "Check that the address is that of a node, then keep the answer and tell its operator.")
        case .refused(let refusal):
            self.init(
                refusal.name == "bad_data" ? .wrongUsage : .unreachable,
                "the ledger refused: \(refusal.detail)", remedy: Self.remedy(refusal))
        }
    }

    /// Whatever was sent may be sent again: an entry counts once.
    private static func patience(_ status: Int) -> String {
        switch status {
        case 429: "Send less at one time, or the same again in a while."
        case 507: "Have its operator free some room on the node's disk, then send the same again."
        default: "Send the same again in a while, to any node; `ledgerd status` shows which are there."
        }
    }

    private static func remedy(_ refusal: ClientFailure.Refusal) -> String {
        switch refusal.status {
        case 401:
            "Show who you are: --identity, LEDGER_TOKEN (`ledgerd token`), or run in the ledger's directory."
        case 403: "Ask an operator for the role, or act as another identity (--identity)."
        case 404: "Check the number or the address."
        case 409: "Another content has this id: choose another --run, or leave it as it is."
        case 410: "The entry was erased; its id stays taken."
        case 413: "Send less in one call."
        case 503 where refusal.name == "timeout":
            "Ask for less: a shorter range, a longer step, fewer series; `ledgerd explain` shows what is read."
        case 400 where refusal.name == "bad_data": "Mend the expression or its times."
        default: "Mend what is named, then send it again."
        }
    }
}

/// Text from outside, for a terminal or an error: one line, nothing that moves a cursor.
enum Printable {
    static func line(_ text: String, limit: Int = 400) -> String {
        var shown = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == limit { return shown + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: shown += "?"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }
}
