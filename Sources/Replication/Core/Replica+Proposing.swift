import Ledger

/// Entries, and the blocks that the primary makes of them (normal case, 1 and 2).
extension Replica {
    /// Entries gather until a block takes them. One that is on its way already is left out; whoever waits for it waits
    /// for the first.
    mutating func take(_ entries: [CheckedEntry], areOwn: Bool, _ turn: inout Turn) {
        let chain = tree.chain(to: tipHash) ?? []
        // What is final was answered before it came here, where it is a client's of this node.
        let candidates = areOwn || !queue.hasRoom ? [] : entries.filter { !queue.contains($0.key) }
        let inLog = documentsInLog(among: candidates, turn.documents)
        var new: [CheckedEntry] = []
        for entry in entries where entry.canBeOrdered {
            let key = entry.key
            if areOwn { queue.own(key) }
            guard !queue.contains(key), !chain.contains(where: { $0.keys.contains(key) }) else { continue }
            guard queue.hasRoom else {
                if areOwn { refuse(entry, .busy, &turn) }
                continue
            }
            // Its own node waits for it, sends it again, and knows what its rules say.
            if !areOwn, isIn(inLog, entry) || !isAdmitted(entry, turn) { continue }
            if queue.append(entry, at: turn.now.uptime) { new.append(entry) }
        }
        if areOwn, safety.isNormal, !isPrimary, !new.isEmpty {
            turn.send(.entries(new), to: .only(primary))
        }
    }

    private func isAdmitted(_ entry: CheckedEntry, _ turn: Turn) -> Bool {
        let time = max(turn.now.time, committed.tip.header.time)
        do throws(Rejection) {
            try committed.state.admit(entry, at: time, treeSize: committed.tip.header.treeSize)
            return true
        } catch { return false }
    }

    private func isIn(_ documents: Set<DocumentIdentity>, _ entry: CheckedEntry) -> Bool {
        entry.identity.map(documents.contains) ?? false
    }

    /// The primary proposes on its tip as soon as the window has room and something waits that is worth a block: entries,
    /// or blocks that it inherited from an earlier view. Batches grow while the disk and the votes are busy; no timer
    /// delays a lone entry.
    mutating func propose(_ turn: inout Turn) {
        guard isPrimary, safety.isNormal, !safety.hasLeftItsChain else { return }
        while hasRoom(for: tip.header.height.next) {
            let isFirstOfView = tip.header.view < view
            guard isWorthABlock || isFirstOfView else { return }
            let time = max(turn.now.time, tip.header.time)
            let (entries, state) = nextBatch(at: time, &turn)
            guard !entries.isEmpty || isFirstOfView else { continue }
            let extended = tip.extended(
                by: entries.map(\.entry), view: view, epoch: state.epoch, clock: time)
            accept(
                AcceptedBlock(
                    block: extended.block, entries: entries, completed: extended.completed, tip: extended.tip,
                    state: state),
                &turn)
        }
    }

    /// A block costs every node the same signatures and writes, however little is in it. So what waits makes one beside
    /// those under way once it is as much as they hold, or so much that this cost is small beside it: two clients need
    /// not wait for each other, and many share few blocks. What is under way becomes final, or the view changes: nothing
    /// waits for ever.
    private var isWorthABlock: Bool {
        guard !queue.isEmpty else { return false }
        let underWay = (tree.chain(to: tipHash) ?? []).reduce(0) { $0 + $1.accepted.entries.count }
        return queue.count >= min(underWay, Limits.entriesWorthABlock) || !queue.hasRoom
    }

    /// Takes waiting entries, in order, while they fit into a block and the rules at the tip admit them.
    private mutating func nextBatch(
        at time: Timestamp, _ turn: inout Turn
    ) -> (entries: [CheckedEntry], state: LedgerState) {
        var state = state
        let size = tip.header.treeSize
        var batch: [CheckedEntry] = []
        var byteCount = 0
        var taken = 0
        for waiting in queue.waiting {
            let entry = waiting.entry
            let total = byteCount + entry.entry.byteCount
            guard batch.count < Ledger.Limits.blockEntries else { break }
            guard batch.isEmpty || total <= Ledger.Limits.blockBytes else { break }
            taken += 1
            do throws(Rejection) {
                try state.admit(entry, at: time, treeSize: size)
                // Rules act from the next height on: the batch ends behind an entry that changes them.
                state.apply(entry, at: EntryIndex(size + UInt64(batch.count)), time: time)
                batch.append(entry)
                byteCount = total
                if entry.facts.changesRules { break }
            } catch {
                refuse(entry, .rule(error), &turn)
            }
        }
        queue.removeFirst(taken)
        return (batch, state)
    }

    /// Normal case, 3: the height is at most W above what is committed. What a view inherits may stand higher; one
    /// block above it is enough to settle it, and more may not come before that.
    func hasRoom(for height: BlockHeight) -> Bool {
        if height.value <= committed.height.value + Limits.window { return true }
        if Defect.isActive(.windowFromCommittedAlone) { return false }
        guard let base = safety.base else { return false }
        return height == base.height.next
    }

    /// Says what became of entries that no block will take any more, so that nobody waits and nobody complains: the
    /// log has them, or the rules have changed.
    mutating func recheckQueue(_ turn: inout Turn) {
        let time = max(turn.now.time, committed.tip.header.time)
        var refused: [(CheckedEntry, Rejection)] = []
        var gone: Set<EntryKey> = []
        let inLog = documentsInLog(among: queue.waiting.map(\.entry), turn.documents)
        // Each in its turn, as a block will take them: the record after the next one is not against the rules.
        var state = state
        for (position, waiting) in queue.waiting.enumerated() {
            if isIn(inLog, waiting.entry) {
                gone.insert(waiting.entry.key)
                continue
            }
            do throws(Rejection) {
                try state.admit(waiting.entry, at: time, treeSize: committed.tip.header.treeSize)
                let index = EntryIndex(tip.header.treeSize + UInt64(position))
                if waiting.entry.facts.changesRules { state.apply(waiting.entry, at: index, time: time) }
            } catch { refused.append((waiting.entry, error)) }
        }
        for (entry, rejection) in refused {
            gone.insert(entry.key)
            refuse(entry, .rule(rejection), &turn)
        }
        for key in gone { queue.disown(key) }
        queue.remove { gone.contains($0.key) }
    }
}
