import Foundation
import Ledger
import Logging
import TestSupport
import Testing

@testable import ledgerd

@Suite(.timeLimit(.minutes(20))) struct `A node whose files are not as they should be` {
    /// What is done in the node's directory, and what the node then says.
    static let damages = [
        (": > config.json", "config.json: it is not JSON"),
        ("sed -i 's/\"host\"/\"haus\"/' config.json", ".host” is missing"),
        ("sed -i 's/\"node1\"/7/' config.json", "“node” is of another kind"),
        ("sed -i 's/\"node1\"/\"node9\"/' config.json", "no member “node9”, but node1"),
        (
            "sed -i '1s/{/{\"aggregates\":[[\"a\"],[\"__name__\"]],/' config.json",
            "aggregates[1][0] is “__name__”"
        ),
        ("sed -i '1s/{/{\"aggregates\":\"branch\",/' config.json", "“aggregates” is of another kind"),
        ("printf x >> genesis.xml", "genesis.xml: line"),
        ("rm genesis.xml", "genesis.xml cannot be read"),
        ("rm config.json", "is not the directory of a node"),
        ("rm ledger.key", "ledger.key cannot be read"),
        ("cp ledger.key vote.key", "vote.key: it is not the key that the genesis names"),
        ("echo x > vote.key", "vote.key: it is not an Ed25519 private key"),
        ("cp tls.key sealing.key", "sealing.key: "),
        (": > tls.key", "tls.key and tls.crt"),
        (
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out tls.key",
            "tls.key and tls.crt"
        ),
        ("rm -r data && touch data", "data cannot be used"),
    ]

    @Test(arguments: damages)
    func `says which, and what to do`(damage: String, says: String) async throws {
        let directory = try TemporaryDirectory()
        try await MadeLedger.shared().copy(to: directory)
        let path = directory.path + "/ledger/node1"
        try directory.shell("cd ledger/node1 && \(damage) 2>/dev/null")
        let failure = await #expect(throws: CommandFailure.self) {
            let node = try await Node(NodeDirectory(path: path), logger: Logger(label: "test"))
            try await NodeServer(node, stopSignals: [], onServing: { _ in }).run()
        }
        #expect(failure?.status == .unreachable)
        #expect(failure?.what.contains(says) == true, "\(String(describing: failure))")
        #expect(failure?.what.contains("Error") == false, "\(String(describing: failure))")
        #expect(failure?.remedy.hasSuffix(".") == true)
    }
}
