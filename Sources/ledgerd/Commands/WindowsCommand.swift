import ArgumentParser
import Foundation
import Ledger

/// `ledgerd windows`: the continuous aggregates that a node keeps, and what their windows amount to.
struct WindowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windows",
        abstract: "List the continuous aggregates of a node, or show the windows of one, or listen to them.",
        discussion: """
            Without a name: which there are. With one: its newest windows, or those that share a moment with the time \
            from --from up to --to. A window is closed once nothing more is expected for it, and said again, with \
            the next revision, if something comes all the same (docs/windows.md). A table shows quantiles and \
            averages to six digits; csv and json have all there are. --follow prints a window a line, each time that it \
            is said, and each in JSON with the position to come back --after.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case csv
        /// The answer of the HTTP API, as it came.
        case json
    }

    @OptionGroup var client: ClientOptions

    @Argument(help: "The name of a continuous aggregate.")
    var name: String?

    @Option(parsing: .unconditional, help: "The first time; the first there is without it.")
    var from: String?

    @Option(parsing: .unconditional, help: "The time up to which; the last there is without it.")
    var to: String?

    @Option(
        parsing: .unconditional,
        help: "How many windows at most, the last ones; 20 without it, --from and --to.")
    var newest: Int?

    @Flag(help: "Print windows as they are said from now on, until the command is ended.")
    var follow = false

    @Option(help: "The position of a window: follow those that were said after it.")
    var after: String?

    @Option(help: "table, csv or json.")
    var format: Format = .table

    func validate() throws {
        if name?.isEmpty ?? false {
            throw ValidationError("The name is empty: `ledgerd windows` lists those that there are.")
        }
        _ = try path()
        guard !follow || (name != nil && from == nil && to == nil && newest == nil && format != .csv) else {
            throw ValidationError("--follow takes a name and, with json or without, --after.")
        }
        guard after == nil || follow else { throw ValidationError("--after goes with --follow.") }
        if let newest, newest < 1 { throw ValidationError("--newest is at least 1.") }
        guard name != nil || (from == nil && to == nil && newest == nil) else {
            throw ValidationError("Name the continuous aggregate whose windows are meant.")
        }
    }

    private func path() throws -> String {
        guard let name else { return "/v1/windows" }
        let span = try TimeArgument.span(from: from, to: to, now: DocumentSender.now())
        var parameters: [(name: String, value: String)] = []
        if let time = span.from { parameters.append(("from", time.description)) }
        if let time = span.to { parameters.append(("to", time.description)) }
        if let count = newest ?? (parameters.isEmpty ? 20 : nil) { parameters.append(("newest", "\(count)")) }
        let query = String(decoding: LedgerClient.body(parameters), as: UTF8.self)
        return "/v1/windows/\(LedgerClient.encoded(name))" + (query.isEmpty ? "" : "?" + query)
    }

    func run() async throws {
        let path = try path()
        let context = try await client.resolve()
        if follow, let name {
            try await WindowListener(context: context, name: name, isJSON: format == .json).run(after: after)
        }
        let json = try await context.withClient(as: .analyst) { client in
            try await client.send(path, limitBytes: Limits.queryAnswerBytes).body
        }
        guard format != .json else {
            print(String(decoding: json, as: UTF8.self))
            return
        }
        do {
            if name == nil {
                showNames(try JSONDecoder().decode(WindowRoutes.Names.self, from: Data(json)).windows)
            } else {
                show(try JSONDecoder().decode(WindowRoutes.Windows.self, from: Data(json)))
            }
        } catch is DecodingError {
            throw CommandFailure(ClientFailure.nonsense("the windows came in another JSON"))
        }
    }

    private func showNames(_ names: [String]) {
        var table = TextTable([TextTable.Column(title: "name")])
        for name in names { table.append([name]) }
        switch format {
        case .table where names.isEmpty:
            Terminal.note("this node keeps no windows: its operator declares them in config.json")
        case .table: print(table.aligned, terminator: "")
        case .csv: print(table.csv, terminator: "")
        case .json: break
        }
    }

    private func show(_ answer: WindowRoutes.Windows) {
        switch format {
        case .table:
            let watermark = answer.watermark.map { "complete up to \($0)" } ?? "no event yet"
            print("\(answer.name): \(watermark), after \(answer.asOf) entries")
            guard !answer.windows.isEmpty else {
                Terminal.note("no windows: check --from and --to")
                return
            }
            print(TextTable(answer.windows, isExact: false).aligned, terminator: "")
        case .csv: print(TextTable(answer.windows, isExact: true).csv, terminator: "")
        case .json: break
        }
        if answer.truncated, newest == nil, from != nil || to != nil {
            Terminal.note("there are more windows: ask for a shorter time, or for more with --newest")
        }
    }
}

extension TextTable {
    /// A window a row.
    ///
    /// - Parameter isExact: whether averages and quantiles keep all their digits.
    init(_ windows: [WindowRoutes.Window], isExact: Bool) {
        let labels = Set(windows.flatMap(\.labels.keys)).sorted()
        let numbers = ["count", "sum", "avg", "min", "max", "p50", "p95", "p99", "revision"]
        self.init(
            ["start", "end"].map { Column(title: $0) } + labels.map { Column(title: $0) }
                + numbers.map { Column(title: $0, alignment: .right) } + [Column(title: "state")])
        func short(_ text: String?) -> String {
            guard let text else { return "" }
            guard !isExact, let value = Double(text) else { return text }
            return String(format: "%.6g", value)
        }
        for window in windows {
            append(
                [window.start, window.end] + labels.map { window.labels[$0] ?? "" } + [
                    "\(window.count)", window.sum, short(window.avg), window.min ?? "", window.max ?? "",
                    short(window.p50), short(window.p95), short(window.p99), "\(window.revision)",
                    window.open ? "open" : "closed",
                ])
        }
    }
}
