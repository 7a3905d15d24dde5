import ArgumentParser
import Foundation
import Ledger
import Replication

/// Committees of several sizes, both ways of voting, entries of several sizes.
struct CommitteeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "committee",
        abstract: "Opaque entries per second and latency against the number of nodes, and their size.",
        discussion: """
            All nodes run in this process, on one disk and on the cores that they share with their clients: the figures \
            compare committees, and do not say what as many machines would do. Disks, TLS and signatures are real, the \
            validator is off.
            """)
    @OptionGroup var options: BenchOptions

    @Option(parsing: .upToNextOption, help: "Numbers of nodes.")
    var nodes: [Int] = [1, 4, 7, 10, 16, 31]

    @Option(parsing: .upToNextOption, help: "Bytes of an entry, tried at four nodes.")
    var bytes: [Int] = [256, 1024, 4096, 16384]

    @Flag(help: "Only votes that the primary gathers.")
    var onlyGathered = false

    @Option(help: "Clients of the throughput.")
    var clients = 256

    @Option(help: "Seconds that each load lasts.")
    var seconds = 4

    func validate() throws {
        guard nodes.allSatisfy({ (1...31).contains($0) }) else { throw ValidationError("--nodes is 1 to 31") }
        guard bytes.allSatisfy({ (128...65_536).contains($0) }) else {
            throw ValidationError("--bytes is 128 to 65536")
        }
    }

    func run() async throws {
        try await Workbench.inScratch(options) { directory in
            try await CommitteeBench(command: self, directory: directory).run()
        }
    }
}

struct CommitteeBench {
    let command: CommitteeCommand
    let directory: String

    private struct Figures {
        var rate = Series()
        var latency = Series()
        var processor = Series()
    }

    func run() async throws {
        var bySize = Report("Against the number of nodes: entries of 1 KiB")
        var points: [(nodes: Int, toAll: Double, gathered: Double)] = []
        for count in command.nodes {
            let ledger = try BenchLedger(madeIn: directory + "/ledger\(count)", nodeCount: count)
            let toAll =
                command.onlyGathered
                ? Figures() : try await measure(ledger, gathersVotes: false, byteCount: 1024)
            if !command.onlyGathered { add(toAll, "\(count) nodes, votes to all", to: &bySize) }
            guard count > 1 else { continue }
            let gathered = try await measure(ledger, gathersVotes: true, byteCount: 1024)
            add(gathered, "\(count) nodes, votes gathered", to: &bySize)
            points.append((count, toAll.rate.median, gathered.rate.median))
        }
        bySize.print()
        if points.count > 1 { say(Self.plot(points)) }

        var byBytes = Report("Against the size of an entry: four nodes, votes to all")
        let ledger = try BenchLedger(madeIn: directory + "/ledger", nodeCount: 4)
        for count in command.bytes {
            let figures = try await measure(ledger, gathersVotes: false, byteCount: count)
            add(figures, "\(count) bytes", to: &byBytes)
        }
        byBytes.print()
    }

    private func add(_ figures: Figures, _ name: String, to report: inout Report) {
        report.add("\(name), \(command.clients) clients", .perSecond, figures.rate)
        report.add("… processor time of all, an entry", .microseconds, figures.processor)
        report.add("… one client, median latency", .microseconds, figures.latency)
    }

    private func measure(
        _ ledger: BenchLedger, gathersVotes: Bool, byteCount: Int
    ) async throws -> Figures {
        note(
            "\(ledger.nodes.count) nodes, \(byteCount) bytes, votes \(gathersVotes ? "gathered" : "to all").")
        let entries = try OpaqueEntries(ledger, byteCount: byteCount)
        let path = directory + "/logs"
        let cluster = try await BenchCluster(
            ledger, in: path, validation: entries.validation, gathersVotes: gathersVotes)
        do { _ = try await cluster.drivers[0].submit(entries.make()) } catch {
            for driver in cluster.drivers {
                let status = driver.status
                let connected = status.peers.filter(\.isConnected).count
                note(
                    "view \(status.view), committed \(status.committed), connected \(connected), "
                        + "failed connections \(status.failedConnections)")
            }
            throw error
        }
        var figures = Figures()
        for _ in 1...command.options.rounds {
            let before = Machine.processorSeconds
            let many = try await cluster.load(entries, clients: command.clients, seconds: command.seconds)
            figures.rate.add(many.perSecond)
            figures.processor.add(
                (Machine.processorSeconds - before) / Double(many.latencyMicroseconds.count) * 1e6)
            let one = try await cluster.load(entries, clients: 1, seconds: command.seconds)
            figures.latency.add(one.latencyMicroseconds.percentile(0.5))
        }
        await cluster.stop()
        try FileManager.default.removeItem(atPath: path)
        return figures
    }

    /// A picture for a page in Markdown.
    private static func plot(_ points: [(nodes: Int, toAll: Double, gathered: Double)]) -> String {
        func list(_ values: [Double]) -> String { values.map { "\(Int($0))" }.joined(separator: ", ") }
        return """

            ```mermaid
            xychart-beta
                title "Entries of 1 KiB a second: votes to all (first line), gathered (second)"
                x-axis "nodes" [\(points.map { "\($0.nodes)" }.joined(separator: ", "))]
                y-axis "entries a second"
                line [\(list(points.map(\.toAll)))]
                line [\(list(points.map(\.gathered)))]
            ```
            """
    }
}
