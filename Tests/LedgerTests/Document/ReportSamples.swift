@testable import Ledger

let givenTime = Timestamp(rfc3339: "2026-01-02T03:04:05Z") ?? .earliest

/// Converts a whole text, in pieces of `pieceBytes`.
func convert(
    _ format: ReportFormat, _ text: String, labels: [Label] = [], pieceBytes: Int = .max
) throws(ReportError) -> ReportSummary {
    try convert(format, Array(text.utf8), labels: labels, pieceBytes: pieceBytes)
}

func convert(
    _ format: ReportFormat, _ bytes: [UInt8], labels: [Label] = [], pieceBytes: Int = .max
) throws(ReportError) -> ReportSummary {
    var converter = try ReportConverter(format, time: givenTime, labels: labels)
    var start = 0
    while start < bytes.count {
        let end = start + min(pieceBytes, bytes.count - start)
        try converter.consume(Array(bytes[start..<end]))
        start = end
    }
    return try converter.finish()
}

/// The error of a conversion, or none.
func failure(_ format: ReportFormat, _ text: String) -> ReportError? { failure(format, Array(text.utf8)) }

func failure(_ format: ReportFormat, _ bytes: [UInt8]) -> ReportError? {
    do throws(ReportError) {
        _ = try convert(format, bytes)
        return nil
    } catch {
        return error
    }
}

extension ReportSummary {
    /// The one value of this name whose labels include these; `nil` with none or several.
    func value(_ name: String, _ labels: [String: String]) -> Quantity? {
        let found = measures.filter { measure in
            measure.name == name
                && labels.allSatisfy { name, value in measure.labels.contains(Label(name: name, value: value))
                }
        }
        return found.count == 1 ? found[0].value : nil
    }

    /// passed, failed, error, skipped
    func results(_ suite: String) -> [String] {
        ["passed", "failed", "error", "skipped"].map {
            value("test.cases", ["test.suite.name": suite, "test.result": $0])?.description ?? "-"
        }
    }

    func duration(_ suite: String) -> String? {
        value("test.duration", ["test.suite.name": suite])?.description
    }
}
