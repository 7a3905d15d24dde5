import ArgumentParser
import Foundation
import Ledger

/// `ledgerd query`: a PromQL expression at one time, or over a range.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask a PromQL expression: now, at a time, or over a range.",
        discussion: """
            With --from or --step the expression is computed at every step from --from to --to. Times are RFC 3339, \
            seconds since 1970, now, or -2h. The command looks back a day for the newest sample, since KPI events are \
            sparse.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case csv
        /// The answer of the HTTP API, as it came.
        case json
        /// In the terminal.
        case plot
    }

    @OptionGroup var client: ClientOptions

    @OptionGroup var question: QuestionOptions

    @Option(help: "table, csv, json or plot.")
    var format: Format = .table

    func validate() throws { _ = try asked() }

    private func asked() throws -> (isRange: Bool, form: [(name: String, value: String)]) {
        let now = DocumentSender.now()
        // A plot of one instant would be a dot.
        let times = try question.times(now: now, isRange: format == .plot)
        return (times.start != nil, try question.form(times, now: now))
    }

    func run() async throws {
        let (isRange, form) = try asked()
        let path = isRange ? "/api/v1/query_range" : "/api/v1/query"
        let json = try await client.resolve().withClient(as: .analyst) { client in
            try await WaitingLine.during(mostSeconds: Limits.querySeconds) {
                try await client.query(path, form)
            }
        }
        try show(json)
    }

    private func show(_ json: [UInt8]) throws {
        guard format != .json else {
            print(String(decoding: json, as: UTF8.self))
            return
        }
        let answer: QueryAnswer
        do { answer = try JSONDecoder().decode(QueryAnswer.self, from: Data(json)) } catch {
            throw CommandFailure(ClientFailure.nonsense("the query interface spoke another JSON"))
        }
        if let remarks = try? JSONDecoder().decode(QueryRemarks.self, from: Data(json)) {
            for text in remarks.warnings ?? [] { Terminal.warn(Printable.line(text)) }
            for text in remarks.infos ?? [] { Terminal.note(Printable.line(text)) }
        }
        let isRange = if case .matrix = answer { true } else { false }
        switch format {
        case .csv: print(TextTable(answer, withTime: true).csv, terminator: "")
        case .table where answer.series.isEmpty, .plot where answer.series.isEmpty:
            Terminal.note("no data: check the name, the times and --lookback")
        case .table: print(TextTable(answer, withTime: isRange).aligned, terminator: "")
        case .plot:
            let size = Terminal.size()
            // Room for the prompt and the legend.
            let lines = max(10, min(size.lines - 2 - min(answer.series.count, Limits.plotSeries), 30))
            print(Plot(columns: size.columns, lines: lines).draw(answer.series), terminator: "")
        case .json: break
        }
    }
}
