import Ledger
import Replication
import TestSupport

/// What nodes do that want the ledger to fail. A liar runs the real replica and bends what it says; besides, it says
/// things that the replica never would. It signs only as itself.
extension World {
    // MARK: Bent messages

    func lie(_ message: Message, from slot: Int, to targets: [Int]) {
        let node = nodes[slot]
        guard case .liar = node.role else {
            for target in targets { transmit(message, from: slot, to: target) }
            return
        }
        if node.habits(.isSilentPrimary), isOfPrimary(message), random.chance(700_000) {
            figures.lies += 1
            return
        }
        for target in targets {
            let said = bend(message, by: slot, for: target)
            transmit(said ?? message, from: slot, to: target)
            if said != nil { figures.lies += 1 }
        }
        if node.habits(.votesForAll) { voteForAll(slot, message) }
        if node.habits(.replays), random.chance(100_000), !notebook.said.isEmpty, let target = targets.last {
            figures.lies += 1
            transmit(random.pick(notebook.said), from: slot, to: target)
        }
    }

    private func isOfPrimary(_ message: Message) -> Bool {
        switch message {
        case .proposal, .newView: true
        case .prepare, .commit, .complaint, .viewChange, .prepared, .committed, .status, .entries, .fetch,
            .fetched:
            false
        }
    }

    /// What `target` hears instead; `nil` is the truth.
    private func bend(_ message: Message, by slot: Int, for target: Int) -> Message? {
        let node = nodes[slot]
        switch message {
        case .proposal(let proposal):
            guard let block = read(proposal.block) else { return nil }
            let parent = block.header.parent
            if node.habits(.equivocates), target % 2 == 0, let rival = rival(of: block, on: parent) {
                return propose(rival, as: node.id)
            }
            if node.habits(.forgesEntries), random.chance(300_000) {
                return forge(block, on: parent, as: node.id)
            }
            return nil
        case .viewChange(let change):
            guard node.habits(.hidesCertificates), random.chance(600_000) else { return nil }
            return makeUpChange(to: change.claim.body.view, as: node.id)
        case .newView(let newView):
            guard node.habits(.splitsViews), newView.installation.signer == node.id, target % 2 == 0
            else { return nil }
            return makeUpNewView(newView.view, as: node.id)
        case .status(let status):
            guard node.habits(.liesInStatus), random.chance(500_000) else { return nil }
            return .status(lie(about: status))
        case .prepare, .commit, .complaint, .prepared, .committed, .entries, .fetch, .fetched: return nil
        }
    }

    private func lie(about status: Status) -> Status {
        // The wire lets no higher number through.
        let far: [UInt64] = [0, 1, 3, 40, 1000, Ledger.Limits.sequenceNumber]
        let committed = min(status.committed.value + random.pick(far), Ledger.Limits.sequenceNumber)
        return Status(
            view: View(random.chance(500_000) ? status.view.value : random.pick(far)),
            isChanging: random.chance(300_000), asksFor: View(random.pick(far)), tip: BlockHeight(committed),
            committed: BlockHeight(committed))
    }

    /// The block of a proposal; `nil` where it holds what no client wrote.
    private func read(_ proposed: ProposedBlock) -> Block? {
        let entries = proposed.entries.compactMap { pool.checked($0)?.entry }
        guard entries.count == proposed.entries.count else { return nil }
        return Block(header: proposed.header, entries: entries)
    }

    /// Another block for the same place: the same but later, or without its entries.
    private func rival(of block: Block, on parent: Digest) -> Block? {
        guard let tip = tip(of: parent) else { return nil }
        let entries = block.entries.isEmpty ? [] : Array(block.entries.dropLast())
        return tip.tip.extended(
            by: entries, view: block.header.view, epoch: block.header.epoch,
            clock: block.header.time.advanced(byMilliseconds: 1)
        ).block
    }

