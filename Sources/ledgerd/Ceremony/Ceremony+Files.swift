import Crypto
import Foundation
import Query

/// What a node reads before anything else: `config.json` in its directory. Paths are relative to it.
struct NodeConfiguration: Codable, Sendable, Equatable {
    struct Listener: Codable, Sendable, Equatable {
        var host: String
        var port: UInt16
    }

    /// The member of the genesis that this node is.
    var node: String
    var https: Listener
    var peers: Listener
    /// Where the log and the keys of its payloads are kept.
    var data: String
    /// Where this node dials others, by their names, if elsewhere than the genesis says: behind a tunnel, or a test's
    /// forwarder. `init` writes none.
    var peerAddresses: [String: String]?
    /// Continuous aggregates: docs/windows.md. `init` writes none.
    var windows: [WindowSettings]?
    /// Labels by which aggregates across series are kept besides the standard ones: docs/query-store.md. `init` writes
    /// none.
    var aggregates: [[String]]?

    static let fileName = "config.json"
}

extension Ceremony {
    /// Everything that `init` writes.
    ///
    /// Shape: docs/operating.md, "The directory". `genesis.xml` at the top comes last, so that a directory which
    /// has it has everything.
    func files(_ texts: PublicTexts) throws -> LedgerFiles {
        var files: [LedgerFiles.File] = []
        for node in nodes { files += try self.files(of: node, texts) }
        for client in clients {
            let path = "clients/\(client.plan.name)/\(client.plan.name)"
            files.append(.secret(path + ".key", client.identity.keyPEM))
            files.append(.open(path + ".crt", client.identity.certificatePEM))
        }
        files += [
            .secret("ledger-ca.key", authority.keyPEM),
            .open("ledger-ca.crt", authority.certificatePEM),
            .secret("token.key", tokenKey.pemRepresentation + "\n"),
        ]
        for node in nodes { files.append(.open("nodes/\(node.plan.name).crt", node.sealing.certificatePEM)) }
        files.append(.open("policy", texts.policy))
        files.append(.open("genesis.xml", texts.genesis))
        return LedgerFiles(directories: nodes.map { "\($0.plan.name)/data" }, files: files)
    }

    private func files(of node: Node, _ texts: PublicTexts) throws -> [LedgerFiles.File] {
        let name = node.plan.name
        let configuration = NodeConfiguration(
            node: name,
            https: .init(host: LedgerPlan.address, port: node.plan.httpsPort),
            peers: .init(host: LedgerPlan.address, port: node.plan.peerPort),
            data: "data")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return [
            .secret("\(name)/vote.key", Ed25519KeyFile.text(node.vote)),
            .secret("\(name)/ledger.key", Ed25519KeyFile.text(ledgerKey)),
            .secret("\(name)/sealing.key", node.sealing.keyPEM),
            .open("\(name)/sealing.crt", node.sealing.certificatePEM),
            .secret("\(name)/tls.key", node.tls.keyPEM),
            .open("\(name)/tls.crt", node.tls.certificatePEM),
            .open("\(name)/\(NodeConfiguration.fileName)", Array(try encoder.encode(configuration)) + [0x0A]),
            .open("\(name)/genesis.xml", texts.genesis),
        ]
    }
}
