import Ledger

/// From a proposal to a final block (normal case, 3 to 5).
extension Replica {
    mutating func receive(_ proposal: Verified<CheckedProposal>, _ turn: inout Turn) {
        peers.hear(proposal.sender, at: turn.now.uptime)
        note(proposal.value.prepare, &turn)
        consider(proposal, &turn)
    }

    /// The primary put its name to entries that do not hold. Its PREPARE still counts as evidence.
    mutating func receiveBad(_ proposal: Verified<CheckedProposal>, _ turn: inout Turn) {
        peers.hear(proposal.sender, at: turn.now.uptime)
        note(proposal.value.prepare, &turn)
        if proposal.value.header.view == view, safety.isNormal { complain(&turn) }
    }

    /// Accepts a proposal, keeps it for later, or drops it.
    private mutating func consider(_ verified: Verified<CheckedProposal>, _ turn: inout Turn) {
        let proposal = verified.value
        let header = proposal.header
        guard header.view >= view else { return }
        guard header.view == view, safety.isNormal else { return keepForLater(verified) }
        if let known = tree[proposal.headerHash], tree.isAncestor(known.hash, of: tipHash) {
            // The primary asks again: it lacks our vote.
            return repeatVotes(for: known, &turn)
        }
        guard !safety.hasLeftItsChain else { return }
        guard header.height <= tip.header.height.next else { return keepForLater(verified) }
        guard header.height == tip.header.height.next || Defect.isActive(.twoVotesPerHeight),
            header.parent == tipHash || breaksItsChain(for: header)
        else { return }
        guard hasRoom(for: header.height) else { return keepForLater(verified) }
        if header.parent != tipHash { moveTip(to: header.parent, &turn) }

        let latest = turn.now.time.advanced(byMilliseconds: Ledger.Limits.clockDriftMilliseconds)
        guard header.time <= latest else { return }
        guard let block = extend(tip, state, by: proposal.entries, under: header, admittedBy: turn.documents)
        else { return complain(&turn) }
        accept(block, &turn)
    }

    /// Never, but for the defects that vote off the chain.
    private func breaksItsChain(for header: BlockHeader) -> Bool {
        guard Defect.isActive(.votesOffTheChain) || Defect.isActive(.twoVotesPerHeight) else { return false }
        return tree.contains(header.parent)
    }

    /// Too high or too early. One for each place, and few of them: the primary sends again what is missing.
    private mutating func keepForLater(_ proposal: Verified<CheckedProposal>) {
        let header = proposal.value.header
        guard header.view.value <= view.value + Limits.viewsAhead else { return }
        guard header.height.value <= tip.header.height.value + Limits.votedHeights else { return }
        guard !early.contains(where: { $0.value.headerHash == proposal.value.headerHash }) else { return }
        early.append(proposal)
        early.sort {
            ($0.value.header.view, $0.value.header.height) < ($1.value.header.view, $1.value.header.height)
        }
        if early.count > Limits.earlyProposals { early.removeLast() }
    }

    /// Takes up what came too early, now that its place may have come.
    mutating func acceptEarly(_ turn: inout Turn) {
        let (view, committed) = (view, committed.height)
        early.removeAll { $0.value.header.view < view || $0.value.header.height <= committed }
        guard safety.isNormal else { return }
        while let index = early.firstIndex(where: {
            $0.value.header.view == view && $0.value.header.parent == tipHash
                && hasRoom(for: $0.value.header.height)
        }) {
            let before = tipHash
            consider(early.remove(at: index), &turn)
            guard tipHash != before else { return }
        }
    }

    /// The block that `header` names, if the entries give exactly that header and the rules admit them; `nil` else.
    ///
    /// - Parameter documents: `nil` where a certificate vouches for the block, so that the rules were applied already.
    func extend(
        _ parent: ChainTip, _ rules: LedgerState, by entries: [CheckedEntry], under header: BlockHeader,
        admittedBy documents: (any CommittedDocuments)?
    ) -> AcceptedBlock? {
        guard header.height == parent.header.height.next, header.epoch == rules.epoch else { return nil }
        guard header.time >= parent.header.time, entries.count <= Ledger.Limits.blockEntries else {
            return nil
        }
        var state = rules
        for (position, entry) in entries.enumerated() {
            if documents != nil {
                do throws(Rejection) {
                    try state.admit(entry, at: header.time, treeSize: parent.header.treeSize)
                } catch { return nil }
                if entry.facts.changesRules, position != entries.count - 1 { return nil }
            }
            state.apply(
                entry, at: EntryIndex(parent.header.treeSize + UInt64(position)), time: header.time)
        }
        let extended = parent.extended(
            by: entries.map(\.entry), view: header.view, epoch: header.epoch, clock: header.time)
        guard extended.block.header == header else { return nil }
        let block = AcceptedBlock(
            block: extended.block, entries: entries, completed: extended.completed, tip: extended.tip,
            state: state)
        if let documents, !isNew(block, documents) { return nil }
        return block
    }

