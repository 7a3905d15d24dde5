import ArgumentParser
import Ledger

/// `ledgerd erase`: orders that the payload of an entry, and every key to it, is destroyed.
struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Order the erasure of an entry's payload.",
        discussion:
            "Signed by a data protection officer. The statement and every proof remain; the id stays taken.")

    @OptionGroup var client: ClientOptions

    @Argument(help: "The index of the entry.")
    var index: UInt64

    @Option(help: "Why: public, for ever, so name no one.")
    var reason: String

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    func run() async throws {
        let context = try await client.resolve()
        let identity = try context.identity(orOwn: "dpo")
        let policy = try context.policy()
        try await context.withClient(.certificate(identity)) { client in
            let genesis = try await context.genesis(from: client, policy)
            let receipt = try await GovernanceSender(
                client: client, policy: policy, genesis: genesis, identity: identity
            ).send(.erase(EntryIndex(index), reason: reason))
            try GovernanceReport.print(receipt, format, "the erasure of entry \(index) is ordered")
        }
    }
}
