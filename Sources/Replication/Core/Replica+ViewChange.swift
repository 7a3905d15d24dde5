import Ledger

/// Leaving a view, and entering the next.
extension Replica {
    // MARK: Leaving

    /// Leaving a view, 1: it asks for the next view, and goes on voting in this one.
    mutating func complain(_ turn: inout Turn) {
        guard committee.size > 1, !isComplaining else { return }
        isComplaining = true
        asks[Int(id.value)] = View(view.value + 1)
        turn.send(.message(.complaint(view)), to: .others)
        leaveIfAsked(&turn)
    }

    mutating func receiveComplaint(about view: View, from sender: ReplicaID, _ turn: inout Turn) {
        guard view.value < UInt64(Int64.max) else { return }
        asks[Int(sender.value)] = max(asks[Int(sender.value)], View(view.value + 1))
        // A primary that gives up its view knows why.
        if view == self.view, sender == primary, safety.isNormal { complain(&turn) }
        leaveIfAsked(&turn)
    }

    /// Leaving a view, 2: `f + 1` nodes ask for a later one, so that at least one honest node does.
    func viewAskedFor() -> View {
        let sorted = asks.sorted(by: >)
        return sorted[Defect.isActive(.leavesViewAlone) ? 0 : committee.faultsTolerated]
    }

    mutating func leaveIfAsked(_ turn: inout Turn) {
        let target = viewAskedFor()
        guard target > view else { return }
        // A certificate of that view or a later one: others are there already, and send their NEW-VIEW.
        if let mark = safety.prepared?.mark, mark.view >= target { return }
        if let mark = highestCommit?.mark, mark.view >= target { return }
        let departure = SafetyState.Departure(
            claim: Claim(
                view: target, prepared: safety.prepared?.mark, committed: highestCommit?.mark),
            prepared: safety.prepared, committed: highestCommit)
        safety.view = target
        safety.phase = .changing(departure)
        safety.base = nil
        safety.newView = nil
        safety.hasLeftItsChain = false
        forgotten = nil
        turn.savesState = true
        isComplaining = false
        asks[Int(id.value)] = target
        // It signs nothing more in the view that it leaves, not even what this turn has decided already.
        turn.effects.send.removeAll(where: \.isVote)
        if let arriving, arriving.view < target { self.arriving = nil }
        timers.viewFailed(at: turn.now.uptime, timing)
        forgetOldViews()
        release(.viewChange, after: turn.ticket, &turn)
    }

    /// While nothing is committed, each view leaves votes and blocks behind. Votes of long past views count no more. A
    /// block of such a view is forgotten, once there are many, where no certificate that this node holds needs it: who
    /// has one keeps the block.
    mutating func forgetOldViews() {
        let oldest = oldestCountedView
        votes.prune(upTo: committed.height, before: oldest)
        guard tree.nodes.count > Limits.fetchedAhead else { return }
        var needed: Set<Digest> = []
        let ends = [tipHash, safety.prepared?.mark.headerHash, preparedAhead?.mark.headerHash]
        for end in ends.compactMap({ $0 }) + unsettled.map(\.mark.headerHash) {
            for node in tree.chain(to: end) ?? [] { needed.insert(node.hash) }
        }
        _ = tree.remove { $0.accepted.header.view < oldest && !needed.contains($0.hash) }
    }

    func send(
        _ departure: SafetyState.Departure, to recipients: Outgoing.Recipients, _ turn: inout Turn
    ) {
        turn.send(
            .viewChange(departure.claim, prepared: departure.prepared, committed: departure.committed),
            to: recipients)
    }

    // MARK: Entering, at the primary

    mutating func receive(_ change: ViewChange, _ turn: inout Turn) {
        let sender = Int(change.claim.signer.value)
        let view = change.claim.body.view
        if let first = changes[sender] {
            if first.claim.body.view == view, first.claim.body != change.claim.body {
                turn.effects.evidence.append(.viewChanges(first.claim, change.claim))
            }
            guard first.claim.body.view < view else { return }
        }
        changes[sender] = change
        asks[sender] = max(asks[sender], view)
        if let certificate = change.committed { learn(certificate, &turn) }
        leaveIfAsked(&turn)
        tryNewView(&turn)
    }

    /// How many nodes have left for this view or a later one.
    var leaverCount: Int { changes.count { $0.map { $0.claim.body.view >= view } ?? false } }

