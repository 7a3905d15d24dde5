import Foundation
import Ledger
import Logging
import NIOCore
import NIOSSL
import Query
import Replication

/// Everything that one running node has, put together once.
final class Node: Sendable {
    let directory: NodeDirectory
    let log: LogStore
    let driver: ReplicaDriver
    let checker: EntryChecker
    let receipts: ReceiptDesk
    let queries: QueryStore
    let follower: Follower
    let tokens: AccessTokens
    let metrics = ServerMetrics()
    let bodies = ByteBudget(limitBytes: Limits.bodyBytes)
    let queryPlaces = QueryPlaces(count: Limits.queriesAtOnce, waiting: Limits.queriesWaiting)
    let streamPlaces = StreamPlaces(limit: Limits.streams)
    let feedPlaces = StreamPlaces(limit: Limits.feeds)
    let exportPlaces = StreamPlaces(limit: Limits.exports)
    /// How many entries are final.
    let settled: Growth
    let shownCertificates = ShownCertificates()
    let logger: Logger
    let clock: @Sendable () -> Timestamp

    /// Opens the node of a directory: reads its keys and its log, and settles what was in flight when it stopped.
    ///
    /// - Throws: `CommandFailure`.
    init(
        _ directory: NodeDirectory, logger: Logger, clock: @escaping @Sendable () -> Timestamp = Node.now
    ) async throws {
        self.directory = directory
        self.logger = logger
        self.clock = clock
        let genesis = directory.genesis
        do {
            let root = ChainTip(genesis: genesis, id: directory.ledgerID).header
            try Self.makeDataDirectory(directory)
            log = try LogStore(directory: directory.dataPath, genesis: root, access: .writing(.full))
            let opened = try QueryStore.open(
                directory: directory.dataPath + "/query", ledger: directory.ledgerID,
                aggregates: directory.aggregates, windows: directory.windows)
            queries = opened.store
            if let reason = opened.rebuilt { logger.notice("\(reason)") }

            let follower = try Follower(log: log, store: queries, logger: logger)
            self.follower = follower
            let settled = Growth()
            self.settled = settled
            let network = try await Self.network(directory, logger: logger)
            driver = try ReplicaDriver(
                ports: .init(
                    log: log, voteKey: directory.voteKey, electorate: directory.electorate, network: network,
                    clock: clock,
                    onCommit: { published, blocks in
                        follower.follow(to: published.size, blocks)
                        settled.reach(published.size)
                    },
                    report: { logger.error("\($0)") }),
                id: directory.id, genesis: genesis, ledgerID: directory.ledgerID)
            settled.reach(driver.published.size)
        } catch let error as StoreError {
            throw CommandFailure(.unreachable, "\(error)", remedy: Self.remedy(error))
        }
        checker = EntryChecker(directory.decryption)
        receipts = ReceiptDesk(log: log, electorate: directory.electorate, ledgerKey: directory.ledgerKey)
        tokens = try await AccessTokens(genesis: genesis)
    }

    private static func makeDataDirectory(_ directory: NodeDirectory) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: directory.dataPath, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(
                .unreachable, "\(directory.dataPath) cannot be used: \(error.localizedDescription)",
                remedy: "Make room for a directory there, or change “data” in \(directory.path)/config.json.")
        }
    }

    /// The connections with the other members; `nil` where there are none.
    private static func network(_ directory: NodeDirectory, logger: Logger) async throws -> PeerNetwork? {
        guard directory.genesis.members.count > 1 else { return nil }
        let listener = directory.configuration.peers
        let network: PeerNetwork
        let certificate = try? NIOSSLCertificate.fromPEMFile(directory.tlsCertificatePath).first
        let member = directory.genesis.members[Int(directory.id.value)]
        if let info = try certificate?.extractPublicKey().toSPKIBytes(),
            Digest.sha256(info).bytes != member.tlsKeyDigest
        {
            throw CommandFailure(
                .unreachable,
                "\(directory.tlsCertificatePath) is not of the key that the genesis names for \(member.name): "
                    + "the other nodes would refuse it",
                remedy: "Put back tls.key and tls.crt, which `ledgerd init` made.")
        }
        do {
            network = try PeerNetwork(
                .init(
                    id: directory.id, ledgerID: directory.ledgerID, members: directory.genesis.members,
                    certificatePEM: [UInt8](Data(contentsOf: URL(filePath: directory.tlsCertificatePath))),
                    keyPEM: [UInt8](Data(contentsOf: URL(filePath: directory.tlsKeyPath))),
                    listener: PeerAddress(host: listener.host, port: Int(listener.port)),
                    address: { [addresses = directory.peerAddresses] id in
                        Int(id.value) < addresses.count ? addresses[Int(id.value)] : nil
                    },
                    report: { logger.notice("\($0)") }))
        } catch {
            throw CommandFailure(
                .unreachable, "the TLS key or certificate in \(directory.path) cannot be used: \(error)",
                remedy: "Put back tls.key and tls.crt, which `ledgerd init` made.")
        }
        do { _ = try await network.listen() } catch {
            throw CommandFailure(
                .unreachable,
                "\(listener.host):\(listener.port) cannot be opened for peers: "
                    + ((error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"),
                remedy: "End what uses the port, or change “peers” in \(directory.path)/config.json.")
        }
        return network
    }

    /// What whoever asks should know beside an answer: that queries are a long way behind the log, or stand still.
    var queryWarnings: [String] {
        let (known, size) = (follower.followed.size, settled.size)
        let isBehind = known + UInt64(Limits.followerEntries) < size
        let stand = follower.trouble == nil ? "" : " and stand still"
        guard isBehind || !stand.isEmpty else { return [] }
        return ["this node's queries know \(known) of \(size) entries\(stand): ask another, or come back"]
    }

    /// What operators call a member.
    func name(of id: ReplicaID) -> String {
        let members = directory.genesis.members
        return Int(id.value) < members.count ? members[Int(id.value)].name : "\(id)"
    }

    @Sendable static func now() -> Timestamp {
        let milliseconds = (Date().timeIntervalSince1970 * 1000).rounded(.down)
        // A clock set outside the years 0001 to 9999 is held at their end; the block's time then says so.
        return Timestamp(milliseconds: Int64(exactly: milliseconds) ?? 0) ?? .latest
    }

    private static func remedy(_ error: StoreError) -> String {
        switch error {
        case .full: "Free some space, then start the node again."
        case .locked: "Stop the other process that serves this directory."
        case .otherFormat: "Use the version of ledgerd that wrote it."
        case .missing, .system: "Check the directory and its permissions."
        case .damaged:
            "Do not delete anything: run `ledgerd verify --directory` and see docs/operating.md, “Damage”."
        }
    }
}
