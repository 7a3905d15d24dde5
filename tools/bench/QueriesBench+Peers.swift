import Foundation

/// DuckDB and SQLite, asked the same of the same events.
extension QueriesBench {
    func askPeers(_ own: [Question: Question.Answer]) throws -> [String: [Question: Series]] {
        let edges: [String: Any] = [
            "kpi": Question.kpi, "pipeline": Question.pipeline,
            "weekStart": Question.weekEnd - 168 * 3_600_000,
            "weekEnd": Question.weekEnd, "sumStart": Question.sumEnd - Question.sumLength,
            "sumEnd": Question.sumEnd,
            "monthStart": Question.monthEnd - 30 * 86_400_000, "monthEnd": Question.monthEnd,
        ]
        let questions = directory + "/questions.json"
        try JSONSerialization.data(withJSONObject: edges).write(to: URL(filePath: questions))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "peers.py").path
        process.arguments = ["python3", script, directory + "/events.csv", directory, "\(rounds)", questions]
        let output = Pipe()
        process.standardOutput = output
        note("asking DuckDB and SQLite")
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("peers.py failed: it needs `pip install duckdb`, or ask without --peers")
        }
        guard
            let answers = try JSONSerialization.jsonObject(with: bytes) as? [String: [String: [String: Any]]]
        else { throw BenchFailure("peers.py printed something else") }
        var result: [String: [Question: Series]] = [:]
        for (engine, questions) in answers {
            for question in Question.allCases {
                guard let answer = questions[question.rawValue], let times = answer["seconds"] as? [Double]
                else {
                    throw BenchFailure("\(engine) has no answer to \(question)")
                }
                result[engine, default: [:]][question] = Series(values: times.map { $0 * 1e6 })
                try compare(engine, question, answer["found"], own[question]?.found ?? [:])
            }
        }
        return result
    }

    /// The answers must be the same.
    private func compare(
        _ engine: String, _ question: Question, _ found: Any?, _ own: [String: Double]
    ) throws {
        let isSame: Bool
        switch question {
        case .q1, .q2: isSame = (found as? Int).map(Double.init) == own["points"]
        case .q3:
            let rows = found as? [[Any]] ?? []
            isSame =
                rows.count == own.count
                && rows.allSatisfy { row in
                    guard let kpi = row[0] as? String, let sum = row[1] as? NSNumber, let ours = own[kpi]
                    else { return false }
                    return ours == sum.doubleValue / 1000
                }
        case .q4:
            let rows = found as? [[Any]] ?? []
            isSame =
                rows.map { ($0[1] as? NSNumber)?.doubleValue ?? -1 } == own.values.sorted(by: >)
        case .q5:
            let rows = found as? [[Any]] ?? []
            isSame = (rows.first?.first as? NSNumber)?.doubleValue == own[""]
        }
        guard isSame else {
            throw BenchFailure(
                "\(engine) and the ledger differ on \(question.rawValue): \(found ?? "") and \(own)")
        }
    }

    func printPeers(_ peers: [String: [Question: Series]]) {
        var report = Report("The other engines, the same questions")
        for (name, answers) in peers.sorted(by: { $0.key < $1.key }) {
            for question in Question.allCases {
                report.add("\(name), \(question.rawValue)", .microseconds, answers[question] ?? Series())
            }
        }
        report.print()
    }
}
