import Ledger

/// What was handed to the disk, and what waits for it.
struct DiskLedger: Sendable {
    enum Release: Sendable {
        case proposal(Digest)
        case prepare(BlockMark)
        case commit(BlockHeader)
        case viewChange
        case newView
    }

    var releases: [(ticket: SaveTicket, release: Release)] = []
    /// The last record that was handed over.
    var last = SaveTicket(0)
    /// The last that is on the disk.
    var durable = SaveTicket(0)
    /// The record that holds the safety state as it is now.
    var stateTicket = SaveTicket(0)
    /// The record that says that the node is in its view.
    var viewTicket = SaveTicket(0)
    /// A record was refused: the next one writes the chain above the last final block and the state again.
    var mustRewrite = false

    var nextTicket: SaveTicket { SaveTicket(last.value + 1) }
}

extension Replica {
    /// Lets a message go once a record is on the disk.
    mutating func release(
        _ release: DiskLedger.Release, after ticket: SaveTicket, _ turn: inout Turn
    ) {
        if ticket <= disk.durable || Defect.isActive(.voteBeforeWrite) {
            perform(release, &turn)
        } else {
            disk.releases.append((ticket, release))
        }
    }

    /// What was allowed when it was handed to the disk may not be allowed any more: a node that has left a view signs
    /// nothing in it (normal case, 4).
    private mutating func perform(_ release: DiskLedger.Release, _ turn: inout Turn) {
        switch release {
        case .proposal(let hash):
            guard safety.isNormal, let node = tree[hash], node.accepted.header.view == view else { return }
            turn.send(.proposal(node.accepted), to: .everyone)
        case .prepare(let mark):
            guard safety.isNormal, mark.view == view, tree.contains(mark.headerHash) else { return }
            turn.send(.prepare(Prepare(mark)), to: voteRecipients)
        case .commit(let header):
            guard
                safety.isNormal && header.view == view || Defect.isActive(.commitAfterLeavingView)
                    || Defect.isActive(.inheritedBlocksSignedAgain)
            else { return }
            turn.send(.commit(header), to: voteRecipients)
        case .viewChange:
            guard case .changing(let departure) = safety.phase else { return }
            send(departure, to: .everyone, &turn)
        case .newView:
            guard safety.isNormal else { return }
            sendNewView(to: .others, &turn)
        }
    }

    /// Where votes are gathered, the primary counts them; the voter's own comes back to it all the same.
    var voteRecipients: Outgoing.Recipients { gathersVotes && !isPrimary ? .only(primary) : .everyone }

    mutating func markDurable(_ ticket: SaveTicket, _ turn: inout Turn) {
        guard ticket > disk.durable else { return }
        disk.durable = ticket
        let due = disk.releases.filter { $0.ticket <= ticket }
        disk.releases.removeAll { $0.ticket <= ticket }
        for (_, release) in due { perform(release, &turn) }
        settle(&turn)
    }

    /// Whether a block and all between it and the last final one are on the disk.
    func isDurable(_ hash: Digest) -> Bool { lastTicket(of: hash).map { $0 <= disk.durable } ?? false }

    /// The record behind which a block and all between it and the last final one are on the disk; `nil` where one of
    /// them was not handed over.
    func lastTicket(of hash: Digest) -> SaveTicket? {
        guard let chain = tree.chain(to: hash) else { return nil }
        let tickets = chain.compactMap(\.savedBy)
        return tickets.count == chain.count ? tickets.max() ?? SaveTicket(0) : nil
    }

    /// The disk refused (it is full, say). No COMMIT has left that rests on what it refused, so that never was; whoever
    /// waits at a primary is told. Others may know of its PREPAREs, though: the blocks may yet become final. What this
    /// node's highest certificate is for stays, and is written again.
    mutating func takeBack(from ticket: SaveTicket, _ turn: inout Turn) {
        let chain = (tree.chain(to: tipHash) ?? []).map(\.hash)
        let end = tip.header.height
        let certified = Set(certifiedChain.map(\.hash))
        // What an earlier record wrote stays, and the votes for it: only its place in the log is to be written again.
        let unwritten = tree.nodes.filter { $0.storedBy.map { $0 >= ticket } ?? false }.map(\.hash)
        let refused = tree.remove { unwritten.contains($0.hash) && !certified.contains($0.hash) }
        for hash in unwritten { tree.update(hash) { $0.storedBy = nil } }
        for hash in chain + unwritten { tree.update(hash) { $0.savedBy = nil } }
        tipHash = chain.last { tree.contains($0) } ?? tree.root.headerHash
        if isPrimary {
            for entry in queue.removeAll() { refuse(entry, .notSaved, &turn) }
        }
        for node in refused {
            let entries = node.accepted.entries
            if committee.size == 1 {
                for entry in entries { refuse(entry, .notSaved, &turn) }
            } else {
                queue.prepend(entries.filter(\.canBeOrdered), at: turn.now.uptime)
            }
        }
        if refused.contains(where: { $0.accepted.header.view == view }) {
            forgetVotes(above: tip.header.height, upTo: end, &turn)
        }
        disk.releases.removeAll { waiting in
            guard waiting.ticket >= ticket else { return false }
            switch waiting.release {
            case .proposal, .prepare, .commit: return true
            case .viewChange, .newView: return false
            }
        }
        abstainWithoutBase()
        disk.mustRewrite = true
        timers.wantResend(at: turn.now.uptime, timing)
    }

