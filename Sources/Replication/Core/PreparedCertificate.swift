public import Ledger

/// `PC(v, k, h)`: PREPAREs of a quorum for one block.
public struct PreparedCertificate: Hashable, Sendable {
    public struct Vote: Hashable, Sendable {
        public let member: ReplicaID
        /// 64 bytes over `Prepare.signedBytes`.
        public let signature: [UInt8]

        public init(member: ReplicaID, signature: [UInt8]) {
            self.member = member
            self.signature = signature
        }
    }

    public let mark: BlockMark
    /// Members ascend, so each votes once, and one set of votes has one encoding.
    public let votes: [Vote]

    /// `nil` where members do not ascend, or are too many.
    public init?(mark: BlockMark, votes: [Vote]) {
        guard votes.count <= Ledger.Limits.members else { return nil }
        guard zip(votes, votes.dropFirst()).allSatisfy({ $0.member < $1.member }) else { return nil }
        self.mark = mark
        self.votes = votes
    }
}
