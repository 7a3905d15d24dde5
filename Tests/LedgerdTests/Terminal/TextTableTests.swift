import Foundation
import Ledger
import Testing

@testable import ledgerd

@Suite struct `A table` {
    private func sample() -> TextTable {
        var table = TextTable([.init(title: "name"), .init(title: "n", alignment: .right)])
        table.append(["a", "1"])
        table.append(["longer", "1204"])
        return table
    }

    @Test func `aligns its columns and leaves no trailing space`() {
        #expect(sample().aligned == "name       n\na          1\nlonger  1204\n")
        var table = TextTable([.init(title: "a"), .init(title: "b")])
        table.append(["x", ""])
        #expect(table.aligned == "a  b\nx\n")
    }

    @Test func `quotes what RFC 4180 says must be quoted`() {
        var table = TextTable([.init(title: "a"), .init(title: "b")])
        table.append(["x,y", "say \"hi\""])
        table.append(["two\r\nlines", "plain"])
        #expect(table.csv == "a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\n\"two\r\nlines\",plain\r\n")
    }

    @Test func `shows control characters as question marks`() {
        var table = TextTable([.init(title: "a")])
        table.append(["\u{1B}[31mred\n"])
        #expect(table.aligned == "a\n?[31mred?\n")
    }
}

@Suite struct `An answer of the query interface` {
    private func decode(_ json: String) throws -> QueryAnswer {
        try JSONDecoder().decode(QueryAnswer.self, from: Data(json.utf8))
    }

    @Test func `of one time becomes a row a series`() throws {
        let answer = try decode(
            #"""
            {"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"m","b":"2","a":"1"},"value":[1700000000,"NaN"]},
            {"metric":{"__name__":"m","a":"x"},"value":[1700000000.5,"+Inf"]}]}}
            """#)
        let table = TextTable(answer, withTime: false)
        #expect(table.columns.map(\.title) == ["metric", "a", "b", "value"])
        #expect(table.rows == [["m", "1", "2", "NaN"], ["m", "x", "", "+Inf"]])
        #expect(answer.series[0].points[0].value.isNaN)
        #expect(answer.series[1].points[0].value == .infinity)
        #expect(answer.series[0].title == #"m{a="1", b="2"}"#)
    }

    @Test func `over a range becomes a row a point, with its time`() throws {
        let answer = try decode(
            #"""
            {"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[0,"1"],[1.5,"2"]]}]}}
            """#)
        #expect(
            TextTable(answer, withTime: true).rows == [
                ["1970-01-01T00:00:00.000Z", "1"], ["1970-01-01T00:00:01.500Z", "2"],
            ])
    }

    @Test func `may be a scalar or a text`() throws {
        let scalar = try decode(#"{"data":{"resultType":"scalar","result":[1,"2.5"]}}"#)
        #expect(TextTable(scalar, withTime: false).rows == [["2.5"]])
        let text = try decode(#"{"data":{"resultType":"string","result":[1,"hello"]}}"#)
        #expect(TextTable(text, withTime: false).rows == [["hello"]])
    }

    @Test(arguments: ["", "[]", "{}", #"{"data":{"resultType":"odd","result":[]}}"#])
    func `is refused where it is something else`(_ json: String) {
        #expect(throws: (any Error).self) { try decode(json) }
    }
}

@Suite struct `A line of progress` {
    @Test func `tells count, rate and time left`() {
        #expect(
            ProgressLine.line("entries", 12_000, of: 70_000, in: .seconds(3))
                == "12,000 of 70,000 entries, 4,000 a second, 15 s left")
        #expect(ProgressLine.count(1, "entry", "entries") == "1 entry")
        #expect(ProgressLine.count(0, "entry", "entries") == "0 entries")
        #expect(ProgressLine.line("entries", 0, of: 0, in: .zero) == "0 entries, 0.0 a second")
    }

    @Test(arguments: [
        (0.0, "0.0 s"), (9.96, "10.0 s"), (59.4, "59 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"),
        (.infinity, "long"),
    ])
    func `writes durations for people`(_ seconds: Double, _ text: String) {
        #expect(ProgressLine.duration(seconds: seconds) == text)
    }
}

@Suite struct `A line of waiting` {
    @Test func `tells how long it was, and how long it may be`() {
        #expect(WaitingLine.line(14, of: 120) == "waiting for the answer for 14 s, 2 min 0 s at most")
    }

    @Test func `changes nothing about what is waited for`() async throws {
        for isShown in [false, true] {
            #expect(try await WaitingLine.during(mostSeconds: 1, isShown: isShown) { 7 } == 7)
            await #expect(throws: CancellationError.self) {
                try await WaitingLine.during(mostSeconds: 1, isShown: isShown) { throw CancellationError() }
            }
        }
    }
}
