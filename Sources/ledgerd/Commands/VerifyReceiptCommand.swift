import ArgumentParser
import Foundation
import Ledger

/// `ledgerd verify-receipt`: offline, with the trust policy alone.
struct VerifyReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-receipt",
        abstract: "Verify a receipt without a network.",
        discussion: """
            With --entry, that the entry is in the ledger at the receipt's index. Without it, only that the policy \
            accepts the receipt's checkpoint.
            """)

    @OptionGroup var client: ClientOptions

    @Argument(help: "The receipt (C2SP tlog-proof).")
    var file: String

    @Option(help: "What the receipt is for: a statement (the leaf), or a whole submission.")
    var entry: String?

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    private struct Answer: Encodable {
        let valid: Bool
        /// Whether the inclusion of an entry was verified, too.
        let entryVerified: Bool
        let index: UInt64
        let origin: String
        let size: UInt64
        let height: UInt64
        let witnesses: [String]
    }

    func run() async throws {
        let policy = try await client.resolve().policy()
        let bytes = try CommandFailure.reading(file, limitBytes: Limits.receiptBytes)
        let receipt: Receipt
        let verified: VerifiedCheckpoint
        do throws(ProofError) {
            receipt = try Receipt(parsing: bytes)
            verified = try policy.verify(receipt.checkpoint)
        } catch { throw Self.failure(file, error) }
        guard receipt.index.value < verified.checkpoint.size else {
            throw Self.failure(
                file,
                ProofError(.outOfRange, "a tree of \(verified.checkpoint.size) has no entry \(receipt.index)")
            )
        }
        if let entry {
            let leaf = try Self.leaf(
                of: try CommandFailure.reading(entry, limitBytes: Limits.submissionBytes), entry)
            do { _ = try receipt.verify(leaf: leaf, policy: policy) } catch {
                throw Self.failure(file, error)
            }
        }
        try show(receipt, verified)
    }

    private func show(_ receipt: Receipt, _ verified: VerifiedCheckpoint) throws {
        let checkpoint = verified.checkpoint
        switch format {
        case .json:
            try Terminal.printJSON(
                Answer(
                    valid: true, entryVerified: entry != nil, index: receipt.index.value,
                    origin: checkpoint.origin.description, size: checkpoint.size,
                    height: checkpoint.height.value,
                    witnesses: verified.witnesses))
        case .text:
            let place = "entry \(receipt.index) of \(checkpoint.origin)"
            if let entry {
                print("verified: \(entry) is \(place)")
            } else {
                print("verified: the checkpoint of this receipt for \(place)")
            }
            print(
                "  checkpoint  size \(checkpoint.size), block \(checkpoint.height), view \(checkpoint.view)")
            print("  signed by   the ledger key and \(verified.witnesses.joined(separator: ", ")): a quorum")
            if entry == nil {
                print(
                    "  not checked: which entry it is for (name it with --entry), and so the inclusion proof")
            }
        }
    }

    /// The leaf of a statement, or of a submission around it.
    static func leaf(of bytes: [UInt8], _ path: String) throws -> [UInt8] {
        if (try? Statement(canonical: bytes)) != nil { return bytes }
        do { return try Submission(bytes).statement.bytes } catch {
            throw CommandFailure(
                .wrongUsage, "\(path) is neither a statement nor a submission: \(error.reason)",
                remedy: "Name what was sent, or what /v1/entries/<index>/statement gave (DER).")
        }
    }

    private static func failure(_ path: String, _ error: ProofError) -> CommandFailure {
        CommandFailure(
            .answerIsNo, "\(path) does not hold: \(error.code.rawValue): \(error.reason)",
            remedy: "Check that it is the right receipt, entry and policy; if so, keep all three as evidence."
        )
    }
}
