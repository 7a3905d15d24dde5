import Foundation
import Ledger

/// A directory that `init` made: a command that runs in it needs no options.
struct LedgerDirectory: Sendable, Equatable {
    let path: String

    /// `directory` itself or its `.ledger`, whichever has a `genesis.xml`, which `init` writes last.
    static func find(from directory: String = FileManager.default.currentDirectoryPath) -> LedgerDirectory? {
        [directory, directory + "/.ledger"]
            .first { FileManager.default.fileExists(atPath: $0 + "/genesis.xml") }
            .map(LedgerDirectory.init(path:))
    }

    var genesisPath: String { path + "/genesis.xml" }
    var policyPath: String { path + "/policy" }
    var authorityPath: String { path + "/ledger-ca.crt" }
    var tokenKeyPath: String { path + "/token.key" }

    func identityPath(_ name: String) -> String { "\(path)/clients/\(name)" }

    /// Where the nodes of this directory listen, by the files that they read themselves; by the genesis where a node
    /// lies elsewhere.
    func urls(_ genesis: Genesis) -> [String] {
        genesis.members.map { listeningURL(of: $0.name) ?? $0.url }
    }

    private func listeningURL(of node: String) -> String? {
        guard
            let data = FileManager.default.contents(atPath: "\(path)/\(node)/\(NodeConfiguration.fileName)"),
            let configuration = try? JSONDecoder().decode(NodeConfiguration.self, from: data),
            configuration.https.port != 0
        else { return nil }
        let host = configuration.https.host
        // One who listens everywhere is reached on loopback.
        let reached = ["0.0.0.0", "::", ""].contains(host) ? LedgerPlan.address : host
        return "https://\(reached.contains(":") ? "[\(reached)]" : reached):\(configuration.https.port)"
    }
}

extension CommandFailure {
    /// Reads a file that a person named.
    static func reading(_ path: String, limitBytes: Int = Limits.smallAnswerBytes) throws -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure(
                .wrongUsage, "\(path) cannot be read",
                remedy: "Name a file that is there and that you may read.")
        }
        defer { try? handle.close() }
        let data: Data
        do { data = try handle.read(upToCount: limitBytes + 1) ?? Data() } catch {
            throw CommandFailure(
                .wrongUsage, "\(path) cannot be read: \(error.localizedDescription)", remedy: "Name a file.")
        }
        guard data.count <= limitBytes else {
            throw CommandFailure(
                .wrongUsage, "\(path) is over the limit of \(limitBytes) bytes",
                remedy: "Name a smaller file.")
        }
        return [UInt8](data)
    }
}
