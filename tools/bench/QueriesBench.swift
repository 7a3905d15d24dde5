import Foundation
import Ledger
import Query

/// How fast the query store takes KPI events, what it needs for them, and what questions to it cost, beside other
/// engines that are asked the same of the same events.
struct QueriesBench {
    let directory: String
    let events: Int
    let rounds: Int
    /// Whether DuckDB and SQLite are asked as well.
    let withPeers: Bool
    /// As a follower applies them that has some way to go.
    private static let batch = 1024

    func run() throws {
        var size = Report("KPI events into the query store: \(events), one thread")
        let store = try feed(latePercent: 2, "query", &size, writesCSV: withPeers)
        let late = try feed(latePercent: 50, "late", &size)
        _ = late
        _ = try feed(latePercent: 0, "in-order", &size)
        size.print()
        let answers = try ask(QueryEngine(store: store))
        let peers = withPeers ? try askPeers(answers) : [:]
        var report = Report("Five questions about \(events) events, in process, warm")
        for question in Question.allCases {
            var best: (name: String, series: Series)?
            for (name, peer) in peers.sorted(by: { $0.key < $1.key }) {
                guard let series = peer[question] else { continue }
                if series.median < best?.series.median ?? .infinity { best = (name, series) }
            }
            report.add(
                "\(question.rawValue): \(question.text)", .microseconds, answers[question]?.times ?? Series(),
                floor: best)
        }
        report.print()
        if withPeers { printPeers(peers) }
    }

    // MARK: Feeding

    /// Fills a store, and reports how that went.
    private func feed(
        latePercent: Int, _ name: String, _ report: inout Report, writesCSV: Bool = false
    ) throws -> QueryStore {
        let store = try QueryStore.open(directory: directory + "/" + name, ledger: Digest.sha256([1])).store
        var source = KPIEvents(count: events, latePercent: latePercent)
        let file = writesCSV ? try CSVFile(directory + "/events.csv") : nil
        var index: UInt64 = 0
        var (wall, processor) = (0.0, 0.0)
        while true {
            var batch: [FeedEntry] = []
            while batch.count < Self.batch, let document = source.document() {
                batch.append(try KPIEvents.entry(document, index))
                file?.write(document)
                index += 1
            }
            if batch.isEmpty { break }
            let before = Machine.processorSeconds
            wall += try seconds { _ = try store.apply(batch) }
            processor += Machine.processorSeconds - before
            if index % (UInt64(Self.batch) * 100) == 0 { note("\(name): \(index) documents") }
        }
        file?.close()
        let status = try store.status()
        guard status.samples == events else { throw BenchFailure("\(status.samples) samples of \(events)") }
        let count = Double(events)
        report.add("\(latePercent) % late: events", .perSecond, Series(values: [count / wall]))
        report.add(
            "… per second of processor time", .perSecond, Series(values: [count / processor]))
        let bytes = status.tableBytes
        let samples = (bytes["series-chunks"] ?? 0) + (bytes["series-trees"] ?? 0)
        report.add("… samples, bytes an event", .count, Series(values: [Double(samples) / count]))
        report.add(
            "… everything, bytes an event", .count,
            Series(values: [Double(bytes.values.reduce(0, +)) / count]))
        report.add("… the file, bytes an event", .count, Series(values: [Double(status.usedBytes) / count]))
        for (table, size) in bytes.sorted(by: { $0.value > $1.value }) where latePercent == 2 {
            report.add("… … \(table)", .count, Series(values: [Double(size) / count]))
        }
        return store
    }

