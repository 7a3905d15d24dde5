import Foundation
import TestSupport
import Testing

@testable import ledgerd

/// Prometheus's own client, as users have it installed.
@Suite struct `promtool` {
    private static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: path != nil, "promtool is not installed (apt-get install prometheus)"))
    func `asks a node with a token as password`() async throws {
        let promtool = try #require(Self.path)
        let ledger = try await ServedLedger.shared.value
        try ledger.run(
            "append", "--measure", "promtool.asks=7{thing}", "--pipeline", "shop/web", "--run", "promtool"
        ).expecting(0)
        try ledger.followed()
        let token = try ledger.run("token", "--role", "analyst").expecting(0).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let server = ledger.url.replacing("https://", with: "https://x:\(token)@")
        func ask(_ arguments: String) throws -> String {
            return try ledger.directory.shell(
                "SSL_CERT_FILE='\(ledger.path)/ledger-ca.crt' '\(promtool)' query \(arguments)")
        }
        #expect(
            try ask("instant '\(server)' promtool_asks").contains(
                "promtool_asks{pipeline=\"shop/web\"} => 7 @"))
        #expect(try ask("range --step=60s '\(server)' promtool_asks").contains("7 @["))
        #expect(try ask("labels '\(server)' pipeline").contains("shop/web"))
        #expect(try ask("series --match=promtool_asks '\(server)'").contains("__name__=\"promtool_asks\""))
    }
}
