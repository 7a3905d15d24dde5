import Ledger

/// Series drawn with characters: Braille dots for one, a mark for each of several.
struct Plot: Sendable {
    /// In cells, everything included but the legend.
    let columns: Int
    let lines: Int

    /// Told apart without colour.
    static let marks: [Character] = ["●", "▲", "■", "◆", "○", "△", "□", "◇", "✕", "✚"]

    static let smallest = (columns: 24, lines: 6)

    init(columns: Int, lines: Int) {
        self.columns = max(Self.smallest.columns, columns)
        self.lines = max(Self.smallest.lines, lines)
    }

    /// What is not a finite number is left out; a gap stays a gap.
    func draw(_ series: [QueryAnswer.Series]) -> String {
        let drawn = Array(series.prefix(Limits.plotSeries))
        let values = drawn.flatMap { $0.points.map(\.value) }.filter(\.isFinite)
        let times = drawn.flatMap { $0.points.map(\.time) }.filter(\.isFinite)
        guard let first = times.min(), let last = times.max(), !values.isEmpty else {
            return "nothing to draw: there is no finite value\n"
        }
        // Two lines stand below: the axis and its times.
        let height = lines - 2
        let vertical = Axis(around: values, count: max(1, height / 4))
        let step = vertical.ticks.count > 1 ? vertical.ticks[1] - vertical.ticks[0] : 0
        let labels = vertical.ticks.map { Axis.label($0, step: step) }
        let margin = min(columns / 2, labels.map(\.count).max() ?? 1)
        let width = columns - margin - 2

        var canvas = Canvas(width: width, height: height)
        let horizontal = Axis(from: first, to: last)
        for (number, one) in drawn.enumerated() {
            let mark = drawn.count > 1 ? Self.marks[number % Self.marks.count] : nil
            for point in one.points where point.value.isFinite && point.time.isFinite {
                canvas.set(horizontal.position(point.time), vertical.position(point.value), mark)
            }
        }

        var labelOfRow: [Int: String] = [:]
        for (tick, label) in zip(vertical.ticks, labels) {
            labelOfRow[canvas.row(vertical.position(tick))] = label
        }
        var text = ""
        for row in 0..<height {
            let label = String((labelOfRow[row] ?? "").prefix(margin))
            let padding = String(repeating: " ", count: margin - label.count)
            text += Self.trimmed(
                "\(padding)\(label) \(labelOfRow[row] == nil ? "│" : "┤")\(canvas.line(row))")
        }
        text += String(repeating: " ", count: margin + 1) + "└" + String(repeating: "─", count: width) + "\n"
        text += Self.times(first, last, margin: margin + 2, width: width)
        return text + legend(drawn, others: series.count - drawn.count)
    }

    private static func times(_ first: Double, _ last: Double, margin: Int, width: Int) -> String {
        let span = last - first
        let labels = [first, first + span / 2, last].map { TimeLabel.text($0, span: span) }
        let (left, middle, right) = (labels[0], labels[1], labels[2])
        var line = Array(repeating: Character(" "), count: width)
        func place(_ label: String, at start: Int) {
            guard start >= 0, start + label.count <= width else { return }
            // A label that would touch another is left out.
            let around = max(0, start - 1)..<min(width, start + label.count + 1)
            guard line[around].allSatisfy({ $0 == " " }) else { return }
            for (offset, character) in label.enumerated() { line[start + offset] = character }
        }
        place(left, at: 0)
        if span > 0 {
            place(right, at: width - right.count)
            place(middle, at: (width - middle.count) / 2)
        }
        return trimmed(String(repeating: " ", count: margin) + String(line))
    }

    private func legend(_ drawn: [QueryAnswer.Series], others: Int) -> String {
        var text = ""
        for (number, one) in drawn.enumerated() {
            let mark = drawn.count > 1 ? "\(Self.marks[number % Self.marks.count]) " : ""
            let title = Printable.line(one.title, limit: max(1, columns - 4))
            if !title.isEmpty && title != "{}" || drawn.count > 1 { text += mark + title + "\n" }
        }
        if others > 0 { text += "and \(others) series more, not drawn\n" }
        return text
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }
}

/// Cells that hold a mark, or up to eight Braille dots.
private struct Canvas {
    private let width: Int
    private let height: Int
    private var dots: [UInt8]
    private var marks: [Character?]

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        dots = Array(repeating: 0, count: width * height)
        marks = Array(repeating: nil, count: width * height)
    }

    /// The row of a height between 0 (below) and 1.
    func row(_ y: Double) -> Int { pixelRow(y) / 4 }

    private func pixelRow(_ y: Double) -> Int { Int(((1 - y) * Double(height * 4 - 1)).rounded()) }

    /// - Parameter mark: a Braille dot without one.
    mutating func set(_ x: Double, _ y: Double, _ mark: Character?) {
        let column = Int((x * Double(width * 2 - 1)).rounded())
        let row = pixelRow(y)
        let cell = row / 4 * width + column / 2
        if let mark { marks[cell] = mark } else { dots[cell] |= Self.bit(column % 2, row % 4) }
    }

    func line(_ row: Int) -> String {
        var text = ""
        for cell in row * width..<(row + 1) * width {
            if let mark = marks[cell] {
                text.append(mark)
            } else if dots[cell] == 0 {
                text.append(" ")
            } else {
                text.unicodeScalars.append(Unicode.Scalar(0x2800 + UInt32(dots[cell])) ?? " ")
            }
        }
        return text
    }

    /// Dots are numbered down the left column, then the right; the fourth row came later (Unicode, Braille patterns).
    private static func bit(_ column: Int, _ row: Int) -> UInt8 {
        let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
        return bits[column][row]
    }
}
