import Ledger
import Testing

@testable import Query

/// Series, and questions about them with their answers, as text:
///
///     load 30s
///       requests_total{code="200"} 0+10x5 _ 3
///     at 5m: rate(requests_total[5m])
///       {code="200"} 0.5
///     at 0..2m every 1m: requests_total
///       requests_total{code="200"} 0 20 40
///     at 0: sum(
///       error bad_data: parse error
///
/// Samples are `load`'s step apart from 1970 on: numbers, `_` for none, `a+bxn` for a, a+b, … a+nb. What stands below a
/// question is its whole answer, in the order of the answer where that is `ordered:`; `nothing` for none, `= 1` for a
/// scalar or a text. Another `load` begins with no series.
struct CaseFile {
    struct Question {
        let line: Int
        let text: String
        let times: [Int64]
        let isRange: Bool
        let isOrdered: Bool
        var expected: [String] = []
    }

    struct Group {
        var measures: [Measure] = []
        var questions: [Question] = []
    }

    struct Malformed: Error {
        let line: Int
        let reason: String
    }

    private(set) var groups: [Group] = []

    init(_ text: String) throws {
        var step: Int64 = 0
        var isLoading = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let number = index + 1
            let words = line.drop { $0 == " " }
            if words.isEmpty || words.hasPrefix("#") { continue }
            if line.hasPrefix("load ") {
                step = try Self.duration(line.dropFirst(5), number)
                groups.append(Group())
                isLoading = true
            } else if line.hasPrefix("at ") || line.hasPrefix("ordered ") {
                if groups.isEmpty { groups.append(Group()) }
                groups[groups.count - 1].questions.append(try Self.question(line, number))
                isLoading = false
            } else if line.hasPrefix(" "), isLoading {
                groups[groups.count - 1].measures += try Self.measures(words, step, number)
            } else if line.hasPrefix(" "), let last = groups.last?.questions.indices.last {
                groups[groups.count - 1].questions[last].expected.append(String(words))
            } else {
                throw Malformed(line: number, reason: "begins with load, at or ordered")
            }
        }
    }

    private static func duration(_ text: some StringProtocol, _ line: Int) throws -> Int64 {
        let isNegative = text.hasPrefix("-")
        guard let value = DurationText.milliseconds(isNegative ? text.dropFirst() : text[...]) else {
            throw Malformed(line: line, reason: "\(text) is no duration")
        }
        return isNegative ? -value : value
    }

    private static func question(_ line: Substring, _ number: Int) throws -> Question {
        guard let colon = line.firstRange(of: ": ") else {
            throw Malformed(line: number, reason: "no question after a colon")
        }
        let words = line[..<colon.lowerBound].split(separator: " ")
        var times: [Int64] = []
        if let range = words[1].firstRange(of: "..") {
            let end = try duration(words[1][range.upperBound...], number)
            var time = try duration(words[1][..<range.lowerBound], number)
            guard words.count == 4, words[2] == "every" else {
                throw Malformed(line: number, reason: "a range is 0..5m every 1m")
            }
            let step = try duration(words[3], number)
            while time <= end {
                times.append(time)
                time += step
            }
        } else {
            times = [try duration(words[1], number)]
        }
        return Question(
            line: number, text: String(line[colon.upperBound...]), times: times, isRange: words.count > 2,
            isOrdered: words[0] == "ordered")
    }

    /// A selector with `=` alone, then values.
    private static func measures(_ text: Substring, _ step: Int64, _ line: Int) throws -> [Measure] {
        let close = text.lastIndex(of: "}") ?? text.firstIndex(of: " ") ?? text.endIndex
        let end = close < text.endIndex && text[close] == "}" ? text.index(after: close) : close
        var name = ""
        var labels: [Label] = []
        for matcher in try Parser.metricSelector(String(text[..<end])) {
            if matcher.name == LabelSet.metricName {
                name = matcher.value
            } else {
                labels.append(Label(name: matcher.name, value: matcher.value))
            }
        }
        var measures: [Measure] = []
        for (place, value) in try values(text[end...], line).enumerated() {
            guard let value else { continue }
            guard let time = Timestamp(milliseconds: Int64(place) * step), let value = Quantity(value) else {
                throw Malformed(line: line, reason: "\(value) is no value")
            }
            measures.append(
                Measure(name: name, unit: "", time: time, labels: labels.sorted(), value: value))
        }
        return measures
    }

    private static func values(_ text: Substring, _ line: Int) throws -> [String?] {
        var values: [String?] = []
        for word in text.split(separator: " ") {
            guard let times = word.firstIndex(of: "x") else {
                values.append(word == "_" ? nil : String(word))
                continue
            }
            guard let count = Int(word[word.index(after: times)...]) else {
                throw Malformed(line: line, reason: "\(word) is no series of values")
            }
            let body = word[..<times]
            if body == "_" {
                values += Array(repeating: nil, count: count)
                continue
            }
            let sign = body.dropFirst().firstIndex { $0 == "+" || $0 == "-" } ?? body.endIndex
            guard let first = Int64(body[..<sign]),
                let change = sign < body.endIndex ? Int64(body[sign...]) : 0
            else { throw Malformed(line: line, reason: "\(word) is no series of values") }
            values += (0...Int64(count)).map { String(first + $0 * change) }
        }
        return values
    }
}
