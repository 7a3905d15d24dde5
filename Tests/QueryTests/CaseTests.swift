import Foundation
import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct `The cases written down from the documentation` {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases")

    private static let files =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?
        .filter { $0.hasSuffix(".promql") }.sorted() ?? []

    @Test func `are found`() { #expect(Self.files.count >= 5) }

    @Test(arguments: files)
    func `are answered so`(_ file: String) throws {
        let text = try String(contentsOf: Self.folder.appending(path: file), encoding: .utf8)
        let cases = try CaseFile(text)
        #expect(!cases.groups.isEmpty)
        for group in cases.groups {
            let store = try StoreFixture(group.measures.isEmpty ? [] : [feed(0, group.measures)])
            for question in group.questions { try ask(question, store.engine, file) }
        }
    }

    private func ask(_ question: CaseFile.Question, _ engine: QueryEngine, _ file: String) throws {
        let place = "\(file):\(question.line): \(question.text)"
        let times = try question.times.map { try time($0) }
        let found: [String]
        do throws(QueryError) {
            let result =
                question.isRange
                ? try engine.range(
                    question.text, from: times[0], through: times[times.count - 1],
                    stepMilliseconds: times.count > 1 ? times[1].milliseconds - times[0].milliseconds : 1)
                : try engine.instant(question.text, at: times[0])
            found = lines(of: result, question.times)
        } catch {
            let expected = question.expected.first ?? ""
            let prefix = "error \(error.kind.rawValue): "
            #expect(
                question.expected.count == 1 && expected.hasPrefix(prefix)
                    && error.message.contains(expected.dropFirst(prefix.count)),
                "\(place) fails: \(error.kind.rawValue): \(error.message)")
            return
        }
        let expected = question.expected == ["nothing"] ? [] : question.expected
        let pairs = zip(
            question.isOrdered ? found : found.sorted(), question.isOrdered ? expected : expected.sorted())
        #expect(
            found.count == expected.count && pairs.allSatisfy { agree($0, $1) },
            "\(place)\nfound:    \(found)\nexpected: \(expected)")
    }

    private func lines(of result: QueryResult, _ times: [Int64]) -> [String] {
        switch result {
        case .scalar(let point): return ["= \(FloatText.sample(point.value))"]
        case .string(_, let value): return ["= \(value)"]
        case .vector(let series): return series.map { "\($0.labels) \(FloatText.sample($0.points[0].value))" }
        case .matrix(let series):
            return series.map { one in
                var values: [String] = []
                for time in times {
                    values.append(
                        one.points.first { $0.time == time }.map { FloatText.sample($0.value) } ?? "_")
                }
                // Of `x[5m]` all points are shown.
                if times.count == 1 { values = one.points.map { "\(FloatText.sample($0.value))@\($0.time)" } }
                return "\(one.labels) \(values.joined(separator: " "))"
            }
        }
    }

    /// Word by word; numbers to 1e-12 of themselves, since logarithms differ in their last bit between libraries.
    private func agree(_ found: String, _ expected: String) -> Bool {
        let left = found.split(separator: " ")
        let right = expected.split(separator: " ")
        guard left.count == right.count else { return false }
        return zip(left, right).allSatisfy { one, other in
            if one == other { return true }
            guard let one = Double(one), let other = Double(other) else { return false }
            return abs(one - other) <= 1e-12 * max(abs(one), abs(other))
        }
    }
}
