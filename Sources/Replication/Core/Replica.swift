public import Ledger

/// One member of the committee that agrees on the order of the log: PBFT's replica, as a value.
///
/// It has no clock, disk, socket or key. It is told events and answers with effects; the same events give the same
/// effects on every machine. docs/protocol.md is its specification; the steps below cite it.
///
/// Today the committee has one member: proposing, accepting and committing go through the same steps and types as with
/// many, and every vote that would be counted is this node's own.
public struct Replica: Sendable {
    public let committee: Committee
    public let id: ReplicaID
    private(set) var view: View
    private(set) var highestPrepared: PreparedMark?

    /// The last final block.
    public private(set) var committed: Position
    /// Accepted blocks above it, on one chain.
    private(set) var pending: [PendingBlock] = []
    /// Checked entries that wait for a block.
    private(set) var waiting: [CheckedEntry] = []
    /// The documents that wait or are in a pending block: looked up, never iterated.
    private var inFlight: Set<DocumentIdentity> = []

    /// A place in the chain with the rules in force after it.
    public struct Position: Sendable {
        public let tip: ChainTip
        public let state: LedgerState

        public init(tip: ChainTip, state: LedgerState) {
            self.tip = tip
            self.state = state
        }
    }

    struct PendingBlock: Sendable {
        let accepted: AcceptedBlock
        var isDurable: Bool
        var commits: VoteTally
    }

    /// A replica that continues from what it had saved.
    ///
    /// - Parameters:
    ///   - accepted: the blocks above `committed` that were on the disk, parent before child. Tell it
    ///     `durable(tip.height)` next: it then votes for them again, with the same bytes.
    /// - Precondition: the committee has one member; the votes of others come with replication.
    public init(
        id: ReplicaID, committed: Position, accepted: [AcceptedBlock], highestPrepared: PreparedMark?
    ) {
        committee = committed.state.committee
        precondition(committee.size == 1, "this version orders for a committee of one")
        self.id = id
        self.committed = committed
        self.highestPrepared = highestPrepared
        view = highestPrepared?.view ?? committed.tip.header.view
        for block in accepted {
            precondition(block.block.header.parent == tip.headerHash, "accepted blocks form one chain")
            pending.append(
                PendingBlock(accepted: block, isDurable: false, commits: VoteTally(quorum: committee.quorum)))
            for entry in block.entries { if let identity = entry.identity { inFlight.insert(identity) } }
        }
    }

    /// The end of the chain that this node works on.
    public var tip: ChainTip { pending.last?.accepted.tip ?? committed.tip }
    /// The rules in force there.
    public var state: LedgerState { pending.last?.accepted.state ?? committed.state }

    /// Handles one event to the end.
    public mutating func handle(_ event: Event, at now: Tick) -> Effects {
        var effects = Effects()
        switch event {
        case .entries(let entries):
            take(entries)
        case .durable(let height):
            markDurable(upTo: height, &effects)
        case .notDurable(let height):
            takeBack(above: height, &effects)
        case .commitVote(let vote):
            count(vote, &effects)
        }
        propose(at: now, &effects)
        checkInvariants()
        return effects
    }
}

extension Replica {
    /// Normal case 1: entries gather until a block takes them. A document that is already on its way is left out;
    /// whoever waits for it waits for the first.
    private mutating func take(_ entries: [CheckedEntry]) {
        for entry in entries {
            if let identity = entry.identity {
                guard inFlight.insert(identity).inserted else { continue }
            }
            waiting.append(entry)
        }
    }

    /// Normal case 2: the primary proposes on its tip as soon as the window has room and something waits. Batches grow
    /// while the disk is busy; no timer delays a lone entry.
    private mutating func propose(at now: Tick, _ effects: inout Effects) {
        while !waiting.isEmpty, UInt64(pending.count) < Limits.window {
            let time = max(now.time, tip.header.time)
            let (entries, state) = nextBatch(at: time, &effects)
            guard !entries.isEmpty else { continue }
            let extended = tip.extended(
                by: entries.map(\.entry), view: view, epoch: state.epoch, clock: now.time)
            accept(
                AcceptedBlock(
                    block: extended.block, entries: entries, completed: extended.completed, tip: extended.tip,
                    state: state),
                &effects)
        }
    }