    /// A block with entries that do not hold: one twice, one that is final, one that was cut, or a wrong root.
    private func forge(_ block: Block, on parent: Digest, as id: ReplicaID) -> Message? {
        guard let tip = tip(of: parent) else { return nil }
        var entries = block.entries
        switch random.below(4) {
        case 0: if let first = entries.first { entries.append(first) }
        case 1:
            if let old = notebook.recent.compactMap({ notebook.blocks[$0]?.block.entries.first }).first {
                entries.append(old)
            }
        case 2:
            if let last = entries.popLast() {
                entries.append(Entry(statement: last.statement, erasedKeyCommitment: .zero))
            }
        default:
            let header = block.header
            let bent = BlockHeader(
                ledgerID: header.ledgerID, height: header.height, view: header.view, epoch: header.epoch,
                time: header.time, parent: header.parent, treeSize: header.treeSize, treeRoot: .zero,
                keyCommitments: header.keyCommitments)
            return propose(Block(header: bent, entries: entries), as: id)
        }
        let extended = tip.tip.extended(
            by: entries, view: block.header.view, epoch: block.header.epoch, clock: block.header.time)
        return propose(extended.block, as: id)
    }

    func tip(of hash: Digest) -> Replica.Position? {
        if hash == genesis.tip.headerHash { return genesis }
        return notebook.blocks[hash].map { Replica.Position(tip: $0.tip, state: $0.state) }
    }

    private func voteForAll(_ slot: Int, _ message: Message) {
        guard random.chance(200_000), let hash = notebook.recent.last, let block = notebook.blocks[hash]
        else {
            return
        }
        vote(for: block, slot, to: nodes.indices.filter { $0 != slot })
    }

    private func vote(for block: AcceptedBlock, _ slot: Int, to targets: [Int]) {
        figures.lies += 1
        let mark = BlockMark(block.header, hash: block.headerHash)
        let prepare = Message.prepare(signed(Prepare(mark), as: nodes[slot].id))
        let commit = sign(.commit(block.header), as: nodes[slot].id)
        notebook.note(prepare, committee: votes.committee)
        notebook.note(commit, committee: votes.committee)
        for target in targets {
            transmit(prepare, from: slot, to: target)
            transmit(commit, from: slot, to: target)
        }
    }

    // MARK: Messages out of nowhere

    func makeTrouble(_ slot: Int) {
        schedule.add(.trouble(slot: slot), at: now + random.around(random.pick([20_000, 100_000, 400_000])))
        guard nodes[slot].replica != nil else { return }
        figures.lies += 1
        let id = nodes[slot].id
        let targets = nodes.indices.filter { $0 != slot && random.chance(600_000) }
        let views = nodes.compactMap { $0.replica?.view.value }
        let highest = (views.max() ?? 0) + UInt64(random.below(3))
        let view = highest == 0 ? 0 : highest - UInt64(random.below(2))
        let message: Message? =
            switch random.below(9) {
            case 0: nil
            case 1: makeUpBlock(as: id, around: view)
            case 2: makeUpChange(to: View(view), as: id)
            case 3: makeUpNewView(nextView(of: id, from: view), as: id)
            case 4: .complaint(View(view))
            case 5:
                nodes[slot].replica.map { _ in
                    .status(
                        lie(
                            about: Status(
                                view: View(view), isChanging: false, asksFor: View(view), tip: BlockHeight(1),
                                committed: BlockHeight(1))))
                }
            case 6: notebook.newViews.isEmpty ? nil : .newView(random.pick(notebook.newViews))
            case 7: notebook.prepared.isEmpty ? nil : .prepared(random.pick(notebook.prepared))
            default: notebook.committed.isEmpty ? nil : .committed(random.pick(notebook.committed))
            }
        guard let message else {
            if !notebook.recent.isEmpty, let block = notebook.blocks[random.pick(notebook.recent)] {
                vote(for: block, slot, to: targets)
            }
            return
        }
        if trace.isOn { note(slot, .lie, "lies \(describe(message)) to \(targets)") }
        notebook.note(message, committee: votes.committee)
        for target in targets { transmit(message, from: slot, to: target) }
    }

    /// The next view whose primary it is.
    private func nextView(of id: ReplicaID, from view: UInt64) -> View {
        var view = view
        while votes.committee.primary(of: View(view)) != id { view += 1 }
        return View(view)
    }

