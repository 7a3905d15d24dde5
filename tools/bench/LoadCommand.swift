import ArgumentParser
import Foundation

/// Session documents at one node and nothing else, so that a profiler can watch it.
struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Keep one node under load, and say its process id for perf or strace.")
    @OptionGroup var options: BenchOptions

    @Option(help: "How many documents are on their way at any time.")
    var connections = 64

    @Option(help: "Documents of one round.")
    var documents = 4000

    func validate() throws {
        guard (1...1000).contains(connections), (connections...1_000_000).contains(documents) else {
            throw ValidationError("--connections is 1 to 1000, --documents at least as many, at most 1000000")
        }
    }

    func run() async throws {
        try await Workbench.run(options) { bench in
            let node = try bench.startNode()
            defer { node.stop() }
            let load = try LoadGenerator(port: node.port)
            _ = try await load.send([bench.ledger.session.submission], connections: 1)
            _ = try await load.send(
                bench.ledger.submissions(documents, .session, prefix: "warm"), connections: connections)
            note("The node is process \(node.identifier).")
            var (rate, median, processor) = (Series(), Series(), Series())
            for round in 1...options.rounds {
                let bodies = try bench.ledger.submissions(documents, .session, prefix: "load-\(round)")
                let before = node.processorSeconds
                let result = try await load.send(bodies, connections: connections)
                rate.add(result.perSecond)
                median.add(result.latencyMicroseconds.percentile(0.5))
                processor.add((node.processorSeconds - before) / Double(documents) * 1e6)
            }
            var report = Report("Session documents at one node, \(connections) connections")
            report.add("documents", .perSecond, rate)
            report.add("median latency", .microseconds, median)
            report.add("processor time of the node, a document", .microseconds, processor)
            report.print()
        }
    }
}
