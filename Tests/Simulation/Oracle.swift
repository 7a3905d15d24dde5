import Ledger
import Replication

/// What must hold in every world at every step, worked out beside the replica and without its help.
struct Oracle {
    private let committee: Committee
    private let votes: SimulatedVotes
    /// What honest nodes committed: the chain so far, height k at position k; the genesis block first.
    private(set) var tips: [ChainTip]
    /// Documents in it.
    private var identities: Set<DocumentIdentity> = []
    /// Statement digests, with their places.
    private(set) var places: [Digest: UInt64] = [:]
    /// Entries that someone was told are final.
    private(set) var acknowledgedSize: UInt64 = 0
    /// For each entry, how much was acknowledged when it was first submitted.
    private var floors: [Digest: UInt64] = [:]
    /// What each honest node has put its name to.
    private var signed: [Place: Digest] = [:]
    /// By node: the highest view that it ever asked for.
    private var asked: [View]
    /// By slot: the highest prepared certificate that it has written. Looked up, never iterated.
    private var highestPrepared: [Int: BlockMark] = [:]
    private var parents: [Digest: Digest] = [:]
    /// The highest PREPARE of each honest node in each view.
    private var highest: [Place: BlockMark] = [:]
    /// Where each honest node began each view; the start of the epoch is not kept.
    private var bases: [Place: BlockMark] = [:]
    /// Whether what honest nodes write and sign is judged, or only what becomes final of it.
    var judgesVotes = true

    private struct Place: Hashable {
        enum Kind: Hashable { case prepare, commit, claim, newView, beginning }
        let slot: Int
        let kind: Kind
        let view: View
        let height: BlockHeight
    }

    init(genesis: ChainTip, votes: SimulatedVotes) {
        committee = votes.committee
        self.votes = votes
        tips = [genesis]
        asked = Array(repeating: View(0), count: votes.committee.size)
    }

    mutating func submitted(_ entry: Digest) {
        if floors[entry] == nil { floors[entry] = acknowledgedSize }
    }

    /// Checks one block that an honest node calls final, the one above its last.
    mutating func committed(_ block: CertifiedBlock, above height: UInt64) -> String? {
        let header = block.accepted.header
        guard header.height.value == height + 1 else {
            return "commits block \(header.height) after block \(height)"
        }
        if let certificate = block.certificate, let fault = check(certificate, for: header) { return fault }
        let position = Int(header.height.value)
        if position < tips.count {
            guard tips[position].headerHash == block.accepted.headerHash else {
                return "DISAGREEMENT: commits another block \(header.height) than others did"
            }
        } else if let fault = extend(by: block.accepted) {
            return fault
        }
        acknowledgedSize = max(acknowledgedSize, header.treeSize)
        return nil
    }

    private func check(_ certificate: CommitCertificate, for header: BlockHeader) -> String? {
        guard certificate.header == header else { return "a certificate of another block" }
        guard certificate.cosignatures.count >= committee.quorum else {
            return "commits block \(header.height) with \(certificate.cosignatures.count) votes"
        }
        let message = votes.commitMessage(for: header)
        for vote in certificate.cosignatures
        where !votes.isValid(vote.signature, by: vote.member, over: message) {
            return "a certificate with a bad vote"
        }
        return nil
    }

    private mutating func extend(by accepted: AcceptedBlock) -> String? {
        let parent = tips[tips.count - 1]
        let header = accepted.header
        let again = parent.extended(
            by: accepted.block.entries, view: header.view, epoch: header.epoch, clock: header.time)
        guard again.block.header == header else {
            return "commits a block \(header.height) that does not verify"
        }
        let first = parent.header.treeSize
        for (position, entry) in accepted.entries.enumerated() {
            let place = first + UInt64(position)
            let digest = entry.entry.statement.digest
            if let identity = entry.identity, !identities.insert(identity).inserted {
                return "a document stands twice in the log"
            }
            if places.updateValue(place, forKey: digest) != nil { return "an entry stands twice in the log" }
            guard let floor = floors[digest] else { return "an entry that no client submitted is final" }
            guard place >= floor else {
                return "an entry precedes one that was final before it was submitted"
            }
        }
        tips.append(again.tip)
        return nil
    }

    /// Something is on its way that asks for a view, true or not.
    mutating func sends(_ message: Message, from id: ReplicaID) {
        let view: View
        switch message {
        case .complaint(let failed): view = failed.value < UInt64(Int64.max) ? View(failed.value + 1) : failed
        case .viewChange(let change): view = change.claim.body.view
        case .status(let status): view = status.asksFor
        case .proposal, .prepare, .commit, .newView, .prepared, .committed, .entries, .fetch, .fetched: return
        }
        asked[Int(id.value)] = max(asked[Int(id.value)], view)
    }

    // MARK: What honest nodes write

