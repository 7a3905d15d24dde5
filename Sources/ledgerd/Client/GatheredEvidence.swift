import Foundation
import Ledger
import NIOHTTP1

/// A proof that a node lied, checked here: the members' keys are in the genesis, so no node is believed about another.
struct GatheredProof: Sendable {
    let member: String
    let place: Contradiction.Place
    let contradiction: Contradiction
    /// The governance record that holds it, as the nodes say.
    var entry: UInt64?
    /// The nodes that showed it.
    var shownBy: [String]
}

/// What all nodes that can be reached know of each other's lies.
struct GatheredEvidence: Sendable {
    private(set) var proofs: [GatheredProof] = []
    /// What could not be used: a node that is away, a proof that proves nothing.
    private(set) var troubles: [String] = []

    /// - Throws: `ClientFailure` where every node refuses, or is away.
    init(from client: LedgerClient, _ genesis: AuthenticGenesis) async throws(ClientFailure) {
        var failure: ClientFailure?
        var answered: [String] = []
        // The addresses that were named may be others than those of the genesis.
        let others = genesis.genesis.members.filter { !client.urls.contains($0.url) }
        for (name, url) in client.urls.map({ ("", $0) }) + others.map({ ($0.name, $0.url) })
        where !answered.contains(name) {
            do throws(ClientFailure) {
                let answer = try await Self.ask(url, client)
                answered.append(answer.node)
                for proof in answer.evidence { add(proof, shownBy: Printable.line(answer.node), genesis) }
            } catch {
                // A node that says no tells more than one that is away.
                if case .refused = failure {} else { failure = error }
                troubles.append("\(url): \(error.reason)")
            }
        }
        if answered.isEmpty, let failure { throw failure }
        proofs.sort { ($0.member, "\($0.place)") < ($1.member, "\($1.place)") }
    }

    private struct Answer: Decodable {
        struct Proof: Decodable {
            struct Statement: Decodable {
                let bytes: Data
                let signature: Data
            }
            let member: String
            let entry: UInt64?
            let statements: [Statement]
        }
        let node: String
        let evidence: [Proof]
    }

    private static func ask(_ url: String, _ client: LedgerClient) async throws(ClientFailure) -> Answer {
        let path = "/v1/evidence"
        let answer = try await client.attempt(.GET, url, path, nil, nil, Limits.evidenceAnswerBytes)
        guard answer.status == 200 else { throw .refused(.init(status: answer.status, body: answer.body)) }
        return try LedgerClient.decode(answer, path)
    }

    private mutating func add(_ shown: Answer.Proof, shownBy node: String, _ genesis: AuthenticGenesis) {
        let statements = shown.statements.map {
            Contradiction.Statement(bytes: [UInt8]($0.bytes), signature: [UInt8]($0.signature))
        }
        guard statements.count == 2,
            let member = genesis.genesis.members.first(where: { $0.name == shown.member }),
            let key = VerificationKey(member.voteKey),
            let origin = try? KeyName(genesis.genesis.origin)
        else {
            troubles.append("\(node): what it shows against \(Printable.line(shown.member)) is no proof")
            return
        }
        let contradiction = Contradiction(statements[0], statements[1])
        let place: Contradiction.Place
        do { place = try contradiction.verify(by: key, ledgerID: genesis.ledgerID, origin: origin) } catch {
            troubles.append("\(node): this proves nothing against \(member.name): \(error.reason)")
            return
        }
        if let known = proofs.firstIndex(where: { $0.member == member.name && $0.place == place }) {
            proofs[known].entry = proofs[known].entry ?? shown.entry
            if !proofs[known].shownBy.contains(node) { proofs[known].shownBy.append(node) }
        } else {
            proofs.append(
                GatheredProof(
                    member: member.name, place: place, contradiction: contradiction, entry: shown.entry,
                    shownBy: [node]))
        }
    }
}