    /// Whether no document stands twice, in the block, its ancestors or the log.
    private func isNew(_ block: AcceptedBlock, _ documents: any CommittedDocuments) -> Bool {
        guard let ancestors = tree.chain(to: block.header.parent), block.keys.count == block.entries.count,
            ancestors.allSatisfy({ $0.keys.isDisjoint(with: block.keys) })
        else { return false }
        return documentsInLog(among: block.entries, documents).isEmpty
    }

    /// The documents among `entries` that are final already.
    func documentsInLog(
        among entries: [CheckedEntry], _ documents: any CommittedDocuments
    ) -> Set<DocumentIdentity> {
        documents.known(among: entries.compactMap(\.identity), below: committed.tip.header.treeSize)
    }

    /// Proposal or vote leave, and the block goes to the disk; the first of a view waits for it. A committee of one owes
    /// nobody a proof that its block was prepared.
    mutating func accept(_ block: AcceptedBlock, _ turn: inout Turn) {
        tree.insert(block, savedBy: turn.ticket)
        // It may have been fetched before it was proposed here.
        tree.update(block.headerHash) { $0.save(by: turn.ticket) }
        tipHash = block.headerHash
        turn.steps.append(.append(block))
        queue.remove { block.keys.contains($0.key) }
        let needed = hasBegunItsView ? disk.durable : turn.ticket
        if committee.size == 1 {
            tree.update(block.headerHash) { $0.isCommitReleased = true }
            release(.commit(block.header), after: turn.ticket, &turn)
        } else if committee.primary(of: block.header.view) == id {
            release(.proposal(block.headerHash), after: needed, &turn)
        } else if mayPrepare(at: block.header.height) {
            release(.prepare(block.mark), after: needed, &turn)
        } else {
            complain(&turn)
        }
    }

    /// Whether the disk shows that this node is in its view, and has a block of it. From then on its PREPAREs, and the
    /// proposals of a primary, need not wait for the disk (normal case, 2 and 3): should one be lost in a crash, the node
    /// knows that it may have said more than it knows.
    var hasBegunItsView: Bool {
        guard disk.viewTicket <= disk.durable else { return false }
        if isOfThisView(tree.root.header) { return true }
        let first = tree.chain(to: tipHash)?.first { isOfThisView($0.accepted.header) }
        return first?.savedBy.map { $0 <= disk.durable } ?? false
    }

    /// The genesis block states view 0, and nobody proposed it: a node that starts for the first time has said nothing.
    private func isOfThisView(_ header: BlockHeader) -> Bool {
        header.view == view && header.height > .genesis
    }

    /// Whether a PREPARE for a block of its chain contradicts none that the node may have sent and does not know any more.
    func mayPrepare(at height: BlockHeight) -> Bool {
        guard let forgotten, !Defect.isActive(.forgottenVotesRepeated) else { return true }
        return height <= forgotten.after
    }

    /// Votes above `height`, up to another, may have left this node, and are not on its disk: others may have them. A
    /// backup prepares nothing there, until a certificate of this view shows which chain the votes up to there were for.
    /// A primary that cannot vouch for what it has proposed proposes and prepares nothing more in its view, and asks for
    /// the next.
    mutating func forgetVotes(above height: BlockHeight, upTo end: BlockHeight, _ turn: inout Turn) {
        guard committee.size > 1, safety.isNormal else { return }
        if isPrimary {
            guard !Defect.isActive(.restartedPrimaryProposes) else { return }
            safety.hasLeftItsChain = true
            complain(&turn)
        } else {
            forgotten = ForgottenVotes(
                after: min(height, forgotten?.after ?? height), upTo: max(end, forgotten?.upTo ?? end))
        }
    }

    mutating func note(_ prepare: Signed<Prepare>, _ turn: inout Turn) {
        guard isCounted(prepare.body.mark) else { return }
        switch votes.add(prepare) {
        case .known: break
        case .new: tryPrepared(prepare.body.mark, &turn)
        case .contradicts(let proof): expose(proof, &turn)
        }
    }

    mutating func note(_ vote: CommitVote, _ turn: inout Turn) {
        guard isCounted(vote.mark) else { return }
        switch votes.add(vote) {
        case .known: break
        case .new:
            guard let certificate = votes.committed(vote.mark, quorum: committee.quorum(for: .votes)) else {
                return
            }
            // Once: the votes after a quorum's make it no better.
            if gathersVotes, isPrimary, !unsettled.contains(where: { $0.mark == certificate.mark }) {
                turn.send(.message(.committed(certificate)), to: .others)
            }
            learn(certificate, &turn)
        case .contradicts(let proof): expose(proof, &turn)
        }
    }

    /// Bounds what peers can make this node remember.
    private func isCounted(_ mark: BlockMark) -> Bool {
        guard mark.height > committed.height else { return false }
        guard mark.height.value <= committed.height.value + Limits.votedHeights else { return false }
        guard mark.view.value <= view.value + Limits.viewsAhead else { return false }
        return mark.view >= oldestCountedView
    }

    /// Votes of views before this one make no certificate any more.
    var oldestCountedView: View {
        View(view.value > Limits.viewsBehind ? view.value - Limits.viewsBehind : 0)
    }

