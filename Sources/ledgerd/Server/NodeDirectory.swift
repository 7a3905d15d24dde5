import Foundation
import Ledger
import Query
import Replication

/// What a node reads from its directory before it serves: who it is, and its keys.
///
/// Shape: docs/operating.md, "The directory".
struct NodeDirectory: Sendable {
    let path: String
    let configuration: NodeConfiguration
    /// The exact bytes; their SHA-256 is the ledger id.
    let genesisBytes: [UInt8]
    let genesis: Genesis
    let ledgerID: Digest
    /// This node among the members.
    let id: ReplicaID
    /// Where this node dials each member, itself included.
    let peerAddresses: [PeerAddress?]
    /// The continuous aggregates that this node keeps.
    let windows: [WindowDefinition]
    /// The aggregates across series that this node keeps.
    let aggregates: AggregateKinds
    let electorate: Electorate
    let policy: Policy
    let voteKey: SigningKey
    let ledgerKey: NoteSigningKey
    let decryption: EntryChecker.NodeDecryption

    var tlsCertificatePath: String { path + "/tls.crt" }
    var tlsKeyPath: String { path + "/tls.key" }
    var dataPath: String {
        configuration.data.hasPrefix("/") ? configuration.data : path + "/" + configuration.data
    }

    /// - Throws: `CommandFailure` that names the file at fault.
    init(path: String) throws {
        self.path = path
        let configurationBytes = try Self.read(NodeConfiguration.fileName, in: path)
        do {
            configuration = try JSONDecoder().decode(NodeConfiguration.self, from: Data(configurationBytes))
            windows = try WindowDefinition.all(configuration.windows ?? [])
            aggregates = try AggregateKinds(declared: configuration.aggregates ?? [])
        } catch let error as QuerySettingsError {
            throw CommandFailure(
                .unreachable, "\(path)/\(NodeConfiguration.fileName): \(error)", remedy: error.remedy)
        } catch {
            throw CommandFailure(
                .unreachable, "\(path)/\(NodeConfiguration.fileName): \(Self.reason(error))",
                remedy: "Correct it: docs/operating.md, “The directory”, shows its form.")
        }

        genesisBytes = try Self.read("genesis.xml", in: path)
        do { genesis = try Genesis.parse(genesisBytes) } catch {
            throw Self.unusable("genesis.xml", in: path, "\(error)")
        }
        ledgerID = .sha256(genesisBytes)
        do {
            electorate = try Electorate(origin: genesis.origin, members: genesis.members)
            policy = try Policy(of: genesis)
        } catch { throw Self.unusable("genesis.xml", in: path, error.reason) }

        let name = configuration.node
        guard let position = genesis.members.firstIndex(where: { $0.name == name }) else {
            throw Self.unusable(
                NodeConfiguration.fileName, in: path,
                "the genesis has no member “\(Printable.line(name))”, but "
                    + genesis.members.map(\.name).joined(separator: ", "))
        }
        let member = genesis.members[position]
        id = ReplicaID(UInt16(position))
        peerAddresses = try Self.peerAddresses(genesis, configuration, in: path)

        voteKey = try Self.readEd25519("vote.key", in: path, public: member.voteKey)
        ledgerKey = NoteSigningKey(
            name: electorate.origin, kind: .note,
            key: try Self.readEd25519("ledger.key", in: path, public: genesis.ledgerKey))
        let sealingKey = try Self.read("sealing.key", in: path)
        do throws(EnvelopeError) {
            let certificate = try KeyCertificate(der: member.sealingCertificate)
            let key = try DecryptionKey(pem: sealingKey)
            guard key.matches(certificate) else {
                throw EnvelopeError(.badKey, "it is not the key of the member's sealing certificate")
            }
            decryption = EntryChecker.NodeDecryption(key: key, certificate: certificate)
        } catch { throw Self.unusable("sealing.key", in: path, error.reason) }
    }

    /// What the genesis says, unless the configuration knows better. Keys are pinned, so that a wrong address costs
    /// availability at most.
    private static func peerAddresses(
        _ genesis: Genesis, _ configuration: NodeConfiguration, in path: String
    ) throws -> [PeerAddress?] {
        let others = configuration.peerAddresses ?? [:]
        for (name, text) in others.sorted(by: { $0.key < $1.key }) {
            guard genesis.members.contains(where: { $0.name == name }), PeerAddress(text) != nil else {
                throw unusable(
                    NodeConfiguration.fileName, in: path,
                    "peerAddresses: “\(name)” is no member of the genesis, or “\(text)” is not host:port")
            }
        }
        return genesis.members.map { PeerAddress(others[$0.name] ?? $0.peerAddress) }
    }

    private static func readEd25519(
        _ name: String, in path: String, public expected: [UInt8]
    ) throws -> SigningKey {
        let text = String(decoding: try read(name, in: path), as: UTF8.self)
        guard let seed = Ed25519KeyFile.seed(text), let key = SigningKey(seed: seed) else {
            throw unusable(name, in: path, "it is not an Ed25519 private key in PKCS #8")
        }
        guard key.verificationKey.bytes == expected else {
            throw unusable(name, in: path, "it is not the key that the genesis names")
        }
        return key
    }

    private static func read(_ name: String, in path: String) throws -> [UInt8] {
        do { return [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name))) } catch {
            let reason = error.localizedDescription
            guard FileManager.default.fileExists(atPath: path + "/" + NodeConfiguration.fileName) else {
                throw CommandFailure(
                    .unreachable, "\(path) is not the directory of a node: it has no \(name)",
                    remedy: "Name the directory of one node, made by `ledgerd init` (DIR/node1).")
            }
            throw CommandFailure(
                .unreachable, "\(path)/\(name) cannot be read: \(reason)",
                remedy: "Put back the file that `ledgerd init` made, readable for the one who runs the node.")
        }
    }

    /// What is wrong with a configuration, in the words of its file.
    private static func reason(_ error: any Error) -> String {
        func place(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
            let keys = (path + [last].compactMap { $0 }).map(\.stringValue)
            return keys.isEmpty ? "it" : "“\(keys.joined(separator: "."))”"
        }
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            return "\(place(context.codingPath, key)) is missing"
        case DecodingError.valueNotFound(_, let context): return "\(place(context.codingPath)) is null"
        case DecodingError.typeMismatch(_, let context):
            return "\(place(context.codingPath)) is of another kind than it should be"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(place(context.codingPath)) is out of its range"
        default: return "it is not JSON, or a number in it is out of its range"
        }
    }

    private static func unusable(_ name: String, in path: String, _ reason: String) -> CommandFailure {
        CommandFailure(
            .unreachable, "\(path)/\(name): \(reason)", remedy: "Put back the file that `ledgerd init` made.")
    }
}
