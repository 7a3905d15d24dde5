import ArgumentParser
import Chaos
import Foundation

/// `swift run -c release chaos`: four real nodes under load, while things go wrong.
@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract:
            "Run a ledger of real processes under load while nodes and links fail, then check everything.",
        discussion: """
            Nodes are killed, stopped and restarted; links are cut, slow and lossy; most of the time at most f nodes \
            at once. Afterwards every acknowledged entry is in every log at its index, the logs verify, the queries \
            are equal, and the history is linearizable; or the exit status is 1. The seed decides the schedule; what \
            the processes make of it also depends on the machine.
            """)

    @Option(help: "How long faults go on.")
    var minutes = 5.0
    @Option(help: "Decides what goes wrong when; drawn, and printed, without it.")
    var seed: UInt64?
    @Option(help: "Nodes.")
    var nodes = 4
    @Option(help: "Documents a second.")
    var rate = 25.0
    @Option(help: "Kill the primary so many times, and nothing else.")
    var primary: Int?
    @Option(
        name: .customLong("catch-up"),
        help: "Keep a node away for so many entries, and measure how it comes back while appends go on.")
    var catchUp: Int?
    @Option(help: "Where the throw-away ledger is made; it is removed unless something was found.")
    var scratch = "/tmp"
    @Flag(help: "Print the schedule, and end.")
    var schedule = false

    func validate() throws {
        guard (1...31).contains(nodes) else { throw ValidationError("--nodes is 1 to 31") }
        guard rate > 0, rate <= 1000, minutes > 0, minutes <= 10_000 else {
            throw ValidationError("--rate is over 0 and at most 1000; --minutes over 0 and at most 10000")
        }
    }

    func run() async throws {
        let seed = seed ?? .random(in: 0...UInt64(UInt32.max))
        if let catchUp {
            return try await inScratch { directory in
                let report = try await CatchUpRun.run(
                    .init(nodes: nodes, seed: seed, entries: catchUp, rate: rate), in: directory
                ) { say($0) }
                say(report.text)
                return report.findings
            }
        }
        let episodes: FaultSchedule
        if let primary {
            episodes = FaultSchedule(
                (0..<primary).map { number in
                    Episode(
                        calmMilliseconds: 4_000, lastsMilliseconds: 5_000, [Fault(.kill, .primary)],
                        draw: UInt64(number))
                })
        } else {
            episodes = FaultSchedule(seed: seed, milliseconds: Int(minutes * 60_000), nodes: nodes)
        }
        say("seed \(seed): \(episodes.episodes.count) episodes")
        if schedule {
            for episode in episodes.episodes {
                say("\(episode.calmMilliseconds) ms, then \(episode.lastsMilliseconds) ms: \(episode)")
            }
            return
        }
        var plan = ChaosRun.Plan(seed: seed, schedule: episodes)
        plan.nodes = nodes
        plan.rate = rate
        try await inScratch { [plan] directory in
            let report = try await ChaosRun.run(plan, in: directory) { say($0) }
            say(report.text)
            return report.findings
        }
        say("Everything holds (seed \(seed)).")
    }

    /// - Parameter body: makes its ledger in the directory it is given, and returns what it found.
    /// - Throws: `ExitCode.failure` where there is something; the directory stays then.
    private func inScratch(_ body: (String) async throws -> [String]) async throws {
        let directory = "\(scratch)/ledger-chaos-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let findings = try await body(directory + "/ledger")
        guard findings.isEmpty else {
            say("\(findings.count) findings; the nodes' directories are kept in \(directory)")
            for line in findings { say("  \(line)") }
            throw ExitCode.failure
        }
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Prints at once: standard output into a file is buffered otherwise.
private func say(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
