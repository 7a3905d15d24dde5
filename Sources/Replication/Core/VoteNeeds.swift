import Ledger

/// Which votes can still change anything at a replica. It would pass over the others, so that nobody need verify them.
struct VoteNeeds: Sendable {
    private var committed = BlockHeight.genesis
    /// Blocks above the last final one with a prepared certificate here, or with the votes for one.
    private var prepared: [BlockMark] = []
    /// Blocks with a commit certificate here that are not final yet, since they are not on the disk.
    private var certified: [BlockMark] = []

    /// All of them.
    init() {}

    fileprivate init(committed: BlockHeight, prepared: [BlockMark], certified: [BlockMark]) {
        self.committed = committed
        self.prepared = prepared
        self.certified = certified
    }

    /// A vote for another block than the certified one may prove that its signer lied: it is always wanted.
    func includes(_ message: Message) -> Bool {
        switch message {
        case .prepare(let prepare):
            let mark = prepare.body.mark
            return mark.height > committed && !prepared.contains(mark) && !certified.contains(mark)
        case .commit(let vote): return vote.header.height > committed && !certified.contains(vote.mark)
        case .proposal, .complaint, .viewChange, .newView, .prepared, .committed, .status, .entries, .fetch,
            .fetched:
            return true
        }
    }
}

extension Replica {
    var voteNeeds: VoteNeeds {
        VoteNeeds(
            committed: committed.height,
            prepared: tree.nodes.filter { node in
                node.isCommitReleased
                    || votes.prepared(node.accepted.mark, quorum: committee.quorum(for: .votes)) != nil
            }.map(\.accepted.mark),
            certified: unsettled.map(\.mark))
    }
}
