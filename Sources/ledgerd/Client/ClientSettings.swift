import Configuration
import Foundation
import Ledger

/// What a client command is told about the ledger: by options, else by the environment, else by a config file, else by
/// the directory it runs in. Each setting is looked up on its own.
struct ClientSettings: Sendable {
    /// What was named; `nil` and empty where nothing was.
    var urls: [String] = []
    var identity: String?
    var policy: String?
    var authority: String?
    var genesis: String?
    var token: String?
    /// The directory that stands in for what was not named.
    var directory: LedgerDirectory?

    /// Options as they were typed.
    struct Typed: Sendable, Equatable {
        var urls: [String] = []
        var identity: String?
        var policy: String?
        var authority: String?
        var genesis: String?
        var config: String?
    }

    /// - Throws: `CommandFailure` for a config file that cannot be read, or an address that is none.
    static func resolve(
        _ typed: Typed, environment: [String: String] = ProcessInfo.processInfo.environment,
        directory: LedgerDirectory? = LedgerDirectory.find()
    ) async throws -> ClientSettings {
        // An empty variable is what scripts leave of one that they meant to unset.
        let environment = environment.filter { !$0.value.isEmpty }
        var providers: [any ConfigProvider] = [
            typed.provider, EnvironmentVariablesProvider(environmentVariables: environment),
        ]
        if let file = try await configFile(typed.config ?? environment["LEDGER_CONFIG"], environment) {
            providers.append(file)
        }
        let reader = ConfigReader(providers: providers).scoped(to: "ledger")
        var settings = ClientSettings()
        settings.urls =
            reader.stringArray(forKey: "url") ?? reader.string(forKey: "url").map { [$0] } ?? []
        settings.identity = reader.string(forKey: "identity")
        settings.policy = reader.string(forKey: "policy")
        settings.authority = reader.string(forKey: "ca")
        settings.genesis = reader.string(forKey: "genesis")
        settings.token = reader.string(forKey: "token", isSecret: true)
        settings.directory = directory
        settings.urls = try settings.urls.map(checkedURL)
        guard settings.urls.count <= Limits.ledgerURLs else {
            throw CommandFailure(
                .wrongUsage, "\(settings.urls.count) addresses of one ledger are too many",
                remedy: "Name at most \(Limits.ledgerURLs).")
        }
        return settings
    }

    /// The file that was named, or the user's own where there is one.
    private static func configFile(
        _ named: String?, _ environment: [String: String]
    ) async throws -> FileProvider<JSONSnapshot>? {
        let own =
            (environment["XDG_CONFIG_HOME"] ?? environment["HOME"].map { $0 + "/.config" })
            .map { $0 + "/kpi-ledger/config.json" }
        guard let path = named ?? own else { return nil }
        guard named != nil || FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let place = InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)])
            return try await FileProvider<JSONSnapshot>(config: ConfigReader(provider: place))
        } catch {
            throw CommandFailure(
                .wrongUsage, "the config file \(path) cannot be read: \(error)",
                remedy: "It is JSON with an object “ledger”: url, identity, policy, ca.")
        }
    }

    /// `https://host[:port]`, without a slash at the end.
    private static func checkedURL(_ text: String) throws -> String {
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard let url = URL(string: trimmed), url.scheme == "https", let host = url.host(), !host.isEmpty,
            url.user() == nil, url.query() == nil
        else {
            throw CommandFailure(
                .wrongUsage, "“\(text)” is not the address of a ledger",
                remedy: "Name it as https://HOST:PORT (--ledger or LEDGER_URL).")
        }
        return trimmed
    }
}

extension ClientSettings.Typed {
    fileprivate var provider: InMemoryProvider {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        if !urls.isEmpty { values["ledger.url"] = ConfigValue(.stringArray(urls), isSecret: false) }
        let texts: [(AbsoluteConfigKey, String?)] = [
            ("ledger.identity", identity), ("ledger.policy", policy), ("ledger.ca", authority),
            ("ledger.genesis", genesis),
        ]
        for (key, text) in texts {
            if let text { values[key] = ConfigValue(.string(text), isSecret: false) }
        }
        return InMemoryProvider(name: "options", values: values)
    }
}
