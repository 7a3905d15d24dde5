import ArgumentParser

/// `swift run -c release bench`: what a node does in a second, each figure beside what the machine can do at best.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a node against the floors of the machine it runs on.",
        discussion: """
            Prints tables in Markdown. Every ratio is of two figures of one round, taken one after the other, because \
            machines are shared and noisy; the tables give the median over the rounds, with minimum and maximum.
            """,
        subcommands: [
            AllCommand.self, DocumentsCommand.self, AuditCommand.self, QueriesCommand.self,
            GrowthCommand.self, ClusterCommand.self, CommitteeCommand.self, FloorsCommand.self,
            LoadCommand.self, EchoCommand.self,
        ],
        defaultSubcommand: AllCommand.self)
}

struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Everything, in a few minutes.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        try await Workbench.run(options) { bench in
            try await DocumentsBench(bench).run()
            try await AuditBench(bench).run()
            try await QueriesBench(
                directory: bench.directory, events: 1_000_000, rounds: options.rounds, withPeers: false
            ).run()
        }
    }
}

struct DocumentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "documents",
        abstract: "Documents per second and latency at one node, and where the time goes.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        try await Workbench.run(options) { bench in try await DocumentsBench(bench).run() }
    }
}

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Entries that an audit verifies per second.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        try await Workbench.run(options) { bench in try await AuditBench(bench).run() }
    }
}

struct QueriesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queries",
        abstract:
            "KPI events per second into the query store, their size, and questions: beside other engines, over HTTPS."
    )
    @OptionGroup var options: BenchOptions

    @Option(help: "How many events.")
    var events = 10_000_000

    @Flag(inversion: .prefixedNo, help: "Ask DuckDB and SQLite the same (python3 with `pip install duckdb`).")
    var peers = true

    func run() async throws {
        try await Workbench.inScratch(options) { directory in
            try await QueriesBench(
                directory: directory, events: events, rounds: options.rounds, withPeers: peers
            ).run()
        }
    }
}

struct FloorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floors", abstract: "The floors alone: what this machine can do at best.")
    @OptionGroup var options: BenchOptions

    func run() async throws {
        try await Workbench.run(options) { bench in try await FloorsBench(bench).run() }
    }
}

struct BenchOptions: ParsableArguments {
    @Option(help: "How often each figure is taken.")
    var rounds = 5

    @Option(help: "Where the throw-away ledger is made: on the disk that is to be measured.")
    var scratch = "/tmp"

    func validate() throws {
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is 1 to 100") }
    }
}
