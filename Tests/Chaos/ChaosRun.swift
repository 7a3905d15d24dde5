import Foundation
import Ledger
import Synchronization
import TestSupport

/// A ledger of real processes under load while its nodes and links fail, and what is left of it afterwards.
public final class ChaosRun: Sendable {
    public struct Plan: Sendable {
        public var nodes = 4
        public var seed: UInt64
        /// Documents a second.
        public var rate = 25.0
        public var schedule: FaultSchedule
        /// How long nothing may be acknowledged while a quorum is well and connected.
        public var stall = Duration.seconds(30)
        /// How long the ledger may take to go on, or to be level, when everything is well again.
        public var patience = Duration.seconds(60)

        public init(seed: UInt64, schedule: FaultSchedule) {
            self.seed = seed
            self.schedule = schedule
        }
    }

    private let plan: Plan
    private let folder: LedgerFolder
    private let cluster: ProcessCluster
    private let mesh: LinkMesh
    private let port: LedgerPort
    private let load: Load
    private let readers: Readers
    private let history = History()
    private let findings: Findings
    private let say: @Sendable (String) -> Void
    private let now = Mutex(Doing())

    /// For the heartbeat.
    private struct Doing: Sendable {
        var text = "starting"
        var isOver = false
        var episode = 0
    }

    /// - Parameters:
    ///   - directory: where the ledger is made; must not exist.
    ///   - say: what happens, a line each time.
    public static func run(
        _ plan: Plan, in directory: String, say: @escaping @Sendable (String) -> Void
    ) async throws -> ChaosReport {
        let run = try await ChaosRun(plan, in: directory, say: say)
        return try await run.run()
    }

    private init(_ plan: Plan, in directory: String, say: @escaping @Sendable (String) -> Void) async throws {
        self.plan = plan
        self.say = say
        findings = Findings(say)
        folder = try await LedgerFolder(madeIn: directory, nodes: plan.nodes)
        let folder = folder
        mesh = try await LinkMesh(targets: (0..<plan.nodes).map(folder.peerPort), seed: plan.seed)
        cluster = try ProcessCluster(folder, mesh: mesh, findings: findings)
        port = try await LedgerPort(folder)
        load = Load(
            port, try Submitter(folder), policy: folder.policy, nodes: plan.nodes, rate: plan.rate,
            seed: plan.seed, history: history, findings: findings)
        readers = Readers(
            port, policy: folder.policy, nodes: plan.nodes, seed: plan.seed, patience: plan.stall,
            history: history, findings: findings)
    }

    private func run() async throws -> ChaosReport {
        var report = ChaosReport()
        let outcome: Result<ChaosReport, any Error>
        do {
            try await perform(&report)
            outcome = .success(report)
        } catch { outcome = .failure(error) }
        quit()
        await cluster.terminateAll()
        await port.close()
        return try outcome.get()
    }

    private func quit() {
        now.withLock { $0.isOver = true }
        load.stop()
        load.abandon()
        readers.stop()
    }

    private func perform(_ report: inout ChaosReport) async throws {
        try await cluster.startAll()
        try await load.openSession(within: plan.patience)
        guard await isLevel(plan.patience, { $0 >= 1 }) else {
            throw ChaosFailure("the session did not reach every node")
        }
        async let beating: Void = beat()
        do {
            try await trouble(&report)
            try await check(&report)
        } catch {
            quit()
            throw error
        }
        now.withLock { $0.isOver = true }
        await beating
        measure(&report)
    }

    /// Goes through the schedule under load, until every document has its receipt.
    private func trouble(_ report: inout ChaosReport) async throws {
        let begin = history.now
        async let delivery: Void = load.run()
        async let reading: Void = readers.run()
        do {
            for (number, episode) in plan.schedule.episodes.enumerated() {
                now.withLock { $0.episode = number + 1 }
                report.episodes.append(try await pass(episode))
            }
        } catch {
            quit()
            throw error
        }
        doing("draining")
        load.stop()
        let drained = await RealTime.wait(plan.patience) { load.underWay == 0 }
        if !drained {
            findings.add("\(load.underWay) documents got no receipt when everything was well again")
        }
        load.abandon()
        readers.stop()
        await delivery
        await reading
        report.duration = history.now - begin
    }

    /// Compares what is left of it, when the nodes are level and have ended.
    private func check(_ report: inout ChaosReport) async throws {
        doing("waiting for level")
        let healed = history.now
        let size = UInt64(history.sentCount) + 1
        let level = await isLevel(plan.patience, { $0 == size })
        report.leveled = history.now - healed
        if !level {
            findings.add("the nodes are not level after \(report.leveled.text): \(await describe())")
        }
        report.lastView = await port.healths().compactMap { $0?.currentView }.max() ?? 0
        for (node, health) in await port.healths().enumerated() {
            for line in health?.evidence ?? [] {
                findings.add("\(folder.names[node]) holds evidence of a lie where nobody lied: \(line)")
            }
        }
        report.peakBytes = cluster.peaks
        doing("stopping")
        await cluster.terminateAll()

        doing("checking")
        for line in HistoryCheck(history.appends).findings { findings.add(line) }
        let check = LogCheck(
            folder: folder, appends: history.appends, roots: history.roots, findings: findings)
        (report.entries, report.queryDigest) = try await check.run()
    }

    // MARK: Faults

