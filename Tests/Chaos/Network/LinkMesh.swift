/// The network between nodes: a forwarder for each ordered pair, a link for each direction.
public final class LinkMesh: Sendable {
    private let links: [[Link]]
    private let forwarders: [[LinkForwarder?]]
    /// Where node i dials node j: `dialled[i][j]`, `nil` for itself.
    let dialled: [[Int?]]

    /// - Parameters:
    ///   - targets: where each node listens, on the loopback.
    ///   - seed: of delays and losses. The same seed brings the same ones in the same order; which bytes they meet
    ///     depends on the processes.
    public init(targets: [Int], seed: UInt64) async throws {
        let count = targets.count
        let links = (0..<count).map { from in
            (0..<count).map { to in Link(seed: seed &+ UInt64(from * count + to)) }
        }
        var forwarders: [[LinkForwarder?]] = []
        var dialled: [[Int?]] = []
        for from in 0..<count {
            var row: [LinkForwarder?] = []
            var ports: [Int?] = []
            for to in 0..<count {
                guard from != to else {
                    row.append(nil)
                    ports.append(nil)
                    continue
                }
                let forwarder = LinkForwarder(
                    there: links[from][to], back: links[to][from], target: targets[to])
                ports.append(try await forwarder.listen())
                row.append(forwarder)
            }
            forwarders.append(row)
            dialled.append(ports)
        }
        self.links = links
        self.forwarders = forwarders
        self.dialled = dialled
    }

    /// The port at which node `from` reaches node `to`.
    public func port(from: Int, to: Int) -> Int? { dialled[from][to] }

    /// Sets one direction.
    public func set(_ condition: LinkCondition, from: Int, to: Int) { links[from][to].set(condition) }

    /// Everything arrives again, at once.
    public func heal() {
        for row in links { for link in row { link.set(.sound) } }
    }

    public func stop() async {
        for row in forwarders { for forwarder in row { await forwarder?.stop() } }
    }
}
