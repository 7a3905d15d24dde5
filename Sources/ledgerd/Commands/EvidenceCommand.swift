import ArgumentParser
import Foundation
import Ledger

/// `ledgerd evidence`: what nodes hold against each other, and how it comes into the log.
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence",
        abstract: "Show the proofs that a node lied, or put them on record.",
        discussion: """
            A node that signs two statements of which an honest one makes only one has proven itself a liar: its \
            peers keep both. Every proof is checked here, against the keys of the genesis.
            """,
        subcommands: [ListEvidence.self, RecordEvidence.self], defaultSubcommand: ListEvidence.self)
}

/// `ledgerd evidence list`
struct ListEvidence: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Ask every node which proofs it knows, as an operator.",
        discussion: "Ends with status 0 whether there are any or not, and with 3 where no node answers.")

    @OptionGroup var client: ClientOptions

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    private struct Line: Encodable {
        let member: String
        let what: String
        let entry: UInt64?
        let shownBy: [String]
    }

    func run() async throws {
        let context = try await client.resolve()
        let policy = try context.policy()
        let found = try await context.withClient(as: .operator) { client in
            try await GatheredEvidence(from: client, try await context.genesis(from: client, policy))
        }
        for trouble in found.troubles { Terminal.warn(trouble) }
        switch format {
        case .json:
            try Terminal.printJSON(
                found.proofs.map {
                    Line(member: $0.member, what: "\($0.place)", entry: $0.entry, shownBy: $0.shownBy)
                })
        case .text:
            guard !found.proofs.isEmpty else { return print("no node holds proof that another lied") }
            var table = TextTable([
                .init(title: "node"), .init(title: "it signed"), .init(title: "on record as entry"),
                .init(title: "shown by"),
            ])
            for proof in found.proofs {
                table.append([
                    proof.member, "\(proof.place)", proof.entry.map { String($0) } ?? "-",
                    proof.shownBy.joined(separator: ", "),
                ])
            }
            print(table.aligned, terminator: "")
            if found.proofs.contains(where: { $0.entry == nil }) {
                print("`ledgerd evidence record` puts them on record.")
            }
        }
    }
}

/// `ledgerd evidence record`
struct RecordEvidence: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Put proofs that a node lied into the log, signed by an operator.",
        discussion: """
            One proof against each node that has none on record yet, since one is enough; with --all, every proof. \
            Public, for ever. Nothing follows from it in the ledger but that everyone knows.
            """)

    @OptionGroup var client: ClientOptions

    @Option(help: "Only what is held against this node.")
    var member: String?

    @Flag(help: "Every proof, not one against each node.")
    var all = false

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    func run() async throws {
        let context = try await client.resolve()
        let identity = try context.identity(orOwn: "operator")
        let policy = try context.policy()
        try await context.withClient(.certificate(identity)) { client in
            let genesis = try await context.genesis(from: client, policy)
            if let member, !genesis.genesis.members.contains(where: { $0.name == member }) {
                let names = genesis.genesis.members.map(\.name).joined(separator: ", ")
                throw CommandFailure(
                    .wrongUsage, "the ledger has no node \(member)", remedy: "Name one of: \(names).")
            }
            let found = try await GatheredEvidence(from: client, genesis)
            for trouble in found.troubles { Terminal.warn(trouble) }
            let known = found.proofs.filter { member == nil || $0.member == member }
            let chosen = Self.choose(known, all: all)
            guard !chosen.isEmpty else {
                let recorded = known.compactMap(\.entry).map { String($0) }
                throw CommandFailure(
                    .answerIsNo,
                    recorded.isEmpty
                        ? "no node holds proof that \(member ?? "another") lied"
                        : "it is on record already: entry \(recorded.joined(separator: ", "))",
                    remedy: recorded.isEmpty
                        ? "There is nothing to record; `ledgerd evidence list` asks again."
                        : "There is nothing to do; --all records further proofs, if there are any.")
            }
            let sender = GovernanceSender(
                client: client, policy: policy, genesis: genesis, identity: identity)
            for proof in chosen {
                let receipt = try await sender.send(
                    .evidence(member: proof.member, proof.contradiction))
                try GovernanceReport.print(
                    receipt, format, "on record that \(proof.member) signed \(proof.place)")
            }
        }
    }

    /// What is to be recorded: nothing twice, and without `all` one proof against each node that has none on record.
    static func choose(_ proofs: [GatheredProof], all: Bool) -> [GatheredProof] {
        var settled = all ? [] : proofs.filter { $0.entry != nil }.map(\.member)
        var chosen: [GatheredProof] = []
        for proof in proofs where proof.entry == nil && !settled.contains(proof.member) {
            chosen.append(proof)
            if !all { settled.append(proof.member) }
        }
        return chosen
    }
}
