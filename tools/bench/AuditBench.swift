import Foundation
import Ledger
import Replication

/// Entries that `Audit` verifies per second from a directory.
struct AuditBench {
    private let bench: Workbench
    private static let entries = 20_000

    init(_ bench: Workbench) { self.bench = bench }

    func run() async throws {
        let node = try await bench.ledger.open(in: bench.directory + "/audit")
        note("Making \(Self.entries) entries to audit.")
        try await fill(node.driver)
        let size = node.driver.published.size
        let verification = try BareVerification(pem: bench.ledger.submitterKeyPEM)
        var (single, all, bareSingle, bareAll) = (Series(), Series(), Series(), Series())
        for _ in 0..<bench.rounds {
            bareSingle.add(verification.perSecond(threads: 1))
            single.add(try await audit(node.log, size, threads: 1))
            bareAll.add(verification.perSecond(threads: Machine.cores))
            all.add(try await audit(node.log, size, threads: Machine.cores))
        }
        var report = Report(
            "Audit of \(size) entries in \(node.driver.published.header.height) blocks, every check of `ledgerd verify`"
        )
        report.add("entries, 1 thread", .perSecond, single, floor: ("bare RSA-3072 verification", bareSingle))
        report.add(
            "entries, \(Machine.cores) threads", .perSecond, all,
            floor: ("bare RSA-3072 verification", bareAll))
        report.print()
    }

    private func fill(_ driver: ReplicaDriver) async throws {
        for part in 0..<Self.entries / 1000 {
            let state = driver.published.state
            let submissions = try bench.ledger.submissions(1000, .session, prefix: "audit-\(part)")
            let entries = try submissions.map { try bench.ledger.check($0, state) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for entry in entries {
                    group.addTask { _ = try await driver.submit(entry) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func audit(_ log: LogStore, _ size: UInt64, threads: Int) async throws -> Double {
        let audit = try Audit(genesis: bench.ledger.genesisBytes, source: LogAuditSource(log))
        let threads = AuditThreads(threads)
        defer { threads.stop() }
        let start = ContinuousClock.now
        let report = try await withTaskExecutorPreference(threads) { try await audit.run() }
        let time = (ContinuousClock.now - start).seconds
        guard report.isClean, report.entries == size, report.examined == size else {
            throw BenchFailure("the audit found \(report.faults)")
        }
        return Double(size) / time
    }
}

/// So many threads and no more, for an audit and every task that it starts.
///
/// `@unchecked Sendable`: the queue is only touched under its lock.
private final class AuditThreads: TaskExecutor, @unchecked Sendable {
    private let lock = NSCondition()
    private var queue: [UnownedJob] = []
    private var isStopped = false

    init(_ count: Int) {
        for _ in 0..<count { Thread { [self] in work() }.start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        lock.withLock {
            queue.append(job)
            lock.signal()
        }
    }

    func stop() {
        lock.withLock {
            isStopped = true
            lock.broadcast()
        }
    }

    private func work() {
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        lock.withLock {
            while queue.isEmpty, !isStopped { lock.wait() }
            return queue.isEmpty ? nil : queue.removeFirst()
        }
    }
}