    /// What the highest prepared certificate is for, as far as it is not final.
    private var certifiedChain: [BlockTree.Node] {
        safety.prepared.flatMap { tree.chain(to: $0.mark.headerHash) } ?? []
    }

    /// The block at which this view begins was to be written, and was not: a crash tore it, or the disk refused it. The
    /// node has voted for nothing in this view yet, and does not: what fits its tip now may not extend the base
    /// (docs/decisions/0006-a-base-that-was-not-written.md).
    mutating func abstainWithoutBase() {
        guard let base = safety.base, safety.isNormal, base.height > committed.height else { return }
        guard !tree.isAncestor(base.headerHash, of: tipHash) else { return }
        if !Defect.isActive(.tornBaseVotedPast) { safety.hasLeftItsChain = true }
    }

    /// Whether the safety state is on the disk as it is now, with what this turn has changed.
    func isStateDurable(_ turn: Turn) -> Bool { !turn.savesState && disk.stateTicket <= disk.durable }

    mutating func refuse(_ entry: CheckedEntry, _ reason: Refusal.Reason, _ turn: inout Turn) {
        queue.disown(entry.key)
        turn.effects.refuse.append(Refusal(entry: entry.entry.statement.digest, reason: reason))
    }

    /// Hands over what this turn changed.
    mutating func save(_ turn: inout Turn) {
        if disk.mustRewrite, !turn.steps.isEmpty || turn.savesState || timers.isRetryingDisk {
            rewrite(&turn)
        }
        if !turn.steps.isEmpty { adoptWhatWaited(&turn) }
        guard !turn.steps.isEmpty || turn.savesState else { return }
        var record = SafetyRecord(ticket: turn.ticket)
        record.steps = turn.steps
        if turn.savesState {
            record.state = safety
            disk.stateTicket = turn.ticket
        }
        record.isAwaited = isAwaited(record)
        disk.last = turn.ticket
        turn.effects.save = record
    }

    /// Nothing waits for the block of a proposal: a COMMIT rests on it together with its certificate, which comes soon.
    private func isAwaited(_ record: SafetyRecord) -> Bool {
        record.state != nil || !unsettled.isEmpty || disk.releases.contains { $0.ticket == record.ticket }
    }

    /// Prepared certificates that came before their blocks.
    private mutating func adoptWhatWaited(_ turn: inout Turn) {
        for node in tree.nodes { tryPrepared(node.accepted.mark, &turn) }
        if let preparedAhead { adopt(preparedAhead, &turn) }
    }

    private mutating func rewrite(_ turn: inout Turn) {
        turn.steps = []
        var chains = [tree.chain(to: tipHash) ?? []]
        // What the highest certificate is for may lie beside the log's chain, and comes first: it would be left out.
        let certified = certifiedChain
        let onChain = chains[0].map(\.hash)
        if certified.contains(where: { $0.storedBy == nil && !onChain.contains($0.hash) }) {
            chains.insert(certified, at: 0)
        }
        for chain in chains {
            turn.steps.append(.truncate(to: committed.height))
            for node in chain {
                turn.steps.append(.append(node.accepted))
                tree.update(node.hash) { $0.save(by: turn.ticket) }
            }
        }
        turn.savesState = true
        for index in disk.releases.indices { disk.releases[index].ticket = turn.ticket }
        disk.mustRewrite = false
        timers.isRetryingDisk = false
    }
}

extension CheckedEntry {
    /// Whether there is something left to order.
    var canBeOrdered: Bool {
        switch content {
        case .document, .governance: true
        case .erased: false
        }
    }
}
