import ArgumentParser
import Foundation
import Ledger
import Replication

/// Four nodes beside etcd, in the same rounds.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Four nodes beside three of etcd: entries per second and latency.",
        discussion: """
            Ordering alone: opaque entries of 1 KiB, brought by clients in the process of the nodes, with the validator \
            off. The whole path: session documents over HTTPS to four processes, signatures, XML and aggregates \
            included. etcd (Debian's etcd-server) gets values of 1 KiB from h2load (nghttp2-client).
            """)
    @OptionGroup var options: BenchOptions

    @Option(help: "Seconds that each load of opaque entries lasts.")
    var seconds = 4

    @Option(parsing: .upToNextOption, help: "Clients of the ordering alone, and of etcd.")
    var clients: [Int] = [1, 64, 256, 1000]

    @Option(parsing: .upToNextOption, help: "Connections of the whole path.")
    var connections: [Int] = [1, 64, 256, 1000]

    @Flag(help: "The ordering alone, without the peer and the whole path: for a profiler.")
    var orderingOnly = false

    @Flag(help: "The whole path alone, likewise.")
    var documentsOnly = false

    @Option(help: "Bring opaque entries to this node alone (0 is the first primary), not to all in turn.")
    var node: Int?

    func validate() throws {
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds is 1 to 600") }
        guard (clients + connections).allSatisfy({ (1...1000).contains($0) }), !clients.isEmpty,
            !connections.isEmpty
        else { throw ValidationError("--clients and --connections are 1 to 1000") }
        guard node.map({ (0..<ClusterBench.nodeCount).contains($0) }) ?? true else {
            throw ValidationError("--node is 0 to \(ClusterBench.nodeCount - 1)")
        }
        if !orderingOnly, !documentsOnly, let reason = EtcdPeer.isMissing { throw ValidationError(reason) }
    }

    func run() async throws {
        try await Workbench.inScratch(options) { directory in
            let bench = ClusterBench(command: self, directory: directory)
            if orderingOnly {
                try await bench.runOrdering()
            } else if documentsOnly {
                try await bench.runDocuments()
            } else {
                try await bench.run()
            }
        }
    }
}

struct ClusterBench {
    let command: ClusterCommand
    let directory: String

    static let nodeCount = 4
    private static let entryBytes = 1024

    func runOrdering() async throws {
        let ledger = try BenchLedger(madeIn: directory + "/ledger", nodeCount: Self.nodeCount)
        let entries = try OpaqueEntries(ledger, byteCount: Self.entryBytes)
        let cluster = try await open(ledger, entries)
        var report = Report(
            "Opaque entries of \(Self.entryBytes) bytes at \(Self.nodeCount) nodes in one process")
        for clients in command.clients {
            var (rate, median, processor, batch) = (Series(), Series(), Series(), Series())
            for _ in 1...command.options.rounds {
                let before = Machine.processorSeconds
                let height = cluster.drivers[0].published.header.height.value
                let result = try await cluster.load(
                    entries, clients: clients, seconds: command.seconds, node: command.node)
                rate.add(result.perSecond)
                median.add(result.latencyMicroseconds.percentile(0.5))
                processor.add(
                    (Machine.processorSeconds - before) / Double(result.latencyMicroseconds.count) * 1e6)
                let blocks = cluster.drivers[0].published.header.height.value - height
                batch.add(Double(result.latencyMicroseconds.count) / Double(max(blocks, 1)))
            }
            report.add("\(clients) clients", .perSecond, rate)
            report.add("… median latency", .microseconds, median)
            report.add("… processor time of all nodes and clients, an entry", .microseconds, processor)
            report.add("… entries in a block", .count, batch)
        }
        await cluster.stop()
        report.print()
    }

    func runDocuments() async throws {
        var figures = Figures(clients: [], connections: command.connections)
        let path = try await WholePath(in: directory)
        defer { path.stop() }
        note("The nodes are processes \(path.processes.map { "\($0.identifier)" }.joined(separator: ", ")).")
        for round in 1...command.options.rounds {
            try await measure(path, round, &figures)
        }
        figures.printDocuments()
    }

    func run() async throws {
        var figures = Figures(clients: command.clients, connections: command.connections)
        let path = try await WholePath(in: directory)
        defer { path.stop() }
        let entries = try OpaqueEntries(path.ledger, byteCount: Self.entryBytes)
        let cluster = try await open(path.ledger, entries)
        let etcd = try EtcdPeer(in: directory + "/etcd", valueBytes: Self.entryBytes)
        defer { etcd.stop() }

        note("Warming up.")
        _ = try etcd.load(clients: 64, count: 5000)
        _ = try await cluster.load(entries, clients: 64, seconds: command.seconds, node: command.node)
        for round in 1...command.options.rounds {
            note("Round \(round) of \(command.options.rounds).")
            for (position, clients) in command.clients.enumerated() {
                // As many as take some seconds.
                let peer = try etcd.load(clients: clients, count: clients == 1 ? 2000 : 20_000)
                figures.etcd[position].add(peer.perSecond, peer.latencyMicroseconds)
                let own = try await cluster.load(
                    entries, clients: clients, seconds: command.seconds, node: command.node)
                figures.opaque[position].add(own.perSecond, own.latencyMicroseconds)
            }
            try await measure(path, round, &figures)
        }
        await cluster.stop()
        figures.print()
    }