    /// Takes waiting entries, in order, while they fit into a block and the rules at the tip admit them.
    private mutating func nextBatch(
        at time: Timestamp, _ effects: inout Effects
    ) -> (entries: [CheckedEntry], state: LedgerState) {
        var state = state
        var batch: [CheckedEntry] = []
        var byteCount = 0
        var taken = 0
        for entry in waiting {
            let total = byteCount + entry.entry.byteCount
            guard batch.count < Ledger.Limits.blockEntries else { break }
            guard batch.isEmpty || total <= Ledger.Limits.blockBytes else { break }
            taken += 1
            let index = EntryIndex(tip.header.treeSize + UInt64(batch.count))
            do throws(Rejection) {
                try state.admit(entry, at: time, treeSize: tip.header.treeSize)
                // Rules act from the next height on: the batch ends behind an entry that changes them.
                state.apply(entry, at: index, time: time)
                batch.append(entry)
                byteCount = total
                if entry.facts.changesRules { break }
            } catch {
                forget(entry)
                effects.refuse.append(Refusal(entry: entry.entry.statement.digest, reason: .rule(error)))
            }
        }
        waiting.removeFirst(taken)
        return (batch, state)
    }

    /// Normal case 3 and 4: block and acceptance are saved before any vote leaves. With one member the own PREPARE is
    /// the quorum, so the prepared mark is saved in the same write.
    private mutating func accept(_ block: AcceptedBlock, _ effects: inout Effects) {
        var record = effects.save ?? SafetyRecord()
        record.accepted.append(block)
        record.highestPrepared = PreparedMark(block.block.header)
        effects.save = record
        pending.append(
            PendingBlock(accepted: block, isDurable: false, commits: VoteTally(quorum: committee.quorum)))
    }

    /// Normal case 4: the COMMIT leaves only now.
    private mutating func markDurable(upTo height: BlockHeight, _ effects: inout Effects) {
        for position in pending.indices where pending[position].accepted.block.header.height <= height {
            guard !pending[position].isDurable else { continue }
            pending[position].isDurable = true
            highestPrepared = PreparedMark(pending[position].accepted.block.header)
            effects.send.append(.commit(pending[position].accepted.block.header))
        }
    }

    /// The disk refused (it is full, say). No vote has left for these blocks, so they never were; the clients are told.
    private mutating func takeBack(above height: BlockHeight, _ effects: inout Effects) {
        let refused = pending.filter { $0.accepted.block.header.height > height }
        for block in refused {
            precondition(!block.isDurable, "what is on the disk is not taken back")
            for entry in block.accepted.entries {
                forget(entry)
                effects.refuse.append(Refusal(entry: entry.entry.statement.digest, reason: .notSaved))
            }
        }
        pending.removeLast(refused.count)
        for entry in waiting {
            forget(entry)
            effects.refuse.append(Refusal(entry: entry.entry.statement.digest, reason: .notSaved))
        }
        waiting = []
    }

    /// Normal case 5: on a quorum of COMMITs the block and all its ancestors are final.
    private mutating func count(_ vote: CommitVote, _ effects: inout Effects) {
        guard let position = pending.firstIndex(where: { $0.accepted.block.header.height == vote.height }),
            pending[position].accepted.tip.headerHash == vote.headerHash,
            pending[position].accepted.block.header.view == vote.view
        else { return }
        pending[position].commits.add(vote.replica, vote.signature)
        guard pending[position].commits.isQuorum else { return }

        for (place, block) in pending[...position].enumerated() {
            let certificate = place == position ? Self.certificate(of: block) : nil
            effects.commit.append(CertifiedBlock(accepted: block.accepted, certificate: certificate))
            for entry in block.accepted.entries { forget(entry) }
        }
        let last = pending[position].accepted
        committed = Position(tip: last.tip, state: last.state)
        pending.removeFirst(position + 1)
    }

    private static func certificate(of block: PendingBlock) -> CommitCertificate {
        let votes = block.commits.votes.map {
            CommitCertificate.Vote(member: $0.replica, signature: $0.signature)
        }
        guard let certificate = CommitCertificate(header: block.accepted.block.header, cosignatures: votes)
        else {
            preconditionFailure("the tally holds one vote of each member")
        }
        return certificate
    }

    private mutating func forget(_ entry: CheckedEntry) {
        if let identity = entry.identity { inFlight.remove(identity) }
    }

    private func checkInvariants() {
        var parent = committed.tip
        for block in pending {
            precondition(
                block.accepted.block.header.parent == parent.headerHash, "pending blocks form one chain")
            precondition(
                block.accepted.block.header.height == parent.header.height.next,
                "heights are counted one by one")
            parent = block.accepted.tip
        }
        precondition(UInt64(pending.count) <= Limits.window, "the window holds")
    }
}