    // MARK: Questions

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
    }

    private struct Answer {
        var times = Series()
        var found: [String: Double] = [:]
    }

    private static let kpi = "cicd.pipeline.run.duration"
    private static let pipeline = KPIEvents.pipelineName(77)
    private static let weekEnd = KPIEvents.end - 10 * 86_400_000
    private static let sumEnd = KPIEvents.end - 12_345_678
    private static let sumLength: Int64 = 37 * 86_400_000 + 25_920_000
    private static let monthEnd = KPIEvents.end - 86_400_000

    private func ask(_ engine: QueryEngine) throws -> [Question: Answer] {
        func moment(_ milliseconds: Int64) throws -> Timestamp {
            guard let time = Timestamp(milliseconds: milliseconds) else { throw BenchFailure("no time") }
            return time
        }
        let metric = "{\"\(Self.kpi)\"}"
        let one = "{\"\(Self.kpi)\",pipeline=\"\(Self.pipeline)\"}"
        var answers: [Question: Answer] = [:]
        for question in Question.allCases {
            var answer = Answer()
            for round in 0...rounds * 2 {
                var results: [(String, QueryResult)] = []
                let time = try seconds {
                    switch question {
                    case .q1:
                        let text = "sum(sum_over_time(\(one)[1h])) / sum(count_over_time(\(one)[1h]))"
                        results = [
                            (
                                "",
                                try engine.range(
                                    text, from: moment(Self.weekEnd - 167 * 3_600_000),
                                    through: moment(Self.weekEnd), stepMilliseconds: 3_600_000)
                            )
                        ]
                    case .q2:
                        results = [
                            (
                                "",
                                try engine.range(
                                    "merged_quantile_over_time by (pipeline) (0.95, \(metric)[1d])",
                                    from: moment(KPIEvents.start + 86_400_000),
                                    through: moment(KPIEvents.end),
                                    stepMilliseconds: 86_400_000)
                            )
                        ]
                    case .q3:
                        results = try KPIEvents.kpis.map { kpi in
                            let text = "sum(sum_over_time({\"\(kpi.name)\"}[\(Self.sumLength)ms]))"
                            return (kpi.name, try engine.instant(text, at: moment(Self.sumEnd)))
                        }
                    case .q4:
                        let failed = "{\"\(Self.kpi)\",\"cicd.pipeline.result\"=\"failed\"}"
                        let text = "topk(10, sum by (pipeline) (count_over_time(\(failed)[30d])))"
                        results = [("", try engine.instant(text, at: moment(Self.monthEnd)))]
                    case .q5:
                        let text = KPIEvents.kpis.map { "sum(count_over_time({\"\($0.name)\"}[100d]))" }
                            .joined(separator: " + ")
                        results = [("", try engine.instant(text, at: moment(KPIEvents.end)))]
                    }
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

    // MARK: Peers

    private func askPeers(_ own: [Question: Answer]) throws -> [String: [Question: Series]] {
        let edges: [String: Any] = [
            "kpi": Self.kpi, "pipeline": Self.pipeline, "weekStart": Self.weekEnd - 168 * 3_600_000,
            "weekEnd": Self.weekEnd, "sumStart": Self.sumEnd - Self.sumLength, "sumEnd": Self.sumEnd,
            "monthStart": Self.monthEnd - 30 * 86_400_000, "monthEnd": Self.monthEnd,
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

    private func printPeers(_ peers: [String: [Question: Series]]) {
        var report = Report("The other engines, the same questions")
        for (name, answers) in peers.sorted(by: { $0.key < $1.key }) {
            for question in Question.allCases {
                report.add("\(name), \(question.rawValue)", .microseconds, answers[question] ?? Series())
            }
        }
        report.print()
    }
}

/// Events for other engines to load: `time,kpi,pipeline,result,thousandths`.
private final class CSVFile {
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    init(_ path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw BenchFailure("\(path) cannot be made") }
        self.handle = handle
    }

    func write(_ events: [KPIEvents.Event]) {
        for event in events {
            let thousandths = Int(event.value.nanos / 1_000_000)
            let line =
                "\(event.time),\(KPIEvents.kpis[event.kpi].name),\(KPIEvents.pipelineName(event.pipeline)),"
                + "\(KPIEvents.results[event.result]),\(thousandths)\n"
            buffer += Array(line.utf8)
        }
        if buffer.count > 1 << 20 { flush() }
    }

    private func flush() {
        handle.write(Data(buffer))
        buffer.removeAll(keepingCapacity: true)
    }

    func close() {
        flush()
        try? handle.close()
    }
}
