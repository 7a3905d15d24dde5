import Foundation
import Ledger

/// Signs a governance record and sends it.
struct GovernanceSender: Sendable {
    let client: LedgerClient
    let policy: Policy
    let genesis: AuthenticGenesis
    let identity: ClientIdentity

    /// - Returns: The receipt, verified.
    /// - Throws: `ClientFailure`, `CommandFailure`.
    func send(_ action: GovernanceRecord.Action) async throws -> Receipt {
        let record = GovernanceRecord(
            ledger: genesis.genesis.origin, sequence: try await nextSequence(), action: action)
        let submission: Submission
        do {
            submission = try Submission.sign(
                Array(record.xml.utf8), as: .governance, with: identity.key,
                certificate: identity.certificate,
                at: DocumentSender.now())
        } catch {
            throw CommandFailure(
                .wrongUsage, "the record cannot be signed: \(error.reason)", remedy: "Shorten it.")
        }
        let appended = try await client.append(submission.bytes, to: .governance)
        do { _ = try appended.receipt.verify(leaf: submission.statement.bytes, policy: policy) } catch {
            throw ClientFailure.nonsense("its receipt does not hold: \(error.reason)")
        }
        return appended.receipt
    }

    /// One more than that of the last record. A node that lies here gets a record that the ledger refuses.
    private func nextSequence() async throws -> UInt64 {
        let nodes = try await client.nodes()
        if let last = nodes.governanceSequence { return last &+ 1 }
        // Governance records are public leaves: count them.
        var progress = ProgressLine("entries", total: nodes.size)
        var count: UInt64 = 0
        var next: UInt64 = 0
        while next < nodes.size {
            let leaves = try await client.leaves(next..<nodes.size)
            for leaf in leaves where (try? Statement(canonical: leaf))?.contentType == .governance {
                count += 1
            }
            guard !leaves.isEmpty else { break }
            next += UInt64(leaves.count)
            progress.update(next)
        }
        progress.finish()
        return count + 1
    }
}
