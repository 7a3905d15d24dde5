import Foundation
import Ledger
import Replication
import Synchronization

/// All nodes of a ledger in this process: real disks, and TLS between them over the loopback. What is missing of a
/// node is its HTTPS server and its query store.
struct BenchCluster: Sendable {
    let drivers: [ReplicaDriver]

    private final class Ports: Sendable {
        private let ports = Mutex<[Int: Int]>([:])
        subscript(_ node: Int) -> Int? {
            get { ports.withLock { $0[node] } }
            set { ports.withLock { $0[node] = newValue } }
        }
    }

    /// - Parameters:
    ///   - directory: of the logs; new ones.
    ///   - gathersVotes: whether votes go to the primary alone; by the number of nodes without it.
    init(
        _ ledger: BenchLedger, in directory: String, validation: EntryValidation = .full,
        gathersVotes: Bool? = nil
    ) async throws {
        let ports = Ports()
        let size = ledger.nodes.count
        let root = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID).header
        var networks: [PeerNetwork?] = []
        for (position, node) in ledger.nodes.enumerated() where size > 1 {
            let network = try PeerNetwork(
                .init(
                    id: ReplicaID(UInt16(position)), ledgerID: ledger.ledgerID,
                    members: ledger.genesis.members, certificatePEM: node.tlsCertificatePEM,
                    keyPEM: node.tlsKeyPEM, listener: PeerAddress(host: "127.0.0.1", port: 0),
                    address: { id in ports[Int(id.value)].map { PeerAddress(host: "127.0.0.1", port: $0) } }))
            ports[position] = try await network.listen()
            networks.append(network)
        }
        // Many nodes on few cores are slow, which is what is measured.
        var patience = ReplicaDriver.Patience()
        patience.submission = .seconds(120)
        var drivers: [ReplicaDriver] = []
        for (position, node) in ledger.nodes.enumerated() {
            let path = directory + "/node\(position + 1)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            var driverPorts = ReplicaDriver.Ports(
                log: try LogStore(directory: path, genesis: root, access: .writing(.full)),
                voteKey: node.voteKey, electorate: ledger.electorate,
                network: size > 1 ? networks[position] : nil, clock: BenchLedger.now,
                report: { note("node \(position + 1): \($0)") })
            driverPorts.validation = validation
            drivers.append(
                try ReplicaDriver(
                    ports: driverPorts, id: ReplicaID(UInt16(position)), genesis: ledger.genesis,
                    ledgerID: ledger.ledgerID, patience: patience, gathersVotes: gathersVotes))
        }
        self.drivers = drivers
    }

    /// Clients that send an entry each, and the next when it is final, for some seconds.
    ///
    /// - Parameter node: where all of them send; without one they spread over all nodes.
    func load(
        _ entries: OpaqueEntries, clients: Int, seconds: Int, node: Int? = nil
    ) async throws -> ClosedLoop.Result {
        try await ClosedLoop(clients: clients, length: .seconds(seconds)).run { client in
            _ = try await drivers[node ?? client % drivers.count].submit(entries.make())
        }
    }

    func stop() async {
        for driver in drivers { await driver.stop() }
    }
}

/// Clients in this process that each wait for one entry before they bring the next, for a while.
struct ClosedLoop {
    let clients: Int
    let length: Duration

    struct Result: Sendable {
        let perSecond: Double
        let latencyMicroseconds: [Double]
    }

    /// - Parameter one: brings one entry, for a client with this number.
    func run(_ one: @escaping @Sendable (_ client: Int) async throws -> Void) async throws -> Result {
        let start = ContinuousClock.now
        let end = start + length
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for client in 0..<clients {
                group.addTask {
                    var latencies: [Double] = []
                    while ContinuousClock.now < end {
                        let sent = ContinuousClock.now
                        try await one(client)
                        latencies.append((ContinuousClock.now - sent).microseconds)
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let elapsed = (ContinuousClock.now - start).seconds
        return Result(perSecond: Double(latencies.count) / elapsed, latencyMicroseconds: latencies)
    }
}
