import ArgumentParser
import Ledger

extension Role {
    /// A role as an option names it.
    static func option(_ text: String) throws -> Role {
        guard let role = Role(rawValue: text) else {
            let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("“\(text)” is not a role: \(known).")
        }
        return role
    }
}

/// `ledgerd token`: an access token, signed with the ledger's token key.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Sign an access token (JWT).",
        discussion:
            "Needs the directory that `ledgerd init` made, with token.key. A token cannot be taken back.")

    @Option(
        name: .customLong("role"), help: "analyst, auditor, operator, dpo or submitter (repeatable).",
        transform: Role.option)
    var roles: [Role]

    @Option(name: .customLong("for"), help: "How long it is valid, such as 8h.")
    var duration = "1h"

    @Option(help: "Whom it speaks for; the first role's name without it.")
    var subject: String?

    @Option(help: "The ledger's directory; here, or .ledger, without it.")
    var directory: String?

    func validate() throws {
        guard !roles.isEmpty else { throw ValidationError("Name a --role.") }
        guard let milliseconds = TimeArgument.duration(duration),
            (1000...Limits.tokenSeconds * 1000).contains(milliseconds)
        else {
            throw ValidationError(
                "--for “\(duration)” is not a duration of 1s to \(Limits.tokenSeconds / 86_400)d.")
        }
    }

    func run() async throws {
        guard let directory = directory.map(LedgerDirectory.init(path:)) ?? LedgerDirectory.find() else {
            throw CommandFailure(
                .wrongUsage, "there is no ledger in this directory",
                remedy: "Name the directory that `ledgerd init` made, with --directory.")
        }
        let seconds = Int((TimeArgument.duration(duration) ?? 0) / 1000)
        let token = try await TokenIssuer(directory).issue(
            roles: roles, subject: subject ?? roles.first?.rawValue ?? "", seconds: seconds)
        print(token)
    }
}