    private func measure(_ path: WholePath, _ round: Int, _ figures: inout Figures) async throws {
        for (position, connections) in command.connections.enumerated() {
            let bodies = try path.ledger.submissions(
                connections == 1 ? 300 : 6000, .session, prefix: "r\(round)-\(connections)")
            let before = path.processorSeconds
            let result = try await path.load.send(bodies, connections: connections)
            figures.documents[position].add(result.perSecond, result.latencyMicroseconds)
            figures.processor[position].add((path.processorSeconds - before) / Double(bodies.count) * 1e6)
        }
    }

    private func open(_ ledger: BenchLedger, _ entries: OpaqueEntries) async throws -> BenchCluster {
        let cluster = try await BenchCluster(
            ledger, in: directory + "/opaque", validation: entries.validation)
        _ = try await cluster.drivers[0].submit(entries.make())
        return cluster
    }
}

/// Four real nodes, warm, with a session in force.
private struct WholePath {
    let ledger: BenchLedger
    let processes: [ServerProcess]
    let load: LoadGenerator

    init(in directory: String) async throws {
        let base = try FreePorts.base(offsets: (1...ClusterBench.nodeCount).flatMap { [$0, 100 + $0] })
        ledger = try BenchLedger(
            madeIn: directory + "/ledger", nodeCount: ClusterBench.nodeCount, basePort: base)
        processes = try ledger.nodes.map {
            try ServerProcess("ledgerd", ["serve", "--directory", $0.directory])
        }
        load = try LoadGenerator(ports: processes.map(\.port))
        _ = try await load.send([ledger.session.submission], connections: 1)
        _ = try await load.send(ledger.submissions(1000, .session, prefix: "warm"), connections: 64)
    }

    var processorSeconds: Double { processes.map(\.processorSeconds).reduce(0, +) }

    func stop() {
        for process in processes { process.stop() }
    }
}

/// What the rounds brought.
private struct Figures {
    struct Load {
        var perSecond = Series()
        var median = Series()

        mutating func add(_ perSecond: Double, _ latencies: [Double]) {
            self.perSecond.add(perSecond)
            median.add(latencies.percentile(0.5))
        }
    }

    let clients: [Int]
    let connections: [Int]
    var etcd: [Load]
    var opaque: [Load]
    var documents: [Load]
    /// Of all four servers, a document.
    var processor: [Series]

    init(clients: [Int], connections: [Int]) {
        self.clients = clients
        self.connections = connections
        etcd = clients.map { _ in Load() }
        opaque = etcd
        documents = connections.map { _ in Load() }
        processor = connections.map { _ in Series() }
    }

    /// Round by round, at whichever number of clients it was best.
    private var etcdBest: Series {
        Series(
            values: (etcd.first?.perSecond.values.indices ?? 0..<0).map { round in
                etcd.map { $0.perSecond.values[round] }.max() ?? .nan
            })
    }

    func print() {
        let best = etcdBest
        let ownBest = Series(
            values: best.values.indices.map { round in
                opaque.map { $0.perSecond.values[round] }.max() ?? .nan
            })
        var ordering = Report("Ordering alone: opaque entries of 1 KiB, validator off, four nodes, durable")
        for (position, clients) in clients.enumerated() {
            ordering.add(
                "\(clients) clients", .perSecond, opaque[position].perSecond,
                floor: ("etcd, as many clients", etcd[position].perSecond))
            ordering.add(
                "… median latency", .microseconds, opaque[position].median,
                floor: ("etcd, as many clients", etcd[position].median))
        }
        ordering.add("the best of them", .perSecond, ownBest, floor: ("etcd's best", best))
        ordering.print()
        printDocuments()
    }

    func printDocuments() {
        let best = etcdBest
        let documentsBest = Series(
            values: (documents.first?.perSecond.values.indices ?? 0..<0).map { round in
                documents.map { $0.perSecond.values[round] }.max() ?? .nan
            })
        let floor = best.values.isEmpty ? nil : ("etcd's best", best)
        var whole = Report("The whole path: session documents over HTTPS, four processes, durable")
        for (position, connections) in connections.enumerated() {
            whole.add(
                "\(connections) connections", .perSecond, documents[position].perSecond, floor: floor)
            whole.add("… median latency", .microseconds, documents[position].median)
            whole.add("… processor time of all four, a document", .microseconds, processor[position])
        }
        whole.add("the best of them", .perSecond, documentsBest, floor: floor)
        whole.print()
    }
}
