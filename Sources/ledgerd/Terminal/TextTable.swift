import Ledger

/// Rows of text in columns.
struct TextTable: Sendable, Equatable {
    enum Alignment: Sendable { case left, right }
    struct Column: Sendable, Equatable {
        let title: String
        var alignment = Alignment.left
    }

    let columns: [Column]
    /// Each as long as `columns`.
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func append(_ row: [String]) {
        precondition(row.count == columns.count, "a row has a cell for every column")
        rows.append(row)
    }

    /// Aligned with spaces, for people: control characters of cells are shown as `?`.
    var aligned: String {
        let shown = ([columns.map(\.title)] + rows).map { $0.map { Printable.line($0, limit: .max) } }
        let widths = columns.indices.map { column in shown.map { $0[column].count }.max() ?? 0 }
        return shown.map { row in
            let cells = columns.indices.map { index in
                let padding = String(repeating: " ", count: widths[index] - row[index].count)
                return columns[index].alignment == .left ? row[index] + padding : padding + row[index]
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }
        .joined()
    }

    /// RFC 4180: lines end in CR LF, and what needs quotes has them.
    var csv: String {
        ([columns.map(\.title)] + rows).map { row in row.map(Self.field).joined(separator: ",") + "\r\n" }
            .joined()
    }

    /// - Source: RFC 4180.
    static func field(_ text: String) -> String {
        // By scalars: CR LF is one character, and not one of those below.
        let needsQuotes = text.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
        guard needsQuotes else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}

extension TextTable {
    /// A label a column, then the time where the answer has several, then the value.
    init(_ answer: QueryAnswer, withTime: Bool) {
        let series = answer.series
        // The metric's name first.
        var names = Set(series.flatMap { $0.labels.map(\.name) }).subtracting(["__name__"]).sorted()
        let hasMetric = series.contains { !$0["__name__"].isEmpty }
        if hasMetric { names.insert("__name__", at: 0) }
        self.init(
            names.map { Column(title: $0 == "__name__" ? "metric" : $0) }
                + (withTime ? [Column(title: "time")] : []) + [Column(title: "value", alignment: .right)])
        for one in series {
            let labels = names.map { one[$0] }
            for point in one.points {
                append(labels + (withTime ? [Self.time(point.time)] : []) + [point.text])
            }
        }
    }

    static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds.magnitude < 1e12,
            let time = Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
        else { return String(seconds) }
        return time.description
    }
}
