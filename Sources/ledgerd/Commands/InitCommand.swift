import ArgumentParser
import Foundation
import Ledger

/// `ledgerd init`: makes a ledger and writes it into an empty directory.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new ledger: genesis, keys, certificates, a trust policy, one directory per node.",
        discussion: """
            Writes into a directory that is empty or does not exist yet. Private keys get mode 0600. Whoever holds \
            the directory can act as every node and every first identity: move each clients/NAME to the one who \
            is to use it, and keep ledger-ca.key and token.key offline or under guard.
            """)

    @Option(help: "Where to write; made if it does not exist, refused unless empty.")
    var directory: String

    @Option(help: "How many nodes. Of 3f + 1, f may fail or lie.")
    var nodes = 1

    @Option(help: "The name of the ledger, as checkpoints show it: a URL without a scheme.")
    var origin = LedgerPlan.defaultOrigin

    @Option(name: .customLong("base-port"), help: "P: node i serves HTTPS on P+i and its peers on P+100+i.")
    var basePort = LedgerPlan.defaultBasePort

    @Option(
        name: .customLong("host"),
        help: "A further name or address in the nodes' TLS certificates (repeatable).")
    var hosts: [String] = []

    func run() async throws {
        let plan: LedgerPlan
        do {
            plan = try LedgerPlan(
                origin: origin, nodeCount: nodes, basePort: basePort, hosts: hosts, created: Self.now())
        } catch let error as LedgerPlanFailure {
            throw CommandFailure(.wrongUsage, error.reason, remedy: "See `ledgerd init --help`.")
        }

        // Asked before the keys are made, so that a mistyped directory is answered at once; asked again, file by
        // file, when they are written.
        do {
            try LedgerFiles.requireEmpty(directory)
            let ceremony = try await Ceremony.perform(plan)
            try ceremony.files(PublicTexts(of: ceremony.genesis)).write(to: directory)
        } catch let failure as LedgerFilesFailure {
            throw failure.commandFailure
        }

        print("Made the ledger \(plan.origin) in \(directory).")
        for node in plan.nodes { print("  \(node.name)  \(node.url)") }
        print("Identities: \(LedgerPlan.clients.map(\.name).joined(separator: ", ")) (clients/NAME).")
        print("Next: ledgerd serve --directory \(directory)/\(plan.nodes.first?.name ?? "node1")")
    }

    /// The moment the ledger is made.
    private static func now() throws -> Timestamp {
        guard let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) else {
            throw CommandFailure(
                .wrongUsage, "the clock of this machine is outside the years 0001 to 9999",
                remedy: "Set the clock, then run `ledgerd init` again.")
        }
        return now
    }
}

extension LedgerFilesFailure {
    fileprivate var commandFailure: CommandFailure {
        switch self {
        case .notEmpty(let path):
            CommandFailure(
                .wrongUsage, "\(path) is not empty",
                remedy: "Name an empty directory, or one that does not exist.")
        case .notADirectory(let path):
            CommandFailure(
                .wrongUsage, "\(path) is not a directory",
                remedy: "Name an empty directory, or one that does not exist.")
        case .system(let path, let call, let reason):
            CommandFailure(
                .unreachable, "\(call) \(path): \(reason)",
                remedy: "Mend that, remove what was written, then run `ledgerd init` again.")
        }
    }
}
