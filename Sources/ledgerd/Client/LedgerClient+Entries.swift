import Foundation
import Ledger
import NIOHTTP1

/// Entries, as those may read them whose own they are, and auditors.
extension LedgerClient {
    /// What lets its holder check one document against its statement.
    struct Disclosure: Decodable, Sendable {
        /// The exact bytes that were sealed.
        let document: Data
        let contentKey: Data
        /// Of every entry of the block, in order.
        let commitments: [Data]
        /// Which of them is this entry's.
        let position: Int
    }

    /// A submission that has become an entry.
    struct Appended: Sendable {
        let receipt: Receipt
        /// Whether it was this call that made it one.
        let isNew: Bool
    }

    enum Destination: String, Sendable {
        case entries = "/v1/entries"
        case governance = "/v1/governance"
    }

    /// The receipt is what the node says: verify it.
    func append(
        _ submission: [UInt8], to destination: Destination = .entries
    ) async throws(ClientFailure) -> Appended {
        let answer = try await send(
            .POST, destination.rawValue, body: submission, type: "application/cms",
            limitBytes: Limits.receiptBytes)
        do { return Appended(receipt: try Receipt(parsing: answer.body), isNew: answer.status == 201) } catch
        {
            throw .nonsense("the receipt: \(error.reason)")
        }
    }

    func statement(_ index: UInt64) async throws(ClientFailure) -> [UInt8] {
        try await send("/v1/entries/\(index)/statement", limitBytes: Limits.leafBytes).body
    }

    func payload(_ index: UInt64) async throws(ClientFailure) -> [UInt8] {
        try await send("/v1/entries/\(index)/payload", limitBytes: Limits.submissionBytes).body
    }

    func disclosure(_ index: UInt64) async throws(ClientFailure) -> Disclosure {
        let path = "/v1/entries/\(index)/document"
        return try Self.decode(try await send(path, limitBytes: Limits.disclosureBytes), path)
    }

    func receipt(_ index: UInt64) async throws(ClientFailure) -> Receipt {
        let answer = try await send("/v1/entries/\(index)/proof", limitBytes: Limits.receiptBytes)
        do { return try Receipt(parsing: answer.body) } catch {
            throw .nonsense("the receipt: \(error.reason)")
        }
    }
}
