import Foundation
import Ledger
import NIOCore
import Synchronization
import TestSupport

/// A reader who asks nodes for checkpoints, proofs and queries: what is well must answer, quorum or not.
final class Readers: Sendable {
    private struct State: Sendable {
        var random: SeededGenerator
        var isOver = false
        /// Nodes that need not answer at present.
        var excused: Set<Int> = []
        /// Counts the changes of `excused`.
        var generation = 0
    }

    private let port: LedgerPort
    private let policy: Policy
    private let nodes: Int
    private let history: History
    private let findings: Findings
    /// How long a node may take to answer, on a machine that has other things to do.
    private let patience: Duration
    private let state: Mutex<State>

    init(
        _ port: LedgerPort, policy: Policy, nodes: Int, seed: UInt64, patience: Duration, history: History,
        findings: Findings
    ) {
        self.port = port
        self.policy = policy
        self.nodes = nodes
        self.history = history
        self.findings = findings
        self.patience = patience
        state = Mutex(State(random: SeededGenerator(seed: seed)))
    }

    func excuse(_ nodes: Set<Int>) {
        state.withLock { state in
            state.excused = nodes
            state.generation += 1
        }
    }

    func stop() { state.withLock { $0.isOver = true } }

    func run() async {
        var seen: Checkpoint?
        while !state.withLock({ $0.isOver }) {
            await RealTime.pause(.milliseconds(300))
            let (node, generation) = state.withLock { state in
                let well = (0..<nodes).filter { !state.excused.contains($0) }
                return (well.isEmpty ? nil : state.random.pick(well), state.generation)
            }
            guard let node else { continue }
            // A connection that takes its time on a busy machine is tried again.
            var reason = ""
            var isRead = false
            _ = await RealTime.wait(patience) {
                do {
                    seen = try await read(node, since: seen)
                    isRead = true
                    return true
                } catch {
                    reason = (error as? LedgerPort.NoAnswer)?.reason ?? "\(error)"
                    return isOverOr(generation)
                }
            }
            if isRead { history.noteRead() }
            // What failed while faults began or ended says nothing.
            guard !isRead, !isOverOr(generation) else { continue }
            findings.add("node \(node + 1), which is well, does not let itself be read: \(reason)")
        }
    }

    private func isOverOr(_ generation: Int) -> Bool {
        state.withLock { $0.isOver || $0.generation != generation }
    }

    private struct Refused: Error, CustomStringConvertible { let description: String }

    private func get(_ path: String, _ node: Int) async throws -> [UInt8] {
        let answer = try await port.get(path, at: node, within: .seconds(10))
        guard answer.status == 200 else {
            throw Refused(
                description: "\(path): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer.body
    }

    /// A checkpoint, that it extends the one before or is extended by it, and a query.
    private func read(_ node: Int, since seen: Checkpoint?) async throws -> Checkpoint {
        let note = try CheckpointNote(parsing: try await get("/checkpoint", node))
        let checkpoint = try policy.verify(note).checkpoint
        if !history.note(checkpoint) { findings.add("two roots are signed for size \(checkpoint.size)") }
        if let seen, seen.size > 0, seen.size < checkpoint.size {
            let body = try await get("/v1/consistency?from=\(seen.size)&to=\(checkpoint.size)", node)
            struct Body: Decodable { let hashes: [Data] }
            let hashes = try JSONDecoder().decode(Body.self, from: Data(body)).hashes
            let proof = ConsistencyProof(hashes: hashes.compactMap { Digest(Array($0)) })
            if !proof.isValid(
                oldSize: seen.size, oldRoot: seen.root, newSize: checkpoint.size, newRoot: checkpoint.root)
            {
                findings.add("the tree of \(seen.size) is not the beginning of that of \(checkpoint.size)")
            }
        }
        _ = try await get("/api/v1/query?query=count_over_time(chaos_number%5B1m%5D)", node)
        return checkpoint
    }
}