    private func pass(_ episode: Episode) async throws -> ChaosReport.Passed {
        doing("calm")
        await RealTime.pause(.milliseconds(episode.calmMilliseconds))
        let primary = await primary()
        let nodes = episode.nodes(primary: primary, of: cluster.size)
        let isBeyond = nodes.count > (cluster.size - 1) / 3
        let names = nodes.map { folder.names[$0] }.joined(separator: ", ")
        doing(episode.description + (names.isEmpty ? "" : " (\(names))"))

        readers.excuse(Set(nodes))
        let began = history.now
        for from in 0..<cluster.size {
            for to in 0..<cluster.size where from != to {
                mesh.set(condition(episode, nodes, from, to), from: from, to: to)
            }
        }
        for (fault, node) in zip(episode.faults, nodes) {
            switch fault.kind {
            case .kill: await cluster.kill(node)
            case .restart: await cluster.terminate(node)
            case .pause: await cluster.pause(node)
            case .cutOff, .silence, .deaf, .mute, .brokenLink: break
            }
        }
        await RealTime.pause(.milliseconds(episode.lastsMilliseconds) - (history.now - began))

        mesh.heal()
        try await cluster.restore()
        let ended = history.now
        readers.excuse([])
        doing("healed")
        if !(await RealTime.wait(plan.patience, until: { history.isAcknowledged(sentAfter: ended) })) {
            findings.add("nothing was acknowledged \(plan.patience.text) after the end of: \(episode)")
        }
        return ChaosReport.Passed(
            episode: episode, nodes: nodes, began: began, ended: ended, isBeyond: isBeyond)
    }

    /// What an episode makes of one direction.
    private func condition(
        _ episode: Episode, _ nodes: [Int], _ from: Int, _ to: Int
    ) -> LinkCondition {
        var condition = episode.network
        for (fault, node) in zip(episode.faults, nodes) where from == node || to == node {
            switch fault.kind {
            case .kill, .restart, .pause: break
            case .cutOff: condition.cut = .closed
            case .silence: condition.cut = .silent
            case .deaf: if to == node { condition.cut = .silent }
            case .mute: if from == node { condition.cut = .silent }
            case .brokenLink:
                let other = (node + 1 + Int(episode.draw >> 8) % (cluster.size - 1)) % cluster.size
                guard from == other || to == other else { break }
                condition.cut = episode.draw >> 16 & 1 == 0 ? .closed : .silent
            }
        }
        return condition
    }

    // MARK: How the nodes are

    /// As the node in the highest view sees it.
    private func primary() async -> Int {
        let newest = await port.healths().compactMap { $0 }.max { $0.currentView < $1.currentView }
        return newest.flatMap { folder.names.firstIndex(of: $0.primary) } ?? 0
    }

    private func isLevel(_ limit: Duration, _ fits: @Sendable (UInt64) -> Bool) async -> Bool {
        await RealTime.wait(limit) {
            await port.healths().allSatisfy { health in
                guard let health else { return false }
                return fits(health.size) && health.queried == health.size
            }
        }
    }

    private func describe() async -> String {
        let healths = await port.healths()
        return zip(folder.names, healths).map { name, health in
            guard let health else { return "\(name) is away" }
            return
                "\(name) has \(health.size) (queries \(health.queried)), view \(health.currentView)\(health.isChangingView ? "?" : "")"
        }.joined(separator: "; ")
    }

    private func doing(_ text: String) { now.withLock { $0.text = text } }

    /// A line in ten seconds.
    private func beat() async {
        var ticks = 0
        while !now.withLock({ $0.isOver }) {
            await RealTime.pause(.milliseconds(500))
            ticks += 1
            guard ticks % 20 == 0 else { continue }
            let doing = now.withLock { $0 }
            say(
                "[\(Int(history.now.inSeconds)) s, episode \(doing.episode) of \(plan.schedule.episodes.count)] "
                    + "\(history.acknowledgedCount) acknowledged, \(load.underWay) under way, "
                    + "\(history.failureCount) failed attempts; \(await describe()); \(doing.text)")
        }
    }

    // MARK: Figures

    private func measure(_ report: inout ChaosReport) {
        let times = history.acknowledgements
        let appends = history.appends
        let gaps = zip(times, times.dropFirst()).map { ($0, $1) }
        for index in report.episodes.indices {
            let passed = report.episodes[index]
            // A gap belongs to the episode in which it began, or which began in it.
            report.episodes[index].longestGap =
                gaps.filter { $0.1 > passed.began && $0.0 < passed.ended }.map { $0.1 - $0.0 }.max() ?? .zero
            report.episodes[index].firstAcknowledgement = appends.lazy.filter { $0.sent > passed.began }
                .compactMap(\.acknowledged).min().map { $0 - passed.began }
            report.episodes[index].resumed = appends.lazy.filter { $0.sent > passed.ended }
                .compactMap(\.acknowledged).min().map { $0 - passed.ended }
            if !passed.isBeyond, report.episodes[index].longestGap > plan.stall {
                findings.add(
                    "nothing was acknowledged for \(report.episodes[index].longestGap.text) in: \(passed.episode)"
                )
            }
        }
        report.calmLatencies = appends.compactMap { append in
            guard let end = append.acknowledged else { return nil }
            let isCalm = !report.episodes.contains {
                $0.began < end && $0.ended + .seconds(2) > append.sent
            }
            return isCalm ? end - append.sent : nil
        }
        report.documents = times.count
        report.attempts = history.attempts
        report.heldBack = history.heldBack
        report.reads = history.reads
        report.failures = history.failures
        report.findings = findings.lines
    }
}
