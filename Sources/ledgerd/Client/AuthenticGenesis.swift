import Foundation
import Ledger

/// A genesis document that is known to be the ledger's: read from a place of trust, or vouched for by a quorum.
struct AuthenticGenesis: Sendable {
    let genesis: Genesis
    /// The exact bytes.
    let bytes: [UInt8]
    /// What documents are sealed to, in the order of the members.
    let sealingCertificates: [KeyCertificate]

    var ledgerID: Digest { Digest.sha256(bytes) }

    /// Of a file that a person named, or whose directory is the ledger's own.
    init(parsing bytes: [UInt8], from path: String) throws {
        do { try self.init(bytes) } catch {
            guard case .nonsense(let reason) = error else { throw error }
            throw CommandFailure(
                .wrongUsage, "\(path): \(reason)", remedy: "Name the genesis.xml that `ledgerd init` made.")
        }
    }

    /// Asks the ledger, and believes it only what the policy vouches for.
    ///
    /// A checkpoint that the policy accepts names the hash of its block's header, and every header names the ledger
    /// id, which is the SHA-256 of the genesis document: so a node cannot slip in certificates of its own. Before the
    /// first entry there is no checkpoint; then the genesis itself must imply the very policy.
    init(from client: LedgerClient, _ policy: Policy) async throws(ClientFailure) {
        try self.init(try await client.genesis())
        guard let note = try await client.checkpoint() else {
            guard let implied = try? Policy(of: genesis), implied == policy else {
                throw .nonsense("its genesis has other members than the trust policy")
            }
            return
        }
        let checkpoint: Checkpoint
        do { checkpoint = try policy.verify(note).checkpoint } catch {
            throw .nonsense("its checkpoint is not what the trust policy demands: \(error.reason)")
        }
        let height = checkpoint.height.value
        let blocks = try await client.blocks(from: height, through: height)
        guard let header = blocks.first?.header, header.hash == checkpoint.headerHash else {
            throw .nonsense("the header of block \(height) is not the one that its checkpoint names")
        }
        guard header.ledgerID == ledgerID else { throw .nonsense("its genesis is another ledger's") }
    }

    private init(_ bytes: [UInt8]) throws(ClientFailure) {
        self.bytes = bytes
        do throws(DocumentError) { genesis = try Genesis.parse(bytes) } catch {
            throw .nonsense("the genesis document is not valid: \(error)")
        }
        var certificates: [KeyCertificate] = []
        for member in genesis.members {
            do throws(EnvelopeError) {
                certificates.append(try KeyCertificate(der: member.sealingCertificate))
            } catch {
                throw .nonsense("the sealing certificate of \(Printable.line(member.name)) cannot be used")
            }
        }
        sealingCertificates = certificates
    }
}