    private mutating func expose(_ proof: Equivocation, _ turn: inout Turn) {
        turn.effects.evidence.append(proof)
        if proof.culprit == primary, safety.isNormal { complain(&turn) }
    }

    mutating func tryPrepared(_ mark: BlockMark, _ turn: inout Turn) {
        guard let certificate = votes.prepared(mark, quorum: committee.quorum(for: .votes)) else { return }
        adopt(certificate, &turn)
    }

    /// Normal case, 4: behind the block and its ancestors the certificate is written, then the COMMIT leaves.
    mutating func adopt(_ certificate: PreparedCertificate, _ turn: inout Turn) {
        let mark = certificate.mark
        guard mark.height > committed.height, !unsettled.contains(where: { $0.mark == mark }) else { return }
        guard let node = tree[mark.headerHash], let saved = lastTicket(of: mark.headerHash) else {
            if preparedAhead?.mark.isBelow(mark) ?? true { preparedAhead = certificate }
            return
        }
        if preparedAhead == certificate { preparedAhead = nil }
        if safety.prepared?.mark.isBelow(mark) ?? true {
            safety.prepared = certificate
            turn.savesState = true
        }
        guard safety.isNormal, mark.view == view, !node.isCommitReleased else { return }
        tree.update(mark.headerHash) { $0.isCommitReleased = true }
        if gathersVotes, isPrimary { turn.send(.message(.prepared(certificate)), to: .others) }
        let needed = turn.savesState ? turn.ticket : max(disk.stateTicket, saved)
        release(.commit(node.accepted.header), after: needed, &turn)
    }

    /// A certificate of any view may be relied on by anyone at any time.
    mutating func learn(_ certificate: CommitCertificate, _ turn: inout Turn) {
        let height = certificate.header.height
        if highestCommit?.mark.isBelow(certificate.mark) ?? true { highestCommit = certificate }
        guard height > committed.height else { return }
        guard !unsettled.contains(where: { $0.header.height == height }) else { return }
        unsettled.append(certificate)
        unsettled.sort { $0.header.height < $1.header.height }
        // Any of them settles all below it, so the highest is enough, and the lowest is the first that can be used.
        if unsettled.count > Limits.unsettledCertificates { unsettled.remove(at: unsettled.count / 2) }
        settle(&turn)
    }

    /// Normal case, 5: the block of a certificate and all its ancestors are final, once they are on this node's disk.
    mutating func settle(_ turn: inout Turn) {
        for certificate in unsettled.reversed() {
            let hash = certificate.mark.headerHash
            guard tree.contains(hash) else { continue }
            if !tree.isAncestor(hash, of: tipHash) { moveTip(to: hash, &turn) }
            guard isDurable(hash) else { continue }
            finalize(certificate, &turn)
            return
        }
    }

    private mutating func finalize(_ certificate: CommitCertificate, _ turn: inout Turn) {
        let hash = certificate.mark.headerHash
        guard let chain = tree.chain(to: hash), let last = chain.last else { return }
        for node in chain {
            for key in node.keys { queue.disown(key) }
            turn.effects.commit.append(
                CertifiedBlock(
                    accepted: node.accepted, certificate: node.hash == hash ? certificate : nil))
        }
        committed = Position(tip: last.accepted.tip, state: last.accepted.state)
        tree.settle(on: hash)
        unsettled.removeAll { $0.header.height <= committed.height }
        votes.prune(upTo: committed.height, before: oldestCountedView)
        if let forgotten, isOfThisView(certificate.header), certificate.header.height >= forgotten.upTo {
            self.forgotten = nil
        }
        noteProgress(in: certificate.header.view, &turn)
        // The primary finds out as it proposes.
        if !isPrimary, chain.contains(where: { $0.accepted.entries.contains { $0.facts.changesRules } }) {
            recheckQueue(&turn)
        }
    }

    /// Makes another block the end of the chain. Blocks that are left are kept, on the disk and here: a certificate for
    /// one may be all that the cluster can go on from.
    mutating func moveTip(to target: Digest, _ turn: inout Turn) {
        guard target != tipHash, let new = tree.chain(to: target) else { return }
        let old = tree.chain(to: tipHash) ?? []
        let common = zip(old, new).prefix { $0.hash == $1.hash }.count
        let left = old[common...]
        let added = new[common...]
        if !left.isEmpty {
            let height = common == 0 ? committed.height : old[common - 1].height
            turn.steps.append(.truncate(to: height))
        }
        for node in added {
            turn.steps.append(.append(node.accepted))
            tree.update(node.hash) { $0.save(by: turn.ticket) }
        }
        tipHash = target
        if left.contains(where: { $0.accepted.header.view == view }) {
            safety.hasLeftItsChain = true
            turn.savesState = true
        }
        queue.prepend(left.flatMap(\.accepted.entries).filter(\.canBeOrdered), at: turn.now.uptime)
        queue.remove { entry in new.contains { $0.keys.contains(entry.key) } }
        if Defect.isActive(.acceptedBodiesDropped) {
            let hashes = left.map(\.hash)
            _ = tree.remove { hashes.contains($0.hash) }
        }
    }
}
