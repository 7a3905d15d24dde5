import Foundation
public import Ledger
public import Replication
import Synchronization

/// Several nodes of one ledger in this process, on real disks and real connections over the loopback.
public final class Cluster: Sendable {
    /// A node while it runs.
    public struct Running: Sendable {
        public let log: LogStore
        public let driver: ReplicaDriver
        public let checker: EntryChecker
    }

    public let ledger: TestLedger
    public let clock: ManualClock
    private let directory: TemporaryDirectory
    private let timing: Timing
    private let patience: [Int: ReplicaDriver.Patience]
    private let nodes: Mutex<[Running?]>
    private let addresses: Addresses
    private let reports = Mutex<[String]>([])
    private let commits = Commits()

    /// Where each node listens at present.
    private final class Addresses: Sendable {
        private let ports: Mutex<[Int?]>
        init(_ count: Int) { ports = Mutex(Array(repeating: nil, count: count)) }
        func set(_ port: Int?, of node: Int) { ports.withLock { $0[node] = port } }
        func find(_ id: ReplicaID) -> PeerAddress? {
            ports.withLock { $0[Int(id.value)] }.map { PeerAddress(host: "127.0.0.1", port: $0) }
        }
    }

    /// Starts all nodes.
    ///
    /// - Parameter patience: of single nodes. The others wait long: on a busy machine a few views may
    ///   fail, and that is not what these tests are about.
    public init(
        _ ledger: TestLedger, timing: Timing = Timing(), patience: [Int: ReplicaDriver.Patience] = [:]
    ) async throws {
        self.ledger = ledger
        self.timing = timing
        self.patience = patience
        clock = ManualClock(at: ledger.start)
        directory = try TemporaryDirectory()
        let size = ledger.genesis.members.count
        nodes = Mutex(Array(repeating: nil, count: size))
        addresses = Addresses(size)
        for node in 0..<size { try await start(node) }
    }

    public var size: Int { ledger.genesis.members.count }
    public var running: [Running] { nodes.withLock { $0.compactMap { $0 } } }
    /// What the nodes said went wrong.
    public var said: [String] { reports.withLock { $0 } }

    public func node(_ position: Int) throws -> Running {
        guard let running = nodes.withLock({ $0[position] }) else { throw NotRunning(position: position) }
        return running
    }

    public func path(of node: Int) -> String { directory.path + "/node\(node)" }

    /// The network of a node, on a port of its own.
    ///
    /// - Parameter keys: whose TLS key it shows; its own without.
    public func network(of node: Int, keys: NodeKeys? = nil) throws -> PeerNetwork {
        let tls = (keys ?? ledger.nodeKeys[node]).tls
        return try PeerNetwork(
            .init(
                id: ReplicaID(UInt16(node)), ledgerID: ledger.ledgerID, members: ledger.genesis.members,
                certificatePEM: tls.certificatePEM, keyPEM: tls.keyPEM,
                listener: PeerAddress(host: "127.0.0.1", port: 0),
                address: { [addresses] in addresses.find($0) },
                report: { [weak self] line in self?.note("node \(node): \(line)") }))
    }

    /// Starts a node, on what it left on its disk.
    public func start(_ node: Int) async throws {
        let network = try network(of: node)
        addresses.set(try await network.listen(), of: node)
        try FileManager.default.createDirectory(
            atPath: path(of: node), withIntermediateDirectories: true)
        let log = try LogStore(
            directory: path(of: node), genesis: ledger.genesisHeader, access: .writing(.full))
        var patient = ReplicaDriver.Patience()
        patient.submission = .seconds(1000)
        let driver = try ReplicaDriver(
            ports: .init(
                log: log, voteKey: ledger.voteKeys[node], electorate: ledger.electorate, network: network,
                clock: { [clock] in clock.now }, onCommit: { [commits] _, _ in commits.note() },
                report: { [weak self] line in self?.note("node \(node): \(line)") }),
            id: ReplicaID(UInt16(node)), genesis: ledger.genesis, ledgerID: ledger.ledgerID, timing: timing,
            patience: patience[node] ?? patient)
        let running = Running(log: log, driver: driver, checker: try ledger.checker(of: node))
        nodes.withLock { $0[node] = running }
    }

    /// Stops a node; its disk stays.
    public func stop(_ node: Int) async throws {
        let running = try self.node(node)
        nodes.withLock { $0[node] = nil }
        addresses.set(nil, of: node)
        await running.driver.stop()
    }

    public func stopAll() async throws {
        for node in 0..<size where (try? self.node(node)) != nil { try await stop(node) }
    }

    /// Checks a submission at a node as its routes do, and waits until it is final there.
    @discardableResult
    public func append(
        _ submission: [UInt8], at node: Int, as type: Statement.ContentType = .sealed
    ) async throws -> Acknowledgement {
        let running = try self.node(node)
        let entry = try running.checker.check(
            submission, expecting: type, state: running.driver.published.state, clock: clock.now)
        return try await running.driver.submit(entry)
    }

    /// Waits until every running node has `size` final entries.
    public func level(at size: UInt64) async throws {
        var seen = -1
        while !running.allSatisfy({ $0.driver.published.size >= size }) {
            seen = await commits.next(after: seen)
        }
    }

    private func note(_ line: String) { reports.withLock { $0.append(line) } }

    struct NotRunning: Error { let position: Int }

    /// Wakes those who wait for a commit, at whichever node.
    private final class Commits: Sendable {
        private struct State: Sendable {
            var count = 0
            var waiting: [CheckedContinuation<Int, Never>] = []
        }

        private let state = Mutex(State())

        func note() {
            let (count, waiting) = state.withLock { state in
                state.count += 1
                defer { state.waiting = [] }
                return (state.count, state.waiting)
            }
            for continuation in waiting { continuation.resume(returning: count) }
        }

        /// Returns the count of commits once it is another than `seen`.
        func next(after seen: Int) async -> Int {
            await withCheckedContinuation { continuation in
                let count: Int? = state.withLock { state in
                    if state.count != seen { return state.count }
                    state.waiting.append(continuation)
                    return nil
                }
                if let count { continuation.resume(returning: count) }
            }
        }
    }
}