    /// A proposal in a view of its own, on any block that was ever seen.
    private func makeUpBlock(as id: ReplicaID, around view: UInt64) -> Message? {
        guard !notebook.recent.isEmpty else { return nil }
        let start = view > UInt64(plan.nodes) ? view - UInt64(plan.nodes) + 1 : 0
        var view = nextView(of: id, from: start)
        var parents = notebook.recent + [genesis.tip.headerHash]
        if random.chance(600_000), let aim = aim(as: id) {
            view = aim.view
            let rivals = notebook.recent.filter {
                notebook.blocks[$0]?.header.height == aim.tip.header.height
            }
            if !rivals.isEmpty { parents = rivals }
        }
        guard let parent = tip(of: random.pick(parents)) else { return nil }
        var entries: [CheckedEntry] = []
        var state = parent.state
        if random.chance(500_000), let number = offered.last {
            let entry = pool.items[number].entry
            if (try? state.admit(entry, at: parent.tip.header.time, treeSize: parent.tip.header.treeSize))
                != nil
            {
                state.apply(entry, at: EntryIndex(parent.tip.header.treeSize), time: parent.tip.header.time)
                entries = [entry]
                oracle.submitted(entry.entry.statement.digest)
            }
        }
        let extended = parent.tip.extended(
            by: entries.map(\.entry), view: view, epoch: Epoch(0),
            clock: parent.tip.header.time.advanced(byMilliseconds: Int64(random.below(3))))
        notebook.note(
            AcceptedBlock(
                block: extended.block, entries: entries, completed: extended.completed, tip: extended.tip,
                state: state))
        return propose(extended.block, as: id)
    }

    /// An honest node in a view of the liar's.
    private func aim(as id: ReplicaID) -> Replica? {
        let replicas = nodes.compactMap { $0.isHonest ? $0.replica : nil }.filter {
            $0.primary == id && $0.safety.phase == .normal
        }
        return replicas.isEmpty ? nil : random.pick(replicas)
    }

    /// A VIEW-CHANGE with any certificates of lower views that exist, or none.
    private func makeUpChange(to view: View, as id: ReplicaID) -> Message {
        let prepared = notebook.prepared.filter { $0.mark.view < view }
        let committed = notebook.committed.filter { $0.header.view < view }
        var shownPrepared = prepared.isEmpty || random.chance(400_000) ? nil : random.pick(prepared)
        // The highest block, though of an old view, is the strongest lie to those who mistake the order.
        if random.chance(300_000) { shownPrepared = prepared.max { $0.mark.height < $1.mark.height } }
        let shownCommitted = committed.isEmpty || random.chance(400_000) ? nil : random.pick(committed)
        let claim = Claim(
            view: view, prepared: shownPrepared?.mark,
            committed: shownCommitted.map { BlockMark($0.header, hash: $0.header.hash) })
        return .viewChange(
            ViewChange(claim: signed(claim, as: id), prepared: shownPrepared, committed: shownCommitted))
    }

    /// A NEW-VIEW from any quorum of claims, its own made up ones among them.
    private func makeUpNewView(_ view: View, as id: ReplicaID) -> Message? {
        guard view.value > 0 else { return nil }
        var changes: [ViewChange] = []
        for member in (0..<votes.committee.size).map({ ReplicaID(UInt16($0)) }) {
            let known = notebook.changes.filter { $0.claim.signer == member && $0.claim.body.view == view }
            if member == id, case .viewChange(let own) = makeUpChange(to: view, as: id) {
                changes.append(own)
            } else if !known.isEmpty {
                changes.append(random.pick(known))
            }
        }
        while changes.count > votes.committee.quorum { changes.remove(at: random.below(changes.count)) }
        guard changes.count == votes.committee.quorum else { return nil }
        let installation = Installation(view: view, claims: changes.map(\.claim))
        let marks = changes.compactMap(\.claim.body.highest)
        let base = marks.max { ($0.view, $0.height) < ($1.view, $1.height) }
        var certificate: BaseCertificate?
        for change in changes {
            if let prepared = change.prepared, prepared.mark == base { certificate = .prepared(prepared) }
            if let committed = change.committed,
                BlockMark(committed.header, hash: committed.header.hash) == base
            {
                certificate = .committed(committed)
            }
        }
        // Now and then another certificate than the winner's, or none.
        if random.chance(300_000) {
            certificate = notebook.prepared.isEmpty ? nil : .prepared(random.pick(notebook.prepared))
        }
        return .newView(NewView(installation: signed(installation, as: id), certificate: certificate))
    }
}
