import Ledger

/// The votes for blocks that are not final, by the place they are for: one PREPARE and one COMMIT of each node for each
/// view and height. A second one for another block proves that its node lied.
struct VoteBook: Sendable {
    private struct Ballot: Sendable {
        let view: View
        let height: BlockHeight
        /// By signer, ascending, so that a certificate has one form.
        var prepares: [Signed<Prepare>] = []
        var commits: [CommitVote] = []
    }

    enum Added {
        case new
        case known
        case contradicts(Equivocation)
    }

    private var ballots: [Ballot] = []

    /// Places that have votes: bounded by what the replica lets in.
    var placeCount: Int { ballots.count }

    mutating func add(_ prepare: Signed<Prepare>) -> Added {
        let index = place(prepare.body.mark)
        if let first = ballots[index].prepares.first(where: { $0.signer == prepare.signer }) {
            return first.body == prepare.body ? .known : .contradicts(.prepares(first, prepare))
        }
        let position = ballots[index].prepares.firstIndex { $0.signer > prepare.signer }
        ballots[index].prepares.insert(prepare, at: position ?? ballots[index].prepares.endIndex)
        return .new
    }

    mutating func add(_ vote: CommitVote) -> Added {
        let index = place(vote.mark)
        if let first = ballots[index].commits.first(where: { $0.signer == vote.signer }) {
            return first.headerHash == vote.headerHash ? .known : .contradicts(.commits(first, vote))
        }
        let position = ballots[index].commits.firstIndex { $0.signer > vote.signer }
        ballots[index].commits.insert(vote, at: position ?? ballots[index].commits.endIndex)
        return .new
    }

    func prepared(_ mark: BlockMark, quorum: Int) -> PreparedCertificate? {
        let votes = ballot(mark)?.prepares.filter { $0.body.mark == mark } ?? []
        guard votes.count >= quorum else { return nil }
        return PreparedCertificate(
            mark: mark, votes: votes.map { .init(member: $0.signer, signature: $0.signature) })
    }

    func committed(_ mark: BlockMark, quorum: Int) -> CommitCertificate? {
        let votes = ballot(mark)?.commits.filter { $0.headerHash == mark.headerHash } ?? []
        guard votes.count >= quorum, let header = votes.first?.header else { return nil }
        return CommitCertificate(
            header: header, cosignatures: votes.map { .init(member: $0.signer, signature: $0.signature) })
    }

    func hasPrepare(of node: ReplicaID, for mark: BlockMark) -> Bool {
        ballot(mark)?.prepares.contains { $0.signer == node && $0.body.mark == mark } ?? false
    }

    /// Who has voted for another block at the place of one of these, so that a vote for it would prove a lie.
    func strays(from marks: [BlockMark]) -> [(mark: BlockMark, signer: ReplicaID)] {
        marks.flatMap { mark in
            let others = ballot(mark)
            let prepares = others?.prepares.filter { $0.body.mark != mark }.map(\.signer) ?? []
            let commits = others?.commits.filter { $0.headerHash != mark.headerHash }.map(\.signer) ?? []
            return (prepares + commits).map { (mark, $0) }
        }
    }

    /// Forgets what is final, and the votes of views that are long over.
    mutating func prune(upTo committed: BlockHeight, before view: View) {
        ballots.removeAll { $0.height <= committed || $0.view < view }
    }

    private func ballot(_ mark: BlockMark) -> Ballot? {
        ballots.first { $0.view == mark.view && $0.height == mark.height }
    }

    private mutating func place(_ mark: BlockMark) -> Int {
        if let index = ballots.firstIndex(where: { $0.view == mark.view && $0.height == mark.height }) {
            return index
        }
        ballots.append(Ballot(view: mark.view, height: mark.height))
        return ballots.endIndex - 1
    }
}
