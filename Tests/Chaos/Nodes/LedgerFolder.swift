import Foundation
import Ledger
import TestSupport

/// A ledger that `ledgerd init` made, with everything that its first identities have.
public struct LedgerFolder: Sendable {
    public let path: String
    let basePort: Int
    let names: [String]
    let genesis: Genesis
    let genesisBytes: [UInt8]
    let ledgerID: Digest
    let policy: Policy

    /// - Parameter path: must not exist.
    public init(madeIn path: String, nodes: Int) async throws {
        self.path = path
        basePort = try FreePorts.base(nodes: nodes)
        names = (1...nodes).map { "node\($0)" }
        let made = try await Programs.run(
            "ledgerd",
            ["init", "--directory", path, "--nodes", String(nodes), "--base-port", String(basePort)])
        guard made.status == 0 else { throw ChaosFailure("`ledgerd init` failed: \(made.output)") }
        genesisBytes = try Self.read(path + "/genesis.xml")
        genesis = try Genesis.parse(genesisBytes)
        ledgerID = .sha256(genesisBytes)
        policy = try Policy(parsing: try Self.read(path + "/policy"))
    }

    static func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: path))) }

    func directory(_ node: Int) -> String { "\(path)/\(names[node])" }
    func url(_ node: Int) -> String { "https://127.0.0.1:\(basePort + node + 1)" }
    func peerPort(_ node: Int) -> Int { basePort + 100 + node + 1 }
    var authorityPath: String { path + "/ledger-ca.crt" }

    /// Tells each node where to dial the others: its own end of the mesh.
    func route(through mesh: LinkMesh) throws {
        for node in names.indices {
            let file = URL(filePath: directory(node) + "/config.json")
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
            guard var configuration = object as? [String: Any] else {
                throw ChaosFailure("\(file.path) is no object")
            }
            var addresses: [String: String] = [:]
            for other in names.indices {
                guard let port = mesh.port(from: node, to: other) else { continue }
                addresses[names[other]] = "127.0.0.1:\(port)"
            }
            configuration["peerAddresses"] = addresses
            try JSONSerialization.data(withJSONObject: configuration, options: [.sortedKeys]).write(to: file)
        }
    }

    /// A token for the queries.
    func analystToken() async throws -> String {
        let answer = try await Programs.run(
            "ledgerd", ["token", "--role", "analyst", "--for", "24h", "--directory", path])
        guard answer.status == 0 else { throw ChaosFailure("`ledgerd token` failed: \(answer.output)") }
        return answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) ?? .latest
    }
}
