import Foundation
import Ledger

/// Documents per second and latency at one node, over HTTPS: a real `ledgerd` in a process of its own.
struct DocumentsBench {
    private let bench: Workbench

    /// Documents of one round.
    private enum Count {
        static let alone = 500
        static let many = 4000
        static let sealedToNodes = 300
    }
    private static let connections = 64

    init(_ bench: Workbench) { self.bench = bench }

    func run() async throws {
        try await overHTTPS()
        try await DocumentSteps(bench).run()
    }

    private func overHTTPS() async throws {
        let ledger = bench.ledger
        let floors = try Floors(bench)
        defer { floors.stop() }
        let node = try bench.startNode()
        defer { node.stop() }
        let load = try LoadGenerator(port: node.port)
        _ = try await load.send([ledger.session.submission], connections: 1)
        let document = try ledger.document("documents-0-0", number: 0).xml.utf8.count
        note("Warming up.")
        let warm = try ledger.submissions(Count.many, .session, prefix: "warm")
        _ = try await floors.echoLoad.send(warm, connections: Self.connections)
        _ = try await load.send(warm, connections: Self.connections)

        var figures = Figures()
        for round in 1...bench.rounds {
            note("Round \(round) of \(bench.rounds).")
            let alone = try ledger.submissions(Count.alone, .session, prefix: "alone-\(round)")
            let many = try ledger.submissions(Count.many, .session, prefix: "many-\(round)")
            let sealed = try ledger.submissions(2 * Count.sealedToNodes, .nodes, prefix: "sealed-\(round)")

            let commit = try floors.commit.microseconds(200).percentile(0.5)
            let echoAlone = try await floors.echoLoad.send(alone, connections: 1)
            let nodeAlone = try await load.send(alone, connections: 1)
            let before = (echo: floors.echo.processorSeconds, node: node.processorSeconds)
            let echoMany = try await floors.echoLoad.send(many, connections: Self.connections)
            let nodeMany = try await load.send(many, connections: Self.connections)
            let used = (
                echo: floors.echo.processorSeconds - before.echo, node: node.processorSeconds - before.node
            )
            let sealedAlone = try await load.send(Array(sealed.prefix(Count.sealedToNodes)), connections: 1)
            let sealedMany = try await load.send(
                Array(sealed.dropFirst(Count.sealedToNodes)), connections: Self.connections)

            figures.commit.add(commit)
            figures.echoAlone.add(echoAlone)
            figures.alone.add(nodeAlone)
            figures.echoMany.add(echoMany)
            figures.many.add(nodeMany)
            figures.echoProcessor.add(used.echo / Double(many.count) * 1e6)
            figures.nodeProcessor.add(used.node / Double(many.count) * 1e6)
            figures.sealedAlone.add(sealedAlone)
            figures.sealedMany.add(sealedMany)
            figures.aloneFloor.add(2 * commit + echoAlone.latencyMicroseconds.percentile(0.5))
            figures.verification.add(floors.verification.perSecond(threads: Machine.cores))
        }
        figures.report(
            submissionBytes: warm[0].count, documentBytes: document, connections: Self.connections
        ).print()
    }
}

/// What the rounds brought.
private struct Figures {
    struct Load {
        var perSecond = Series()
        var median = Series()
        var worst = Series()

        mutating func add(_ result: LoadGenerator.Result) {
            perSecond.add(result.perSecond)
            median.add(result.latencyMicroseconds.percentile(0.5))
            worst.add(result.latencyMicroseconds.percentile(0.99))
        }
    }

    var commit = Series()
    var verification = Series()
    /// Two durable commits and one round trip.
    var aloneFloor = Series()
    var echoAlone = Load()
    var echoMany = Load()
    /// Microseconds of the server's processor time a document, from many connections.
    var echoProcessor = Series()
    var nodeProcessor = Series()
    var alone = Load()
    var many = Load()
    var sealedAlone = Load()
    var sealedMany = Load()

    func report(submissionBytes: Int, documentBytes: Int, connections: Int) -> Report {
        var report = Report(
            "Documents of \(documentBytes) bytes (\(submissionBytes) signed and sealed), one node over HTTPS")
        let echo = "HTTPS echo of the same bytes"
        report.add(
            "session documents, \(connections) connections", .perSecond, many.perSecond,
            floor: (echo, echoMany.perSecond))
        report.add("… median latency", .microseconds, many.median, floor: (echo, echoMany.median))
        report.add("… 99th percentile", .microseconds, many.worst, floor: (echo, echoMany.worst))
        report.add(
            "… processor time of the server, a document", .microseconds, nodeProcessor,
            floor: (echo, echoProcessor))
        report.add(
            "session documents, 1 connection", .perSecond, alone.perSecond, floor: (echo, echoAlone.perSecond)
        )
        report.add(
            "… median latency", .microseconds, alone.median,
            floor: ("two durable commits and one echo", aloneFloor))
        report.add("… 99th percentile", .microseconds, alone.worst, floor: (echo, echoAlone.worst))
        report.add(
            "documents sealed to the node, \(connections) connections", .perSecond, sealedMany.perSecond,
            floor: (echo, echoMany.perSecond))
        report.add("documents sealed to the node, 1 connection", .perSecond, sealedAlone.perSecond)
        report.add(
            "… median latency", .microseconds, sealedAlone.median,
            floor: ("two durable commits and one echo", aloneFloor))
        report.add("one durable commit, median", .microseconds, commit)
        report.add("RSA-3072 verification, \(Machine.cores) threads", .perSecond, verification)
        return report
    }
}
