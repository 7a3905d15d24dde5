import Ledger
import Replication

/// What liars know: everything that was ever said in their world. Kept short, since the newest lies are the best.
struct Notebook {
    /// Blocks that some node accepted or a liar made up. Looked up, never iterated.
    private(set) var blocks: [Digest: AcceptedBlock] = [:]
    private(set) var recent: [Digest] = []
    private(set) var prepared: [PreparedCertificate] = []
    private(set) var committed: [CommitCertificate] = []
    private(set) var changes: [ViewChange] = []
    private(set) var newViews: [NewView] = []
    /// Messages of the liars themselves.
    private(set) var said: [Message] = []
    private var prepares: [BlockMark: [Signed<Prepare>]] = [:]
    private var commits: [BlockMark: [CommitVote]] = [:]
    /// Whether anyone in this world will read it.
    var isKept = false

    mutating func note(_ block: AcceptedBlock) {
        guard isKept, blocks.updateValue(block, forKey: block.headerHash) == nil else { return }
        Self.keep(block.headerHash, in: &recent, 24)
    }

    mutating func note(_ message: Message, committee: Committee) {
        guard isKept else { return }
        switch message {
        case .proposal(let proposal): add(proposal.prepare, committee)
        case .prepare(let prepare): add(prepare, committee)
        case .commit(let vote): add(vote, committee)
        case .viewChange(let change):
            if !changes.contains(change) { Self.keep(change, in: &changes, 40) }
        case .newView(let newView):
            if !newViews.contains(newView) { Self.keep(newView, in: &newViews, 16) }
        case .complaint, .prepared, .committed, .status, .entries, .fetch, .fetched: break
        }
    }

    mutating func hear(_ message: Message, at slot: Int, isLiar: Bool) {
        guard isKept, isLiar else { return }
        Self.keep(message, in: &said, 60)
    }

    private mutating func add(_ prepare: Signed<Prepare>, _ committee: Committee) {
        let mark = prepare.body.mark
        var votes = prepares[mark, default: []]
        guard !votes.contains(where: { $0.signer == prepare.signer }) else { return }
        votes.append(prepare)
        votes.sort { $0.signer < $1.signer }
        prepares[mark] = votes
        guard votes.count == committee.quorum,
            let certificate = PreparedCertificate(
                mark: mark, votes: votes.map { .init(member: $0.signer, signature: $0.signature) })
        else { return }
        Self.keep(certificate, in: &prepared, 24)
    }

    private mutating func add(_ vote: CommitVote, _ committee: Committee) {
        var votes = commits[vote.mark, default: []]
        guard !votes.contains(where: { $0.signer == vote.signer }) else { return }
        votes.append(vote)
        commits[vote.mark] = votes
        guard votes.count == committee.quorum,
            let certificate = CommitCertificate(
                header: vote.header,
                cosignatures: votes.map { .init(member: $0.signer, signature: $0.signature) })
        else { return }
        Self.keep(certificate, in: &committed, 24)
    }

    private static func keep<Element>(_ element: Element, in list: inout [Element], _ bound: Int) {
        list.append(element)
        if list.count > bound { list.removeFirst(list.count - bound) }
    }
}