    /// Entering a view, 1 and 2: the primary of the view begins it once it can show what a quorum claims.
    mutating func tryNewView(_ turn: inout Turn) {
        guard isPrimary, case .changing = safety.phase else { return }
        // Its own claim first: it must not begin below what it has itself.
        guard let own = changes[Int(id.value)], own.claim.body.view == view else { return }
        let shown = claimsForThisView().filter { isShown($0.claim.body) }
        guard shown.contains(where: { $0.claim.signer == id }) else { return }
        let quorum = committee.quorum(for: .viewChange)
        guard shown.count >= quorum else { return }
        let others = shown.filter { $0.claim.signer != id }.prefix(quorum - 1)
        let chosen = [own] + others
        let installation = Installation(view: view, claims: chosen.map(\.claim))
        let base = installation.base
        let certificate: BaseCertificate? = chosen.lazy.compactMap { change in
            if let prepared = change.prepared, prepared.mark == base { return .prepared(prepared) }
            if let committed = change.committed, committed.mark == base { return .committed(committed) }
            return nil
        }.first
        // Signed when it leaves; it says the same each time.
        let newView = NewView(
            installation: Signed(installation, signer: id, signature: []), certificate: certificate)
        enter(newView, at: base, &turn)
        release(.newView, after: turn.ticket, &turn)
    }

    func claimsForThisView() -> [ViewChange] {
        changes.compactMap { change in
            guard let change, change.claim.body.view == view else { return nil }
            return change
        }
    }

    /// Whether the blocks that a claim names are here, with their ancestors. One whose body nobody shows counts for
    /// nothing.
    func isShown(_ claim: Claim) -> Bool {
        guard let mark = claim.highest else { return true }
        return mark.height <= committed.height || tree.contains(mark.headerHash)
    }

    /// For those who are late. The primary signs its own again.
    func sendNewView(to recipients: Outgoing.Recipients, _ turn: inout Turn) {
        guard let newView = safety.newView else { return }
        if newView.installation.signer == id {
            turn.send(.newView(newView.installation.body, newView.certificate), to: recipients)
        } else {
            turn.send(.message(.newView(newView)), to: recipients)
        }
    }

    // MARK: Entering, at the others

    /// Entering a view, 3: at most one NEW-VIEW of a view, and only for a view that this node is not yet in.
    mutating func receive(_ newView: NewView, _ turn: inout Turn) {
        if case .committed(let certificate) = newView.certificate { learn(certificate, &turn) }
        for known in [safety.newView, arriving] {
            guard let known, known.view == newView.view else { continue }
            guard known.installation.body != newView.installation.body else { continue }
            if !known.installation.signature.isEmpty {
                turn.effects.evidence.append(.newViews(known.installation, newView.installation))
            }
            if newView.view == view, safety.isNormal { complain(&turn) }
        }
        let isNewHere =
            newView.view > view || newView.view == view && !safety.isNormal
            || newView.view == view && Defect.isActive(.secondNewViewAccepted)
                && safety.newView?.installation.body != newView.installation.body
        guard isNewHere else { return }
        // What is final in a later view is past this one.
        if let mark = highestCommit?.mark, mark.view > newView.view { return }
        if let arriving, arriving.view >= newView.view { return }
        guard
            newView.installation.body.base == newView.certificate?.mark || Defect.isActive(.baseNotChecked)
        else { return }
        arriving = newView
        enterIfShown(&turn)
    }

    mutating func enterIfShown(_ turn: inout Turn) {
        guard let newView = arriving else { return }
        let base = newView.certificate?.mark
        if let base, base.height > committed.height, !tree.contains(base.headerHash) { return }
        if let mark = highestCommit?.mark, mark.view > newView.view {
            arriving = nil
            return
        }
        enter(newView, at: base, &turn)
    }

    private mutating func enter(_ newView: NewView, at base: BlockMark?, _ turn: inout Turn) {
        arriving = nil
        // What is final may be above the base only where it was settled in this very view.
        let isBelow = (base?.height ?? .genesis) < committed.height
        if isBelow, highestCommit.map({ $0.header.view < newView.view }) ?? true {
            turn.effects.halt =
                "view \(newView.view) begins at block \(base?.height ?? .genesis), below the final block \(committed.height): more nodes lie than the ledger can bear"
            return
        }
        safety.view = newView.view
        safety.phase = .normal
        safety.base = base
        safety.newView = newView
        safety.hasLeftItsChain = false
        forgotten = nil
        turn.savesState = true
        disk.viewTicket = turn.ticket
        isComplaining = false
        asks[Int(id.value)] = newView.view
        let target = base.map(\.headerHash) ?? tree.root.headerHash
        moveTip(to: isBelow || !tree.contains(target) ? tree.root.headerHash : target, &turn)
        timers.viewBegan(at: turn.now.uptime, timing)
        peers.hear(primary, at: turn.now.uptime)
        if Defect.isActive(.inheritedBlocksSignedAgain), let node = tree[target] {
            release(.commit(node.accepted.header), after: turn.ticket, &turn)
        }
        if !isPrimary { forwardQueue(&turn) }
        settle(&turn)
    }
}
