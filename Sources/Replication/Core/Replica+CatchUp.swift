import Ledger

/// A question to one peer that is not answered yet. There is one at a time.
struct FetchUnderWay: Sendable {
    let request: FetchRequest
    let peer: ReplicaID
    let deadline: Duration
}

/// Coming home after an absence, and getting what others claim to hold. It begins and ends by itself: a node that is
/// behind asks, one that is not does not.
extension Replica {
    var status: Status {
        Status(
            view: view, isChanging: !safety.isNormal, asksFor: max(asks[Int(id.value)], view),
            tip: tip.header.height, committed: committed.height)
    }

    mutating func receive(_ status: Status, from sender: ReplicaID, _ turn: inout Turn) {
        let before = peers.status(of: sender)
        peers.set(status, of: sender)
        // What it said with its signature stands; a complaint may lapse.
        let changed = changes[Int(sender.value)]?.claim.body.view ?? View(0)
        asks[Int(sender.value)] = max(min(status.asksFor, View(status.view.value + 1)), changed)
        leaveIfAsked(&turn)
        help(sender, status, before: before, &turn)
    }

    /// Sends a node that is behind what brings it forward; blocks it fetches itself.
    private func help(
        _ sender: ReplicaID, _ status: Status, before: Status?, _ turn: inout Turn
    ) {
        if status.view < view || status.view == view && status.isChanging {
            if safety.isNormal, isStateDurable(turn) {
                sendNewView(to: .only(sender), &turn)
            } else if case .changing(let departure) = safety.phase, isStateDurable(turn) {
                send(departure, to: .only(sender), &turn)
            }
        }
        if status.committed < committed.height, status.committed == before?.committed, let highestCommit,
            highestCommit.header.height > status.committed
        {
            turn.send(.message(.committed(highestCommit)), to: .only(sender))
        }
    }

    // MARK: Asking

    mutating func updateFetch(_ turn: inout Turn) {
        if let under = fetch {
            guard turn.now.uptime >= under.deadline, !Defect.isActive(.fetchNeverGivenUp) else { return }
            // A node that promises blocks and does not send them is not asked next.
            peers.lower(under.peer, to: committed.height)
        }
        let previous = fetch?.peer
        fetch = nil
        guard let (request, claimant) = wanted() else { return }
        let height: BlockHeight =
            switch request {
            case .committed(let height): height.next
            case .ancestry(_, let height, _): height
            }
        let first = claimant.flatMap { $0 == id || $0 == previous ? nil : $0 }
        guard let peer = first ?? peers.next(after: previous, except: id, with: height) else { return }
        fetch = FetchUnderWay(request: request, peer: peer, deadline: turn.now.uptime + timing.fetch)
        turn.send(.message(.fetch(request)), to: .only(peer))
    }

    /// What this node lacks most, and who claims to have it.
    private func wanted() -> (FetchRequest, ReplicaID?)? {
        guard committee.size > 1 else { return nil }
        let highest = peers.highestCommitted
        let assured = assuredHeight
        // While the disk is busy with one range the next is fetched, but not without end.
        if tree.nodes.count < Limits.fetchedAhead {
            let isFarBehind = highest.value > assured.value + Limits.window
            if isFarBehind { return (.committed(after: assured), nil) }
            if let certificate = unsettled.last, certificate.header.height > assured {
                return (.committed(after: assured), nil)
            }
        }
        if let arriving, let base = arriving.certificate?.mark, base.height > committed.height,
            !tree.contains(base.headerHash)
        {
            return (ancestry(of: base), arriving.installation.signer)
        }
        if isPrimary, case .changing = safety.phase {
            for change in claimsForThisView() where !isShown(change.claim.body) {
                guard let mark = change.claim.body.highest else { continue }
                return (ancestry(of: mark), change.claim.signer)
            }
        }
        if let preparedAhead, preparedAhead.mark.height > committed.height,
            !tree.contains(preparedAhead.mark.headerHash), timers.isStalled
        {
            return (ancestry(of: preparedAhead.mark), preparedAhead.votes.first?.member)
        }
        if highest > assured, timers.isStalled { return (.committed(after: assured), nil) }
        return nil
    }

    /// Up to here all is certified and in memory, and is final once it is on the disk.
    private var assuredHeight: BlockHeight {
        unsettled.last { tree.contains($0.mark.headerHash) }?.header.height ?? committed.height
    }

    private func ancestry(of mark: BlockMark) -> FetchRequest {
        .ancestry(of: mark.headerHash, at: mark.height, above: committed.height)
    }

    // MARK: Answers

    mutating func receive(_ fetched: Verified<CheckedBlocks>, _ turn: inout Turn) {
        peers.hear(fetched.sender, at: turn.now.uptime)
        // What proves itself is taken from anyone, asked or not: over a slow link, every answer comes when another peer
        // is asked already.
        let isAsked = fetch?.peer == fetched.sender
        guard isAsked || !Defect.isActive(.lateAnswersDropped) else { return }
        let blocks = fetched.value.blocks
        guard let last = blocks.last, isProven(last.header.hash, by: fetched.value.certificate) else {
            if isAsked { peers.lower(fetched.sender, to: committed.height) }
            return
        }
        guard isAsked || tree.nodes.count < Limits.fetchedAhead else { return }
        let assured = assuredHeight
        var isNew = false
        for block in blocks where block.header.height > committed.height {
            let hash = block.header.hash
            if tree.contains(hash) { continue }
            guard let (tip, state) = position(block.header.parent),
                let accepted = extend(
                    tip, state, by: block.entries, under: block.header, admittedBy: nil)
            else { break }
            tree.insert(accepted, savedBy: nil)
            isNew = true
        }
        if let certificate = fetched.value.certificate { learn(certificate, &turn) }
        // One that brought nothing is as good as none: another peer is asked when its time is over, not at once, or two
        // nodes would keep each other busy.
        if isNew || assuredHeight > assured { fetch = nil }
        settle(&turn)
        enterIfShown(&turn)
        tryNewView(&turn)
    }

    /// Whether the last block is one that a quorum vouches for; its hash vouches for the blocks below it.
    private func isProven(_ hash: Digest, by certificate: CommitCertificate?) -> Bool {
        if let certificate, certificate.mark.headerHash == hash { return true }
        guard case .ancestry(let wanted, _, _) = fetch?.request else { return false }
        return wanted == hash
    }

    private func position(_ hash: Digest) -> (ChainTip, LedgerState)? {
        if hash == tree.root.headerHash { return (committed.tip, committed.state) }
        return tree[hash].map { ($0.accepted.tip, $0.accepted.state) }
    }
}
