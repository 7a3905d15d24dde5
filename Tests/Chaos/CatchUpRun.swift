import Foundation
import Ledger
import TestSupport

/// A node that is away for many entries, and comes back while appends go on.
public struct CatchUpRun: Sendable {
    public struct Plan: Sendable {
        public var nodes: Int
        public var seed: UInt64
        /// Entries that the node misses.
        public var entries: Int
        /// Documents a second while it comes back.
        public var rate: Double

        public init(nodes: Int, seed: UInt64, entries: Int, rate: Double) {
            self.nodes = nodes
            self.seed = seed
            self.entries = entries
            self.rate = rate
        }
    }

    public struct Report: Sendable {
        public internal(set) var findings: [String] = []
        /// Entries a second while it was away.
        public internal(set) var filled = 0.0
        /// Entries that it got after it was started again, until it was level.
        public internal(set) var fetched: UInt64 = 0
        public internal(set) var duration: Duration = .zero
        /// Documents acknowledged meanwhile.
        public internal(set) var appended = 0
        public internal(set) var leveledQueries: Duration = .zero

        public var perSecond: Double { Double(fetched) / duration.inSeconds }
        public var appendedPerSecond: Double { Double(appended) / duration.inSeconds }

        public var text: String {
            let ratio = perSecond / max(appendedPerSecond, 0.001)
            return """
                while the node was away: \(Int(filled)) entries a second
                it got \(fetched) entries in \(duration.text): \(Int(perSecond)) a second, while \
                \(Int(appendedPerSecond)) a second were appended: \((ratio * 10).rounded() / 10) times the rate
                its queries were level \(leveledQueries.text) after it was started
                """
        }
    }

    private let plan: Plan
    private let folder: LedgerFolder
    private let cluster: ProcessCluster
    private let port: LedgerPort
    private let load: Load
    private let history = History()
    private let findings: Findings
    private let say: @Sendable (String) -> Void
    private let patience = Duration.seconds(1800)

    /// - Parameters:
    ///   - directory: where the ledger is made; must not exist.
    ///   - say: what happens, a line each time.
    public static func run(
        _ plan: Plan, in directory: String, say: @escaping @Sendable (String) -> Void
    ) async throws -> Report {
        let run = try await CatchUpRun(plan, in: directory, say: say)
        let report: Result<Report, any Error>
        do { report = .success(try await run.run()) } catch { report = .failure(error) }
        await run.cluster.terminateAll()
        await run.port.close()
        return try report.get()
    }

    private init(_ plan: Plan, in directory: String, say: @escaping @Sendable (String) -> Void) async throws {
        self.plan = plan
        self.say = say
        findings = Findings(say)
        folder = try await LedgerFolder(madeIn: directory, nodes: plan.nodes)
        cluster = try ProcessCluster(folder, findings: findings)
        port = try await LedgerPort(folder)
        load = Load(
            port, try Submitter(folder), policy: folder.policy, nodes: plan.nodes, rate: 10_000,
            seed: plan.seed, history: history, findings: findings)
    }

    private func run() async throws -> Report {
        try await cluster.startAll()
        try await load.openSession(within: .seconds(60))
        async let delivery: Void = load.run()
        do {
            let report = try await measure()
            await delivery
            return try await check(report)
        } catch {
            load.stop()
            load.abandon()
            throw error
        }
    }

    private func measure() async throws -> Report {
        var report = Report()
        // The last node orders in none of the first views.
        let away = cluster.size - 1
        await cluster.kill(away)
        let (start, before) = (history.now, history.acknowledgedCount)
        let target = before + plan.entries
        var shown = start
        while history.acknowledgedCount < target {
            await RealTime.pause(.milliseconds(100))
            guard history.now - shown > .seconds(10) else { continue }
            shown = history.now
            say("[\(Int(shown.inSeconds)) s] \(history.acknowledgedCount) of \(target) entries")
        }
        report.filled = Double(history.acknowledgedCount - before) / (history.now - start).inSeconds
        load.set(rate: plan.rate)
        // What waits is done, and others have caught up, before the time is taken.
        await RealTime.pause(.seconds(5))

        let first = history.now
        try await cluster.start(away)
        guard let begin = await port.health(away) else { throw ChaosFailure("it does not answer") }
        let (began, appended) = (history.now, history.acknowledgedCount)
        say(
            "\(folder.names[away]) serves \((began - first).text) after its start, with \(begin.size) entries"
        )
        let isLevel = await RealTime.wait(patience, every: .milliseconds(50)) {
            let healths = await port.healths()
            guard let own = healths[away]?.size, let most = healths.compactMap({ $0?.size }).max() else {
                return false
            }
            // A block that is on its way to everybody.
            guard own + 8 >= most else { return false }
            report.fetched = own - begin.size
            return true
        }
        guard isLevel else { throw ChaosFailure("it is not level after \(patience.text)") }
        report.duration = history.now - began
        report.appended = history.acknowledgedCount - appended
        _ = await RealTime.wait(patience, every: .milliseconds(100)) {
            guard let health = await port.health(away) else { return false }
            return health.queried + 64 >= health.size
        }
        report.leveledQueries = history.now - first

        // It takes part again: without another, nothing is ordered unless it votes.
        await cluster.kill((away + cluster.size - 1) % cluster.size)
        let alone = history.now
        let votes = await RealTime.wait(.seconds(60)) { history.isAcknowledged(sentAfter: alone) }
        if !votes { findings.add("nothing is ordered with the vote of the node that came back") }
        try await cluster.restore()
        load.stop()
        return report
    }

    private func check(_ measured: Report) async throws -> Report {
        var report = measured
        let size = UInt64(history.sentCount) + 1
        let isLevel = await RealTime.wait(patience) {
            await port.healths().allSatisfy { $0?.size == size && $0?.queried == size }
        }
        if !isLevel { findings.add("the nodes are not level at the end") }
        await cluster.terminateAll()
        for line in HistoryCheck(history.appends).findings { findings.add(line) }
        _ = try await LogCheck(
            folder: folder, appends: history.appends, roots: history.roots, findings: findings
        ).run()
        report.findings = findings.lines
        return report
    }
}
