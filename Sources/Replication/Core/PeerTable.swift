import Ledger

/// What this node last heard of each other: hints, good enough to decide whom to ask.
struct PeerTable: Sendable {
    private struct Peer: Sendable {
        var status: Status?
        var heard: Duration = .zero
    }

    private var peers: [Peer]

    init(size: Int) { peers = Array(repeating: Peer(), count: size) }

    mutating func hear(_ node: ReplicaID, at now: Duration) { peers[Int(node.value)].heard = now }
    mutating func hearAll(at now: Duration) { for index in peers.indices { peers[index].heard = now } }
    func heard(_ node: ReplicaID) -> Duration { peers[Int(node.value)].heard }

    func status(of node: ReplicaID) -> Status? { peers[Int(node.value)].status }
    mutating func set(_ status: Status, of node: ReplicaID) { peers[Int(node.value)].status = status }

    /// It did not show what it says it has: it is taken to have no more than `height`.
    mutating func lower(_ node: ReplicaID, to height: BlockHeight) {
        guard let said = status(of: node) else { return }
        let lowered = Status(
            view: said.view, isChanging: said.isChanging, asksFor: said.asksFor, tip: said.tip,
            committed: min(said.committed, height))
        set(lowered, of: node)
    }

    /// The highest height that any of them says is final.
    var highestCommitted: BlockHeight { peers.compactMap { $0.status?.committed }.max() ?? .genesis }

    /// Whom to ask for blocks up to `height`: those who say that they have them, beginning after `previous`.
    func next(after previous: ReplicaID?, except own: ReplicaID, with height: BlockHeight) -> ReplicaID? {
        let count = peers.count
        let start = previous.map { Int($0.value) + 1 } ?? Int(own.value) + 1
        var anyone: ReplicaID?
        for offset in 0..<count {
            let index = (start + offset) % count
            guard index != Int(own.value) else { continue }
            let node = ReplicaID(UInt16(index))
            if let status = peers[index].status, status.committed >= height { return node }
            anyone = anyone ?? node
        }
        return anyone
    }
}