    /// A view begins with the claims of a quorum, at the highest block that any of them names, and once. The highest
    /// prepared certificate never falls, over restarts too.
    mutating func saved(_ state: SafetyState, slot: Int) -> String? {
        guard judgesVotes else { return nil }
        if let before = highestPrepared[slot] {
            guard let prepared = state.prepared, !isBelow(prepared.mark, before) else {
                return "forgets the certificate of view \(before.view), height \(before.height)"
            }
        }
        highestPrepared[slot] = state.prepared?.mark
        guard state.phase == .normal, let newView = state.newView else { return nil }
        let body = newView.installation.body
        guard body.claims.count >= committee.quorum else {
            return "begins view \(body.view) with \(body.claims.count) claims"
        }
        let base = body.claims.compactMap(\.body.highest).reduce(nil as BlockMark?) { best, mark in
            guard let best else { return mark }
            return isBelow(best, mark) ? mark : best
        }
        guard state.base == base else {
            return "begins view \(body.view) at another block than the highest claimed"
        }
        bases[Place(slot: slot, kind: .beginning, view: body.view, height: .genesis)] = base
        return note(.beginning, mark(of: body), slot)
    }

    private func isBelow(_ left: BlockMark, _ right: BlockMark) -> Bool {
        (left.view, left.height) < (right.view, right.height)
    }

    private func mark(of body: Installation) -> BlockMark {
        BlockMark(
            view: body.view, height: .genesis,
            headerHash: .sha256(body.signedBytes(SigningContext(ledgerID: .zero, epoch: Epoch(0)))))
    }

    // MARK: What honest nodes sign

    /// Two statements of one kind for one place are proof of a lie: an honest node never gives it, restarts included.
    mutating func signs(_ message: Message, slot: Int, _ replica: Replica) -> String? {
        guard judgesVotes else { return nil }
        switch message {
        case .proposal(let proposal): return prepares(proposal.prepare.body.mark, slot)
        case .prepare(let prepare): return prepares(prepare.body.mark, slot)
        case .commit(let vote):
            if replica.view != vote.header.view || replica.safety.phase != .normal {
                return "signs a COMMIT of view \(vote.header.view) outside it"
            }
            return note(.commit, vote.mark, slot)
        case .viewChange(let change):
            let claim = change.claim.body
            let own = Int(replica.id.value)
            let askers = asked.indices.count { $0 == own || asked[$0] >= claim.view }
            guard askers > committee.faultsTolerated else { return "leaves for view \(claim.view) alone" }
            return note(
                .claim,
                BlockMark(
                    view: claim.view, height: .genesis,
                    headerHash: .sha256(claim.signedBytes(SigningContext(ledgerID: .zero, epoch: Epoch(0))))),
                slot)
        case .newView(let newView):
            guard newView.installation.signer.value == replica.id.value else { return nil }
            return note(.newView, mark(of: newView.installation.body), slot)
        case .complaint, .prepared, .committed, .status, .entries, .fetch, .fetched: return nil
        }
    }

    /// What a block stands on, for the rule that PREPAREs of one view lie on one chain.
    mutating func learn(_ header: BlockHeader, _ hash: Digest) { parents[hash] = header.parent }

    private mutating func prepares(_ mark: BlockMark, _ slot: Int) -> String? {
        note(.prepare, mark, slot) ?? checkChain(mark, slot) ?? checkBase(mark, slot)
    }

    /// What an honest node votes for extends the base of the view, or what was settled in this very view: a lying primary
    /// may have begun it elsewhere with the others.
    private func checkBase(_ mark: BlockMark, _ slot: Int) -> String? {
        guard let base = bases[Place(slot: slot, kind: .beginning, view: mark.view, height: .genesis)] else {
            return nil
        }
        var hash = mark.headerHash
        var height = mark.height
        while height > .genesis {
            if hash == base.headerHash { return nil }
            let position = Int(height.value)
            if position < tips.count, tips[position].headerHash == hash,
                tips[position].header.view == mark.view
            {
                return nil
            }
            guard let parent = parents[hash] else { return nil }
            hash = parent
            height = height.previous
        }
        return "signs a PREPARE of view \(mark.view) for a block that does not extend its base"
    }

    private mutating func checkChain(_ mark: BlockMark, _ slot: Int) -> String? {
        let place = Place(slot: slot, kind: .prepare, view: mark.view, height: .genesis)
        guard let other = highest[place] else {
            highest[place] = mark
            return nil
        }
        let (low, high) = mark.height < other.height ? (mark, other) : (other, mark)
        highest[place] = high
        var hash = high.headerHash
        for _ in low.height.value..<high.height.value {
            guard let parent = parents[hash] else { return nil }
            hash = parent
        }
        return hash == low.headerHash ? nil : "signs PREPAREs of view \(mark.view) off its chain"
    }

    private mutating func note(_ kind: Place.Kind, _ mark: BlockMark, _ slot: Int) -> String? {
        let place = Place(slot: slot, kind: kind, view: mark.view, height: mark.height)
        guard let first = signed[place] else {
            signed[place] = mark.headerHash
            return nil
        }
        return first == mark.headerHash
            ? nil : "signs two different \(kind)s for view \(mark.view), height \(mark.height)"
    }
}
