import Foundation
import Ledger
import Synchronization

/// A node over HTTPS, as an auditor's run reads it.
///
/// Leaves and blocks are open to anyone; payloads are for auditors. Where the node does not hand them out, the run
/// verifies all the rest.
final class HTTPSAuditSource: AuditSource {
    private let client: LedgerClient
    /// Set once the node has refused a payload: it would refuse the next one, too.
    private let isWithheld = Mutex(false)

    init(_ client: LedgerClient) { self.client = client }

    var withholds: Bool { isWithheld.withLock { $0 } }

    func extent() async throws -> AuditExtent {
        let checkpoint = try await client.checkpoint()
        return AuditExtent(height: checkpoint?.checkpoint.height ?? .genesis, checkpoint: checkpoint)
    }

    func blocks(_ heights: Range<UInt64>) async throws -> [AuditBlock] {
        guard let first = heights.first, let last = heights.last else { return [] }
        return try await client.blocks(from: first, through: last)
            .map { AuditBlock(header: $0.header, certificate: $0.certificate) }
    }

    func leaves(_ indexes: Range<UInt64>) async throws -> [[UInt8]] {
        guard !indexes.isEmpty else { return [] }
        return try await client.leaves(indexes)
    }

    func entries(_ indexes: Range<UInt64>) async throws -> [AuditEntry] {
        let range = indexes.prefix(Int(Limits.auditAnswerEntries))
        guard !range.isEmpty else { return [] }
        let leaves = try await leaves(range)
        let answers = try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            var found: [Answer?] = Array(repeating: nil, count: leaves.count)
            var next = 0
            func add() {
                guard next < leaves.count else { return }
                let (place, index) = (next, range.lowerBound + UInt64(next))
                next += 1
                group.addTask { [self] in (place, try await payload(index, of: leaves[place])) }
            }
            for _ in 0..<Limits.payloadsAtOnce { add() }
            while let (place, answer) = try await group.next() {
                found[place] = answer
                add()
            }
            return found.compactMap { $0 }
        }
        return zip(leaves, answers).enumerated().map { place, pair in
            var payload = pair.1.payload
            if case .erased = payload {
                payload = .erased(commitment: Self.commitment(of: place, in: answers))
            }
            return AuditEntry(leaf: pair.0, payload: payload)
        }
    }

    /// What a node says about one payload.
    private struct Answer: Sendable {
        let payload: AuditEntry.Payload
        var disclosure: LedgerClient.Disclosure?
    }

    /// An erased entry's part of its block's key commitments, as a neighbour's disclosure tells it.
    private static func commitment(of place: Int, in answers: [Answer]) -> Digest? {
        for (other, answer) in answers.enumerated() {
            guard let disclosure = answer.disclosure,
                disclosure.commitments.indices.contains(disclosure.position)
            else { continue }
            let position = place - other + disclosure.position
            if disclosure.commitments.indices.contains(position) {
                return Digest(disclosure.commitments[position])
            }
        }
        return nil
    }

    func tileHashes(level: Int, range: Range<UInt64>) async throws -> [Digest]? {
        try await client.hashes(level: level, range: range)
    }

    private func payload(_ index: UInt64, of leaf: [UInt8]) async throws -> Answer {
        // A leaf that does not read has a fault of its own, which the run names.
        guard let statement = try? Statement(canonical: leaf), statement.contentType == .sealed else {
            return Answer(payload: .none)
        }
        guard !withholds else { return Answer(payload: .withheld(commitment: nil)) }
        do throws(ClientFailure) {
            let disclosure = try await client.disclosure(index)
            let payload = try await client.payload(index)
            let sealed = Entry.Sealed(payload: payload, contentKey: [UInt8](disclosure.contentKey))
            return Answer(payload: .held(sealed), disclosure: disclosure)
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            switch refusal.status {
            case 401, 403:
                isWithheld.withLock { $0 = true }
                return Answer(payload: .withheld(commitment: nil))
            case 410: return Answer(payload: .erased(commitment: nil))
            case 404:
                return Answer(payload: .damaged(reason: "the node does not have it: \(refusal.detail)"))
            default: throw error
            }
        }
    }
}
