import Foundation
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `The settings of a client` {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write(
            Array(
                #"""
                {"ledger": {"url": ["https://file:1", "https://file:2"], "identity": "file-identity",
                "policy": "file-policy", "ca": "file-ca"}}
                """#.utf8), "config.json")
    }

    private func resolve(
        _ typed: ClientSettings.Typed = .init(), _ environment: [String: String] = [:], withFile: Bool = true
    ) async throws -> ClientSettings {
        var typed = typed
        if withFile { typed.config = directory.path + "/config.json" }
        return try await ClientSettings.resolve(typed, environment: environment, directory: nil)
    }

    @Test func `are looked up each on its own: options, environment, file`() async throws {
        let settings = try await resolve(
            .init(urls: ["https://typed:1"]),
            ["LEDGER_URL": "https://env:1", "LEDGER_IDENTITY": "env-identity"])
        #expect(settings.urls == ["https://typed:1"])
        #expect(settings.identity == "env-identity")
        #expect(settings.policy == "file-policy")
        #expect(settings.authority == "file-ca")
    }

    @Test func `may name several addresses everywhere`() async throws {
        #expect(try await resolve().urls == ["https://file:1", "https://file:2"])
        #expect(
            try await resolve(.init(), ["LEDGER_URL": "https://a:1,https://b:2/"]).urls
                == ["https://a:1", "https://b:2"])
        #expect(
            try await resolve(.init(urls: ["https://a:1", "https://b:2"])).urls == [
                "https://a:1", "https://b:2",
            ])
    }

    @Test func `may name one address as a text in a file`() async throws {
        try directory.write(Array(#"{"ledger": {"url": "https://one:1"}}"#.utf8), "config.json")
        #expect(try await resolve().urls == ["https://one:1"])
    }

    @Test func `ignore an empty variable`() async throws {
        #expect(try await resolve(.init(), ["LEDGER_POLICY": ""]).policy == "file-policy")
    }

    @Test func `need no file`() async throws {
        let settings = try await resolve(withFile: false)
        #expect(settings.urls.isEmpty)
        #expect(settings.policy == nil)
    }

    @Test func `find the file of the user`() async throws {
        try directory.shell("mkdir -p home/kpi-ledger && cp config.json home/kpi-ledger/")
        let settings = try await resolve(
            .init(), ["XDG_CONFIG_HOME": directory.path + "/home"], withFile: false)
        #expect(settings.policy == "file-policy")
    }

    @Test func `refuse a file that is not JSON`() async throws {
        try directory.write(Array("ledger: yes".utf8), "config.json")
        await #expect(throws: CommandFailure.self) { try await resolve() }
    }

    @Test(arguments: [
        "", "http://host", "host:1", "https://", "https://user@host", "https://host?x=1", "ftp://host",
    ])
    func `refuse an address that is none of a ledger`(_ url: String) async throws {
        await #expect(throws: CommandFailure.self) { try await resolve(.init(urls: [url])) }
    }

    @Test func `stand in a directory with a genesis, or above it`() throws {
        #expect(LedgerDirectory.find(from: directory.path) == nil)
        try directory.shell("mkdir .ledger && touch .ledger/genesis.xml")
        #expect(LedgerDirectory.find(from: directory.path)?.path.hasSuffix("/.ledger") == true)
        try directory.shell("touch genesis.xml")
        #expect(LedgerDirectory.find(from: directory.path)?.path == directory.path)
    }
}
