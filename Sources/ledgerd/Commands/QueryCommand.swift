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

    @Argument(help: "The expression, such as 'sum by (test_result) (test_cases)'.")
    var expression: String

    @Option(parsing: .unconditional, help: "When a range begins.")
    var from: String?

    @Option(parsing: .unconditional, help: "When a range ends, or the time of an instant; now without it.")
    var to: String?

    @Option(help: "Between the times of a range, such as 5m; about a hundred without it.")
    var step: String?

    @Option(help: "How far back a sample still counts.")
    var lookback = "1d"

    @Option(help: "table, csv, json or plot.")
    var format: Format = .table

    /// Times that are asked for, in milliseconds.
    struct Times: Equatable {
        let start: Timestamp?
        let end: Timestamp
        let stepMilliseconds: Int64
    }

    /// - Throws: `ValidationError`.
    func times(now: Timestamp) throws -> Times {
        func time(_ name: String, _ text: String?) throws -> Timestamp? {
            try text.map { text in
                guard let time = TimeArgument.parse(text, now: now) else {
                    throw ValidationError(
                        "\(name) “\(text)” is not a time: RFC 3339, seconds since 1970, now or -2h.")
                }
                return time
            }
        }
        let end = try time("--to", to) ?? now
        var start = try time("--from", from)
        // A plot of one instant would be a dot.
        if start == nil, step != nil || format == .plot { start = end.advanced(byMilliseconds: -86_400_000) }
        guard let start else { return Times(start: nil, end: end, stepMilliseconds: 0) }
        guard start <= end else { throw ValidationError("--from is after --to.") }
        let steps = try step.map { text in
            guard let step = TimeArgument.duration(text) else {
                throw ValidationError("--step “\(text)” is not a duration such as 5m.")
            }
            return step
        }
        let usual = max(1000, (end.milliseconds - start.milliseconds) / 100 / 1000 * 1000)
        return Times(start: start, end: end, stepMilliseconds: steps ?? usual)
    }

    func validate() throws {
        _ = try times(now: DocumentSender.now())
        guard TimeArgument.duration(lookback) != nil else {
            throw ValidationError("--lookback “\(lookback)” is not a duration such as 1d.")
        }
    }

    func run() async throws {
        let times = try times(now: DocumentSender.now())
        var form = [
            ("query", expression), ("lookback_delta", Self.seconds(TimeArgument.duration(lookback) ?? 0)),
        ]
        if let start = times.start {
            form += [
                ("start", Self.seconds(start.milliseconds)), ("end", Self.seconds(times.end.milliseconds)),
                ("step", Self.seconds(times.stepMilliseconds)),
            ]
        } else {
            form.append(("time", Self.seconds(times.end.milliseconds)))
        }
        let path = times.start == nil ? "/api/v1/query" : "/api/v1/query_range"
        let json = try await client.resolve().withClient(as: .analyst) { [form] client in
            try await client.query(path, form)
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

    /// `1763806500.250`: exact, which a floating-point number of milliseconds would be, too, and shorter to read.
    static func seconds(_ milliseconds: Int64) -> String {
        let magnitude = milliseconds.magnitude
        let fraction = String(1000 + magnitude % 1000).dropFirst()
        return "\(milliseconds < 0 ? "-" : "")\(magnitude / 1000).\(fraction)"
    }
}
