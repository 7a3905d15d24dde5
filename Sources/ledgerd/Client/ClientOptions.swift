import ArgumentParser
import Foundation
import Ledger

/// The options that all client commands share. In a directory made by `init` or `up` none is needed.
struct ClientOptions: ParsableArguments {
    @Option(name: .customLong("ledger"), help: "The address of a node; repeat it for several (LEDGER_URL).")
    var urls: [String] = []

    @Option(help: "A directory with NAME.key and NAME.crt: who to act as (LEDGER_IDENTITY).")
    var identity: String?

    @Option(help: "The trust policy: whose signatures make a checkpoint (LEDGER_POLICY).")
    var policy: String?

    @Option(name: .customLong("ca"), help: "The authority of the nodes' TLS certificates (LEDGER_CA).")
    var authority: String?

    @Option(help: "The genesis document; asked of the ledger and checked without it (LEDGER_GENESIS).")
    var genesis: String?

    @Option(help: "A JSON file with a section “ledger” (LEDGER_CONFIG; ~/.config/kpi-ledger/config.json).")
    var config: String?

    func resolve() async throws -> ClientContext {
        let typed = ClientSettings.Typed(
            urls: urls, identity: identity, policy: policy, authority: authority, genesis: genesis,
            config: config)
        return ClientContext(settings: try await ClientSettings.resolve(typed))
    }
}

/// What a command needs of the ledger, read from where the settings say when it is asked for.
struct ClientContext: Sendable {
    let settings: ClientSettings

    /// The genesis of the directory; it was made there, so it needs no check.
    private func localGenesis() throws -> AuthenticGenesis? {
        let path = settings.genesis ?? (settings.urls.isEmpty ? settings.directory?.genesisPath : nil)
        guard let path else { return nil }
        return try AuthenticGenesis(parsing: CommandFailure.reading(path), from: path)
    }

    var urls: [String] {
        get throws {
            if !settings.urls.isEmpty { return settings.urls }
            if let directory = settings.directory, let genesis = try localGenesis() {
                return directory.urls(genesis.genesis)
            }
            throw CommandFailure(
                .wrongUsage, "no ledger is named",
                remedy: "Name one with --ledger or LEDGER_URL, or run in a directory made by `ledgerd init`.")
        }
    }

    func policy() throws -> Policy {
        guard let path = settings.policy ?? settings.directory?.policyPath else {
            throw CommandFailure(
                .wrongUsage, "no trust policy is named",
                remedy: "Name the file `policy` that `ledgerd init` made, with --policy or LEDGER_POLICY.")
        }
        do {
            return try Policy(parsing: CommandFailure.reading(path, limitBytes: Limits.policyBytes))
        } catch let error as ProofError {
            throw CommandFailure(
                .wrongUsage, "\(path) is not a trust policy: \(error.reason)",
                remedy: "Name the file `policy` that `ledgerd init` made.")
        }
    }

    /// - Parameter standIn: the first identity of that name, where the command runs in the ledger's directory.
    func identity(orOwn standIn: String) throws -> ClientIdentity {
        guard let path = settings.identity ?? settings.directory?.identityPath(standIn) else {
            throw CommandFailure(
                .wrongUsage, "no identity is named",
                remedy: "Name a directory with NAME.key and NAME.crt, with --identity or LEDGER_IDENTITY.")
        }
        return try ClientIdentity(directory: path)
    }

    private var authority: String? { settings.authority ?? settings.directory?.authorityPath }

    /// Runs with a client that shows nothing of itself.
    func withClient<Result>(_ body: (LedgerClient) async throws -> Result) async throws -> Result {
        try await withClient(.none, body)
    }

    /// Runs with a client that acts in a role: with the token that was given, else the identity that was named, else
    /// a token of its own where the token key is at hand.
    func withClient<Result>(
        as role: Role, _ body: (LedgerClient) async throws -> Result
    ) async throws -> Result {
        try await withClient(try await credential(role), body)
    }

    func withClient<Result>(
        _ credential: LedgerClient.Credential, _ body: (LedgerClient) async throws -> Result
    ) async throws -> Result {
        let client = try LedgerClient(urls: try urls, authority: authority, credential: credential)
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw (error as? ClientFailure).map { CommandFailure($0) as any Error } ?? error
        }
    }

    private func credential(_ role: Role) async throws -> LedgerClient.Credential {
        if let token = settings.token { return .token(token) }
        if let identity = settings.identity { return .certificate(try ClientIdentity(directory: identity)) }
        // A token of this directory's is for servers that its own authority vouches for, and for no others.
        guard let directory = settings.directory, settings.authority == nil,
            FileManager.default.isReadableFile(atPath: directory.tokenKeyPath)
        else { return .none }
        let token = try await TokenIssuer(directory).issue(
            roles: [role], subject: role.rawValue, seconds: Limits.ownTokenSeconds)
        return .token(token)
    }

    /// Who the members are and what documents are sealed to, vouched for by the policy.
    ///
    /// - Parameter kept: a copy from an earlier call, for when the ledger is away.
    func genesis(
        from client: LedgerClient, _ policy: Policy, kept: String? = nil
    ) async throws -> AuthenticGenesis {
        if let genesis = try localGenesis() { return genesis }
        do throws(ClientFailure) {
            return try await AuthenticGenesis(from: client, policy)
        } catch {
            if case .away = error, let kept, FileManager.default.fileExists(atPath: kept) {
                return try AuthenticGenesis(parsing: CommandFailure.reading(kept), from: kept)
            }
            throw error
        }
    }
}

/// Signs access tokens with the key that `init` made.
struct TokenIssuer {
    private let directory: LedgerDirectory

    init(_ directory: LedgerDirectory) { self.directory = directory }

    /// - Throws: `CommandFailure` without the key.
    func issue(roles: [Role], subject: String, seconds: Int) async throws -> String {
        let genesis = try AuthenticGenesis(
            parsing: CommandFailure.reading(directory.genesisPath), from: directory.genesisPath)
        let key = try CommandFailure.reading(directory.tokenKeyPath, limitBytes: Limits.pemBytes)
        do {
            return try await AccessTokens.issue(
                origin: genesis.genesis.origin, subject: subject, roles: roles, from: Date(),
                seconds: seconds,
                tokenKeyPEM: String(decoding: key, as: UTF8.self))
        } catch {
            throw CommandFailure(
                .wrongUsage, "\(directory.tokenKeyPath) is not a token key: \(Printable.line("\(error)"))",
                remedy: "Put back the token.key that `ledgerd init` made.")
        }
    }
}
