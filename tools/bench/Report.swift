import Foundation

/// A table of figures, each beside its floor, in Markdown.
struct Report {
    enum Unit: String {
        case perSecond = "/s"
        case microseconds = "µs"
        case megabytesPerSecond = "MB/s"
        case count = ""
    }

    private struct Row {
        let figure: String
        let unit: Unit
        let series: Series
        let floor: (name: String, series: Series)?
    }

    private let title: String
    private var rows: [Row] = []

    init(_ title: String) { self.title = title }

    mutating func add(
        _ figure: String, _ unit: Unit, _ series: Series, floor: (name: String, series: Series)? = nil
    ) {
        rows.append(Row(figure: figure, unit: unit, series: series, floor: floor))
    }

    func print() {
        let hasFloors = rows.contains { $0.floor != nil }
        var lines = ["", "### \(title)", ""]
        if hasFloors {
            lines += [
                "| figure | median (min – max) | floor | median (min – max) | figure ÷ floor (min – max) |",
                "| --- | --- | --- | --- | --- |",
            ]
        } else {
            lines += ["| figure | median (min – max) |", "| --- | --- |"]
        }
        for row in rows {
            var cells = [row.figure, Self.text(row.series, row.unit)]
            if let floor = row.floor {
                cells += [
                    floor.name, Self.text(floor.series, row.unit),
                    Self.ratio(row.series.ratio(to: floor.series)),
                ]
            } else if hasFloors {
                cells += ["", "", ""]
            }
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        say(lines.joined(separator: "\n"))
    }

    private static func text(_ series: Series, _ unit: Unit) -> String {
        let range = series.values.count > 1 ? " (\(number(series.minimum)) – \(number(series.maximum)))" : ""
        return "\(number(series.median)) \(unit.rawValue)\(range)"
    }

    private static func ratio(_ series: Series) -> String {
        func text(_ value: Double) -> String { String(format: "%.2f", value) }
        return "**\(text(series.median))** (\(text(series.minimum)) – \(text(series.maximum)))"
    }

    private static func number(_ value: Double) -> String {
        if value >= 10_000 { return String(format: "%.1f k", value / 1000) }
        return String(format: value >= 100 ? "%.0f" : "%.1f", value)
    }
}

/// Prints at once: standard output into a file is buffered otherwise.
func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

/// Says what happens, on standard error: the tables stay clean.
func note(_ text: String) {
    FileHandle.standardError.write(Data((text + "\n").utf8))
}

struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
