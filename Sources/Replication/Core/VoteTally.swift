import Ledger

/// Counts the votes for one block, one for each node.
struct VoteTally: Sendable {
    let quorum: Int
    /// In the order of the replicas, so that a certificate has one form.
    private(set) var votes: [(replica: ReplicaID, signature: [UInt8])] = []

    init(quorum: Int) { self.quorum = quorum }

    var isQuorum: Bool { votes.count >= quorum }

    /// - Returns: Whether the vote was new.
    @discardableResult
    mutating func add(_ replica: ReplicaID, _ signature: [UInt8]) -> Bool {
        let place = votes.firstIndex { $0.replica >= replica } ?? votes.endIndex
        if place < votes.endIndex, votes[place].replica == replica { return false }
        votes.insert((replica, signature), at: place)
        return true
    }
}
