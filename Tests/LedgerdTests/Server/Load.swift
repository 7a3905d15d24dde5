import Foundation
import Ledger
import NIOHTTP1
import Synchronization
import TestSupport

@testable import ledgerd

/// Documents on their way into a ledger, and what became of them: acknowledged, or in doubt.
final class Load: Sendable {
    struct Sent: Sendable {
        let submission: [UInt8]
        let value: Int
        var receipt: Receipt?
    }

    private struct State: Sendable {
        var sent: [Sent] = []
        var begun = 0
        var faults: [String] = []
    }

    private let ledger: MadeLedger
    private let session: MadeLedger.Session
    private let state = Mutex(State())

    init(_ ledger: MadeLedger, _ session: MadeLedger.Session) {
        self.ledger = ledger
        self.session = session
    }

    var sent: [Sent] { state.withLock { $0.sent } }
    var acknowledged: Int { sent.count { $0.receipt != nil } }
    /// Answers that neither took a document nor left it in doubt.
    var faults: [String] { state.withLock { $0.faults } }

    /// Sends new documents from several connections until the server is gone.
    ///
    /// - Parameter moment: `then` is called when so many have begun.
    func run(
        _ port: Int, connections: Int = 6, moment: Int, then: @escaping @Sendable () -> Void
    ) async throws {
        let caller = try Caller(port: port, ledger: ledger)
        let last = state.withLock { $0.begun } + moment
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<connections {
                group.addTask { while await self.sendOne(caller, last, then) {} }
            }
        }
        try await caller.end()
    }

    private func sendOne(_ caller: Caller, _ last: Int, _ then: @Sendable () -> Void) async -> Bool {
        let number = state.withLock { state in
            state.begun += 1
            return state.begun
        }
        do {
            let measure = try ledger.measure("\(number)", "load.value", unit: "")
            let submission = try ledger.seal(
                ledger.xml(id: "load-\(number)", [measure]), by: session.signer, in: session)
            let place = state.withLock { state in
                state.sent.append(Sent(submission: submission, value: number))
                return state.sent.count - 1
            }
            if number == last { then() }
            let answer = try await caller.append(submission)
            if answer.status == 503 { return false }
            guard answer.status == 201 else {
                state.withLock { $0.faults.append("\(answer.status) \(answer.text)") }
                return false
            }
            let receipt = try Receipt(parsing: answer.body)
            state.withLock { $0.sent[place].receipt = receipt }
            return true
        } catch { return false }
    }

    /// Compares a running ledger with what was acknowledged; sends all of it again, and what is in doubt too.
    ///
    /// - Parameter sizeBefore: entries that are not of this load.
    /// - Returns: What does not hold.
    func audit(_ port: Int, others sizeBefore: Int, policy: Policy) async throws -> [String] {
        var findings = faults
        let caller = try Caller(port: port, ledger: ledger)
        let sent = sent
        var indexes: [UInt64] = []
        for start in stride(from: 0, to: sent.count, by: 32) {
            let batch = sent[start..<min(sent.count, start + 32)]
            indexes += try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
                for (number, one) in batch.enumerated() {
                    group.addTask { (number, try await caller.append(one.submission)) }
                }
                var answers = [UInt64?](repeating: nil, count: batch.count)
                for try await (number, answer) in group {
                    answers[number] = try? Receipt(parsing: answer.body).index.value
                    if answers[number] == nil {
                        findings.append("a resend got \(answer.status) \(answer.text)")
                    }
                }
                return answers.map { $0 ?? .max }
            }
        }
        if Set(indexes).count != sent.count { findings.append("two documents have one index") }

        let newest = try CheckpointNote(parsing: try await caller.get("/checkpoint").body)
        if newest.checkpoint.size != UInt64(sent.count + sizeBefore) {
            findings.append("\(newest.checkpoint.size) entries for \(sent.count + sizeBefore) documents")
        }
        let leaves = try await leaves(caller, newest.checkpoint.size)
        var checkpoints: [UInt64: Checkpoint] = [:]
        for (one, index) in zip(sent, indexes) {
            guard let receipt = one.receipt else { continue }
            let leaf = try Submission(one.submission).statement.bytes
            if receipt.index.value != index { findings.append("entry \(receipt.index) moved to \(index)") }
            guard receipt.index.value < leaves.count, leaves[Int(receipt.index.value)] == leaf else {
                findings.append("entry \(receipt.index) is another one")
                continue
            }
            let checkpoint = try receipt.verify(leaf: leaf, policy: policy).checkpoint
            if let known = checkpoints[checkpoint.size], known.root != checkpoint.root {
                findings.append("two roots for the size \(checkpoint.size)")
            }
            checkpoints[checkpoint.size] = checkpoint
        }
        for (size, checkpoint) in checkpoints where size < newest.checkpoint.size {
            let answer = try await caller.get("/v1/consistency?from=\(size)&to=\(newest.checkpoint.size)")
            struct Body: Decodable { let hashes: [Data] }
            let proof = ConsistencyProof(
                hashes: try answer.json(as: Body.self).hashes.compactMap { Digest(Array($0)) })
            if !proof.isValid(
                oldSize: size, oldRoot: checkpoint.root, newSize: newest.checkpoint.size,
                newRoot: newest.checkpoint.root)
            {
                findings.append("the tree of \(size) is not the beginning of the newest")
            }
        }
        findings += try await recount(caller, sent)
        try await caller.end()
        return findings
    }

    private func leaves(_ caller: Caller, _ size: UInt64) async throws -> [[UInt8]] {
        var leaves: [[UInt8]] = []
        for tile in 0...((size - 1) / 256) {
            let width = min(256, size - tile * 256)
            let path = "/tile/entries/\(String(format: "%03d", tile))" + (width == 256 ? "" : ".p/\(width)")
            leaves += try EntryBundle.decode(try await caller.get(path).body, width: Int(width))
        }
        return leaves
    }

    private func recount(_ caller: Caller, _ sent: [Sent]) async throws -> [String] {
        struct Health: Decodable {
            let size: UInt64
            let queried: UInt64
        }
        while true {
            let health = try await caller.get("/healthz").json(as: Health.self)
            if health.queried == health.size { break }
        }
        let token = try await ledger.token([.analyst])
        let expected = [
            ("sum(sum_over_time(load_value[1d]))", sent.reduce(0) { $0 + $1.value }),
            ("sum(count_over_time(load_value[1d]))", sent.count),
            ("max(max_over_time(load_value[1d]))", sent.map(\.value).max() ?? 0),
        ]
        var findings: [String] = []
        for (query, number) in expected {
            let answer = try await caller.send(
                .POST, "/api/v1/query",
                Caller.bearer(token) + [("content-type", "application/x-www-form-urlencoded")],
                body: Array("query=\(query)".utf8))
            let found = try answer.json(as: InstantVector.self).data.result.first?.number
            if found != "\(number)" { findings.append("\(query) is \(found ?? "nothing"), not \(number)") }
        }
        return findings
    }
}
