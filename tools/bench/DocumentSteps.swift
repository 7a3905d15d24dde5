import Foundation
import Ledger
import Replication

/// Where the time of a document goes: each step alone, in this process, without HTTPS.
struct DocumentSteps {
    private let bench: Workbench
    private static let count = 1000

    init(_ bench: Workbench) { self.bench = bench }

    func run() async throws {
        let ledger = bench.ledger
        let node = try await ledger.open(in: bench.directory + "/in-process")
        let verification = try BareVerification(pem: ledger.submitterKeyPEM)
        var (verify, alone, many) = (Series(), Series(), Series())
        var steps: [(name: String, series: Series)] = []
        func add(_ name: String, times count: Int = Self.count, _ body: () throws -> Void) rethrows {
            let time = try seconds(body) / Double(count) * 1e6
            if let known = steps.firstIndex(where: { $0.name == name }) {
                steps[known].series.add(time)
            } else {
                steps.append((name, Series(values: [time])))
            }
        }

        for round in 1...bench.rounds {
            let submissions = try ledger.submissions(Self.count, .session, prefix: "steps-\(round)")
            let sealed = try ledger.submissions(Self.count / 10, .nodes, prefix: "steps-sealed-\(round)")
            let state = node.driver.published.state

            var parsed: [Submission] = []
            try add("read the CMS SignedData") { parsed = try submissions.map { try Submission($0) } }
            try add("verify the signature") {
                for submission in parsed {
                    guard submission.statement.isSigned(by: ledger.submitterCertificate) else {
                        throw BenchFailure("our own signature is valid")
                    }
                }
            }
            verify.add(1e6 / verification.perSecond(threads: 1))
            var payloads: [SealedPayload] = []
            try add("read the CMS AuthEnvelopedData") {
                payloads = try parsed.compactMap { try $0.payload.map { try SealedPayload($0) } }
            }
            var contents: [[UInt8]] = []
            try add("unwrap the key and open the payload") {
                contents = try payloads.map { try $0.open(sessionKey: ledger.session.key).content }
            }
            try add("read and validate the XML") {
                for content in contents { _ = try DocumentParser().parse(content) }
            }
            var checked: [CheckedEntry] = []
            try add("all checks of a session document") {
                checked = try submissions.map { try ledger.check($0, state) }
            }
            try add("all checks of a document sealed to the node", times: sealed.count) {
                for bytes in sealed { _ = try ledger.check(bytes, state) }
            }

            let half = checked.count / 2
            let start = ContinuousClock.now
            for entry in checked[..<half] { _ = try await node.driver.submit(entry) }
            alone.add((ContinuousClock.now - start).microseconds / Double(half))
            many.add(try await order(Array(checked[half...]), node.driver, waiting: 64))

            let published = node.driver.published
            var subtrees = SubtreeHashes(size: published.size - UInt64(half))
            try add("write a receipt, each in a block of its own", times: half) {
                for _ in 0..<half { try receipt(published, node.log, &subtrees) }
            }
            try add("… where no receipt went before it", times: 100) {
                for _ in 0..<100 {
                    var none = SubtreeHashes(size: published.size - 1)
                    try receipt(published, node.log, &none)
                }
            }
        }

        var report = Report("Where the time of a session document goes, on one thread in one process")
        for (name, series) in steps {
            let floor = name == "verify the signature" ? ("bare RSA-3072 verification", verify) : nil
            report.add(name, .microseconds, series, floor: floor)
        }
        report.add("order, save and sign, one at a time", .microseconds, alone)
        report.add("order, save and sign, 64 waiting, per document", .microseconds, many)
        report.print()
    }

    /// What the first receipt of a block costs: the signed note, and a proof from the subtrees of the block before.
    private func receipt(_ published: Published, _ log: LogStore, _ subtrees: inout SubtreeHashes) throws {
        guard let certificate = published.certificate else { throw BenchFailure("a block is final") }
        subtrees.grow(to: subtrees.size + 1)
        let index = EntryIndex(subtrees.size - 1)
        let note = try certificate.checkpointNote(
            of: bench.ledger.electorate, ledgerKey: bench.ledger.noteKey)
        let proof = try InclusionProof.make(
            index: index, size: subtrees.size, from: LogTree(log), sharing: &subtrees)
        _ = Receipt(index: index, proof: proof, checkpoint: note).bytes
    }

    /// - Returns: Microseconds a document, with so many on their way at any time.
    private func order(
        _ entries: [CheckedEntry], _ driver: ReplicaDriver, waiting: Int
    ) async throws -> Double {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            var rest = entries[...]
            for entry in rest.prefix(waiting) { group.addTask { _ = try await driver.submit(entry) } }
            rest = rest.dropFirst(waiting)
            while try await group.next() != nil {
                guard let entry = rest.popFirst() else { continue }
                group.addTask { _ = try await driver.submit(entry) }
            }
        }
        return (ContinuousClock.now - start).microseconds / Double(entries.count)
    }
}
