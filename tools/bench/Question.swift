import Foundation
import Ledger
import Query

/// Five questions to a query store, as an analyst would ask them.
enum Question: String, CaseIterable {
    case q1 = "Q1"
    case q2 = "Q2"
    case q3 = "Q3"
    case q4 = "Q4"
    case q5 = "Q5"

    var text: String {
        switch self {
        case .q1: "hourly average of one pipeline and KPI over 7 days"
        case .q2: "daily p95 of one KPI by pipeline over 90 days"
        case .q3: "sum by KPI over 37.3 days that are not whole, exact"
        case .q4: "ten pipelines with most failures over 30 days"
        case .q5: "count of everything"
        }
    }

    struct Answer {
        var times = Series()
        var found: [String: Double] = [:]
    }

    static let kpi = "cicd.pipeline.run.duration"
    static let pipeline = KPIEvents.pipelineName(77)
    static let weekEnd = KPIEvents.end - 10 * 86_400_000
    static let sumEnd = KPIEvents.end - 12_345_678
    static let sumLength: Int64 = 37 * 86_400_000 + 25_920_000
    static let monthEnd = KPIEvents.end - 86_400_000

    /// One request to the engine: at a moment, or over a range.
    struct Asked {
        /// What its values are found under, where one question takes several.
        var name = ""
        let text: String
        /// `nil` for an instant at the end.
        var start: Timestamp?
        let end: Timestamp
        var stepMilliseconds: Int64 = 0

        func answer(of engine: QueryEngine) throws(QueryError) -> AnnotatedResult {
            guard let start else { return try engine.instantAnnotated(text, at: end) }
            return try engine.rangeAnnotated(
                text, from: start, through: end, stepMilliseconds: stepMilliseconds)
        }
    }

    func asked() throws -> [Asked] {
        func moment(_ milliseconds: Int64) throws -> Timestamp {
            guard let time = Timestamp(milliseconds: milliseconds) else { throw BenchFailure("no time") }
            return time
        }
        switch self {
        case .q1:
            let one = "{\"\(Self.kpi)\",pipeline=\"\(Self.pipeline)\"}"
            return [
                Asked(
                    text: "sum(sum_over_time(\(one)[1h])) / sum(count_over_time(\(one)[1h]))",
                    start: try moment(Self.weekEnd - 167 * 3_600_000), end: try moment(Self.weekEnd),
                    stepMilliseconds: 3_600_000)
            ]
        case .q2:
            return [
                Asked(
                    text: "merged_quantile_over_time by (pipeline) (0.95, {\"\(Self.kpi)\"}[1d])",
                    start: try moment(KPIEvents.start + 86_400_000), end: try moment(KPIEvents.end),
                    stepMilliseconds: 86_400_000)
            ]
        case .q3:
            return try KPIEvents.kpis.map { kpi in
                Asked(
                    name: kpi.name, text: "sum(sum_over_time({\"\(kpi.name)\"}[\(Self.sumLength)ms]))",
                    end: try moment(Self.sumEnd))
            }
        case .q4:
            let failed = "{\"\(Self.kpi)\",\"cicd.pipeline.result\"=\"failed\"}"
            return [
                Asked(
                    text: "topk(10, sum by (pipeline) (count_over_time(\(failed)[30d])))",
                    end: try moment(Self.monthEnd))
            ]
        case .q5:
            let counts = KPIEvents.kpis.map { "sum(count_over_time({\"\($0.name)\"}[400d]))" }
            return [Asked(text: counts.joined(separator: " + "), end: try moment(KPIEvents.end))]
        }
    }

    static func ask(_ engine: QueryEngine, rounds: Int) throws -> [Question: Answer] {
        var answers: [Question: Answer] = [:]
        for question in Question.allCases {
            let asked = try question.asked()
            var answer = Answer()
            for round in 0...rounds * 2 {
                var results: [(String, QueryResult)] = []
                let time = try seconds {
                    results = try asked.map { ($0.name, try $0.answer(of: engine).result) }
                }
                // The first round warms up.
                if round > 0 { answer.times.add(time * 1e6) }
                answer.found = Self.found(results)
            }
            answers[question] = answer
        }
        return answers
    }

    private static func found(_ results: [(String, QueryResult)]) -> [String: Double] {
        var found: [String: Double] = [:]
        for (name, result) in results {
            guard case .vector(let series) = result else {
                if case .matrix(let series) = result {
                    found["points"] = Double(series.reduce(0) { $0 + $1.points.count })
                }
                continue
            }
            for one in series { found[name + (one.labels["pipeline"] ?? "")] = one.points.first?.value }
        }
        return found
    }
}
