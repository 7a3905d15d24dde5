import Foundation
import Ledger
import Logging
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
            try FileManager.default.createDirectory(
                atPath: directory.dataPath, withIntermediateDirectories: true)
            log = try LogStore(directory: directory.dataPath, genesis: root, access: .writing(.full))
            let opened = try QueryStore.open(
                directory: directory.dataPath + "/query", ledger: directory.ledgerID)
            queries = opened.store
            if let reason = opened.rebuilt { logger.notice("\(reason)") }

            let follower = Follower(log: log, store: queries, logger: logger)
            self.follower = follower
            let network = try await Self.network(directory, logger: logger)
            driver = try ReplicaDriver(
                ports: .init(
                    log: log, voteKey: directory.voteKey, electorate: directory.electorate, network: network,
                    clock: clock,
                    onCommit: { published, blocks in follower.follow(to: published.size, blocks) },
                    report: { logger.error("\($0)") }),
                id: directory.id, genesis: genesis, ledgerID: directory.ledgerID)
        } catch let error as StoreError {
            throw CommandFailure(.unreachable, "\(error)", remedy: Self.remedy(error))
        }
        checker = EntryChecker(directory.decryption)
        receipts = ReceiptDesk(log: log, electorate: directory.electorate, ledgerKey: directory.ledgerKey)
        tokens = try await AccessTokens(genesis: genesis)
    }

    /// The connections with the other members; `nil` where there are none.
    private static func network(_ directory: NodeDirectory, logger: Logger) async throws -> PeerNetwork? {
        guard directory.genesis.members.count > 1 else { return nil }
        let listener = directory.configuration.peers
        let network: PeerNetwork
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
                .unreachable, "\(listener.host):\(listener.port) cannot be opened for peers: \(error)",
                remedy: "End what uses the port, or change it in \(directory.path)/config.json.")
        }
        return network
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
