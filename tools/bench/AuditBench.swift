import Dispatch
import Ledger
import Replication
import Synchronization

/// Entries that are verified per second from a directory.
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
            single.add(try verify(node.log, size, threads: 1))
            bareAll.add(verification.perSecond(threads: Machine.cores))
            all.add(try verify(node.log, size, threads: Machine.cores))
        }
        var report = Report(
            "Verification of \(size) entries on the disk: open at rest, verify, decrypt, validate, hash")
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
            try await withThrowingTaskGroup(of: Void.self) { group in
                for bytes in submissions {
                    let entry = try bench.ledger.check(bytes, state)
                    group.addTask { _ = try await driver.submit(entry) }
                }
                try await group.waitForAll()
            }
        }
    }

    private func verify(_ log: LogStore, _ size: UInt64, threads: Int) throws -> Double {
        let chunk: UInt64 = 500
        let chunks = Int((size + chunk - 1) / chunk)
        let certificate = bench.ledger.submitterCertificate
        let good = Atomic<Int>(0)
        let time = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { thread in
                for number in stride(from: thread, to: chunks, by: threads) {
                    let start = UInt64(number) * chunk
                    let entries =
                        (try? log.entries(EntryIndex(start)..<EntryIndex(min(size, start + chunk)))) ?? []
                    for entry in entries {
                        guard let checked = try? CheckedEntry(reading: entry),
                            checked.entry.statement.isSigned(by: certificate)
                        else { continue }
                        _ = MerkleTree.leafHash(entry.statement)
                        good.add(1, ordering: .relaxed)
                    }
                }
            }
        }
        guard good.load(ordering: .relaxed) == Int(size) else {
            throw BenchFailure("an entry does not verify")
        }
        return Double(size) / time
    }
}
