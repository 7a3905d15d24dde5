import Ledger
import Testing

@testable import ledgerd

private func series(_ name: String, _ values: [Double]) -> QueryAnswer.Series {
    QueryAnswer.Series(
        labels: [Label(name: "__name__", value: "m"), Label(name: "job", value: name)],
        points: values.enumerated().map {
            QueryAnswer.Point(time: 1_700_000_000 + 60 * Double($0.offset), text: "\($0.element)")
        })
}

@Suite struct `A plot` {
    @Test func `draws a rising line from the lower left to the upper right`() {
        let text = Plot(columns: 60, lines: 12).draw([series("a", (0...50).map(Double.init))])
        let rows = text.split(separator: "\n").map(Array.init)
        let dots = rows.prefix(10).map { row in row.indices.filter { isBraille(row[$0]) } }
        #expect(dots.allSatisfy { !$0.isEmpty })
        // Each row lies left of the row above it.
        for (upper, lower) in zip(dots, dots.dropFirst()) {
            #expect((lower.first ?? 0) < (upper.first ?? 0))
        }
        #expect(text.contains("└────"))
        #expect(text.contains("m{job=\"a\"}"))
    }

    @Test(arguments: [24, 40, 80, 200])
    func `fits the columns`(_ columns: Int) {
        let all = (0..<4).map { number in series("s\(number)", (0...30).map { Double($0 * number) }) }
        let text = Plot(columns: columns, lines: 20).draw(all)
        for line in text.split(separator: "\n") { #expect(line.count <= columns, "\(line)") }
        #expect(text.split(separator: "\n").count == 20 + 4)
    }

    @Test func `gives each of several series a mark of its own and a legend`() {
        let text = Plot(columns: 60, lines: 12).draw([series("a", [1, 2, 3]), series("b", [3, 2, 1])])
        #expect(text.contains("● m{job=\"a\"}"))
        #expect(text.contains("▲ m{job=\"b\"}"))
        #expect(text.count { $0 == "●" } > 1)
        #expect(text.count { $0 == "▲" } > 1)
    }

    @Test(arguments: [
        [Double.nan, 1, .infinity, 2, -.infinity], [5, 5, 5], [0], [-1e308, 1e308], [1e-300, 2e-300],
        [Double.greatestFiniteMagnitude, -Double.greatestFiniteMagnitude], [1e15, 1e15 + 1],
    ])
    func `survives any number`(_ values: [Double]) {
        let text = Plot(columns: 40, lines: 8).draw([series("a", values)])
        #expect(text.contains("┤"))
        for line in text.split(separator: "\n") { #expect(line.count <= 40) }
    }

    @Test func `says so where there is nothing to draw`() {
        #expect(Plot(columns: 40, lines: 8).draw([]).hasPrefix("nothing to draw"))
        #expect(Plot(columns: 40, lines: 8).draw([series("a", [.nan])]).hasPrefix("nothing to draw"))
    }

    @Test func `counts the series that it leaves out`() {
        let all = (0..<13).map { series("s\($0)", [Double($0)]) }
        #expect(Plot(columns: 40, lines: 8).draw(all).contains("and 3 series more"))
    }

    @Test func `lets no control character through`() {
        let hostile = QueryAnswer.Series(
            labels: [Label(name: "job", value: "\u{1B}[2J\u{7}")], points: [.init(time: 1, text: "1")])
        #expect(!Plot(columns: 40, lines: 8).draw([hostile]).unicodeScalars.contains("\u{1B}"))
    }

    private func isBraille(_ character: Character) -> Bool {
        character.unicodeScalars.allSatisfy { (0x2801...0x28FF).contains($0.value) }
    }
}

@Suite struct `An axis` {
    @Test(arguments: [(0.0, 1.0), (0, 97), (-3, 12), (0.001, 0.0042), (1e9, 5e9), (-1e-9, 1e-9)])
    func `covers its values with round, rising marks`(_ low: Double, _ high: Double) {
        let axis = Axis(around: [low, high], count: 5)
        #expect(axis.low <= low)
        #expect(axis.high >= high)
        #expect((2...8).contains(axis.ticks.count))
        #expect(zip(axis.ticks, axis.ticks.dropFirst()).allSatisfy { $0 < $1 })
        #expect(axis.position(axis.low) == 0)
        #expect(axis.position(axis.high) == 1)
    }
}
