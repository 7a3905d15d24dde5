import Ledger

/// Which messages can still change anything at a replica. It would pass over the others, so that nobody need verify
/// them: the votes behind a quorum, and what is said again to those who have not heard it.
///
/// What contradicts something held is always wanted, since it may prove that its signer lied.
public struct MessageNeeds: Sendable {
    private var committed = BlockHeight.genesis
    /// Blocks above the last final one with a prepared certificate here, or with the votes for one.
    private var prepared: [BlockMark] = []
    /// Blocks with a commit certificate here that are not final yet, since they are not on the disk.
    private var certified: [BlockMark] = []
    /// Who has voted for another block in the place of one of these.
    private var strays: [(mark: BlockMark, signer: ReplicaID)] = []
    /// The VIEW-CHANGE of the highest view that each node sent, by node.
    private var changes: [ViewChange?] = []
    private var view = View(0)
    private var isChanging = true
    /// The NEW-VIEW of the view that this node is in, and one whose base is not here yet.
    private var newViews: [NewView] = []

    /// All of them.
    init() {}

    fileprivate init(_ replica: Replica) {
        committed = replica.committed.height
        prepared = replica.tree.nodes.filter { node in
            node.isCommitReleased
                || replica.votes.prepared(
                    node.accepted.mark, quorum: replica.committee.quorum(for: .votes)) != nil
        }.map(\.accepted.mark)
        certified = replica.unsettled.map(\.mark)
        strays = replica.votes.strays(from: prepared + certified)
        changes = replica.changes
        view = replica.view
        isChanging = !replica.safety.isNormal
        newViews = [replica.safety.newView, replica.arriving].compactMap { $0 }
    }

    public func includes(_ message: Message) -> Bool {
        switch message {
        case .prepare(let prepare):
            needsPrepared(prepare.body.mark) || isStray(prepare.signer, from: prepare.body.mark)
        case .commit(let vote): needsCertified(vote.mark) || isStray(vote.signer, from: vote.mark)
        case .prepared(let certificate): needsPrepared(certificate.mark)
        case .committed(let certificate): needsCertified(certificate.mark)
        case .viewChange(let change): needs(change)
        case .newView(let newView): needs(newView)
        case .proposal, .complaint, .status, .entries, .fetch, .fetched: true
        }
    }

    private func isStray(_ signer: ReplicaID, from mark: BlockMark) -> Bool {
        strays.contains { $0.signer == signer && $0.mark == mark }
    }

    private func needsPrepared(_ mark: BlockMark) -> Bool { needsCertified(mark) && !prepared.contains(mark) }

    private func needsCertified(_ mark: BlockMark) -> Bool {
        mark.height > committed && !certified.contains(mark)
    }

    private func needs(_ change: ViewChange) -> Bool {
        let sender = Int(change.claim.signer.value)
        guard sender < changes.count, let known = changes[sender]?.claim.body else { return true }
        let claim = change.claim.body
        return claim.view > known.view || claim.view == known.view && claim != known
    }

    private func needs(_ newView: NewView) -> Bool {
        if case .committed(let certificate) = newView.certificate, needsCertified(certificate.mark) {
            return true
        }
        if let known = newViews.first(where: { $0.view == newView.view }) {
            return known.installation.body != newView.installation.body
        }
        return newView.view > view || newView.view == view && isChanging
    }
}

extension Replica {
    public var needs: MessageNeeds { MessageNeeds(self) }
}
