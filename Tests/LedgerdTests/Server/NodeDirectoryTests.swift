import Foundation
import Ledger
import Replication
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `A node's directory` {
    /// A ledger of one node; its member's name is all that an address needs.
    private func withNode(_ addresses: [String: String]?, _ body: (String) throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        try await MadeLedger.shared().copy(to: directory)
        let node = directory.path + "/ledger/node1"
        let file = URL(filePath: node + "/config.json")
        var configuration = try JSONDecoder().decode(NodeConfiguration.self, from: Data(contentsOf: file))
        configuration.peerAddresses = addresses
        try JSONEncoder().encode(configuration).write(to: file)
        try body(node)
    }

    @Test func `says where peers are dialled: as in the genesis, or as its configuration knows better`()
        async throws
    {
        try await withNode(nil) { path in
            let node = try NodeDirectory(path: path)
            let member = try #require(node.genesis.members.first)
            #expect(node.peerAddresses == [PeerAddress(member.peerAddress)])
        }
        try await withNode(["node1": "[::1]:9000"]) { path in
            let node = try NodeDirectory(path: path)
            #expect(node.peerAddresses == [PeerAddress(host: "::1", port: 9000)])
        }
    }

    @Test(arguments: [
        ["node9": "127.0.0.1:1"], ["node1": "127.0.0.1"], ["node1": ":7"], ["node1": "a:70000"],
    ])
    func `refuses an address of nobody, or one that is none`(addresses: [String: String]) async throws {
        try await withNode(addresses) { path in
            let failure = #expect(throws: CommandFailure.self) { try NodeDirectory(path: path) }
            #expect(failure?.what.contains("peerAddresses") == true)
        }
    }
}
