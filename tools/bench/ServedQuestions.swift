import Foundation
import Ledger
import NIOCore
import Query

/// The five questions over HTTPS, asked of the real program: what TLS, HTTP, the access token and JSON add.
///
/// The node serves a copy of the filled store. Its own log is empty: the store is ahead of it, and so it follows nothing.
struct ServedQuestions {
    let ledger: BenchLedger
    /// The directory of the filled store.
    let store: String
    /// Answers the same in this process.
    let engine: QueryEngine
    let rounds: Int

    private struct Figures {
        var inProcess = Series()
        var writing = Series()
        var served = Series()
        /// Of the answer, all its requests together.
        var bytes = 0
    }

    func run() async throws {
        let data = ledger.nodes[0].directory + "/data"
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: store, toPath: data + "/query")
        let token = try ServerProcess.run(
            "ledgerd", ["token", "--role", "analyst", "--for", "12h", "--directory", ledger.directory]
        ).trimmingCharacters(in: .whitespacesAndNewlines)
        let node = try ledger.startNode()
        defer { node.stop() }
        let client = try LoadGenerator(port: node.port)

        var report = Report("The same over HTTPS and in JSON, from a node in a process of its own")
        for question in Question.allCases {
            let asked = try question.asked()
            let requests = try asked.map { try request($0, token) }
            var figures = Figures()
            for round in 0...rounds * 2 { try await ask(asked, requests, client, round, &figures) }
            let several = asked.count > 1 ? ", \(asked.count) requests in turn" : ""
            report.add(
                "\(question.rawValue): over HTTPS\(several)", .microseconds, figures.served,
                floor: ("in process", figures.inProcess))
            report.add("… more than in process", .microseconds, figures.served.less(figures.inProcess))
            report.add("… of which JSON", .microseconds, figures.writing)
            report.add("… the answer, bytes", .count, Series(values: [Double(figures.bytes)]))
        }
        report.print()
    }

    /// One round: here, then there. What comes back has to be the same, byte by byte.
    private func ask(
        _ asked: [Question.Asked], _ requests: [ByteBuffer], _ client: LoadGenerator, _ round: Int,
        _ figures: inout Figures
    ) async throws {
        var answers: [AnnotatedResult] = []
        let inProcess = try seconds { answers = try asked.map { try $0.answer(of: engine) } }
        var texts: [[UInt8]] = []
        let writing = seconds { texts = answers.map { PrometheusJSON.response($0) } }
        // The first request is not counted: its connection is new.
        let served = try await client.exchange(
            [requests[0]] + requests, connections: 1, keepsAnswers: true)
        guard Array(served.answers.dropFirst()) == texts else {
            throw BenchFailure("over HTTPS the node answers \(asked[0].text) otherwise than the engine here")
        }
        // The first round warms up.
        guard round > 0 else { return }
        figures.inProcess.add(inProcess * 1e6)
        figures.writing.add(writing * 1e6)
        figures.served.add(served.latencyMicroseconds.dropFirst().reduce(0, +))
        figures.bytes = texts.reduce(0) { $0 + $1.count }
    }

    /// As `ledgerd query` sends it.
    private func request(_ asked: Question.Asked, _ token: String) throws -> ByteBuffer {
        var form = [("query", asked.text)]
        if let start = asked.start {
            form += [
                ("start", start.description), ("end", asked.end.description),
                ("step", "\(asked.stepMilliseconds)ms"),
            ]
        } else {
            form.append(("time", asked.end.description))
        }
        let body = try form.map { name, value in
            guard let value = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) else {
                throw BenchFailure("\(value) cannot be sent")
            }
            return "\(name)=\(value)"
        }
        return LoadGenerator.post(
            asked.start == nil ? "/api/v1/query" : "/api/v1/query_range",
            type: "application/x-www-form-urlencoded", fields: "Authorization: Bearer \(token)\r\n",
            body: Array(body.joined(separator: "&").utf8))
    }
}
