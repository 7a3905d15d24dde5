import Ledger

/// When this node loses patience, repeats itself, or says that it is there.
struct Timers: Sendable {
    /// Runs while something waits for a commit, or a quorum waits for a NEW-VIEW.
    var viewDeadline: Duration?
    var viewTimerStart: Duration = .zero
    /// Views that failed in a row, less what progress has made good.
    var failures = 0
    /// Since when another has left this node's view.
    var calledSince: Duration?
    var heartbeatAt: Duration = .zero
    var resendAt: Duration?
    private var resends = 0
    var isRetryingDisk = false
    /// Nothing was committed for two heartbeats.
    var isStalled = false
    private var heartbeatsWithoutProgress = 0

    mutating func start(at now: Duration) { heartbeatAt = now }

    var next: Duration {
        var next = heartbeatAt
        if let viewDeadline { next = min(next, viewDeadline) }
        if let resendAt { next = min(next, resendAt) }
        return next
    }

    func timeout(_ timing: Timing) -> Duration {
        timing.viewTimeout * (1 << min(failures, timing.timeoutDoublings))
    }

    mutating func viewFailed(at now: Duration, _ timing: Timing) {
        calledSince = nil
        failures = min(failures + 1, timing.timeoutDoublings)
        viewDeadline = nil
        resends = 0
        resendAt = nil
    }

    mutating func viewBegan(at now: Duration, _ timing: Timing) {
        calledSince = nil
        viewDeadline = nil
        resends = 0
        resendAt = nil
    }

    /// The timeout falls when what it waits for takes far less: else each block of a slow network would fail its view.
    mutating func progressed(at now: Duration, _ timing: Timing) {
        if viewDeadline != nil, !Defect.isActive(.timeoutNeverFalls),
            (now - viewTimerStart) * 4 <= timeout(timing)
        {
            failures = max(0, failures - 1)
        }
        viewDeadline = nil
        resends = 0
        resendAt = nil
        isStalled = false
        heartbeatsWithoutProgress = 0
    }

    mutating func heartbeat(at now: Duration, _ timing: Timing) {
        heartbeatAt = now + timing.heartbeat
        heartbeatsWithoutProgress = min(heartbeatsWithoutProgress + 1, 2)
        isStalled = heartbeatsWithoutProgress == 2
    }

    mutating func wantResend(at now: Duration, _ timing: Timing) {
        if resendAt == nil { resendAt = now + timing.resend * (1 << min(resends, timing.resendDoublings)) }
    }

    mutating func resent(at now: Duration, _ timing: Timing) {
        resends = min(resends + 1, timing.resendDoublings)
        resendAt = nil
    }
}

extension Replica {
    mutating func tick(_ turn: inout Turn) {
        let now = turn.now.uptime
        if let due = timers.viewDeadline, now >= due { losePatience(&turn) }
        if isStarving(at: now) || isPrimarySilent(at: now) { losePatience(&turn) }
        if now >= timers.heartbeatAt {
            turn.send(.message(.status(status)), to: .others)
            timers.heartbeat(at: now, timing)
        }
        if let due = timers.resendAt, now >= due {
            timers.isRetryingDisk = disk.mustRewrite
            resend(&turn)
            timers.resent(at: now, timing)
        }
    }

    /// Leaving a view, 1. The entries go to all nodes, so that all wait for them.
    private mutating func losePatience(_ turn: inout Turn) {
        timers.viewDeadline = nil
        guard !isComplaining else { return }
        recheckQueue(&turn)
        guard isWaiting(at: turn.now.uptime) || isPrimarySilent(at: turn.now.uptime) else { return }
        complain(&turn)
        forwardOwnEntries(&turn)
    }

    /// Whether this node waits for something that the others owe it.
    private func isWaiting(at now: Duration) -> Bool {
        guard committee.size > 1 else { return false }
        guard safety.isNormal else { return leaverCount >= committee.quorum(for: .viewChange) }
        if Defect.isActive(.timerForOwnEntriesOnly) { return !queue.isEmpty }
        return !queue.isEmpty || tip.header.height > committed.height || isCalledAway(at: now)
    }

    /// A node has left this view, and waits for others to follow. Too few did to call them away, and where nothing else
    /// waits, nobody would ever follow it. A liar that calls for ever gets a change of view now and then, no more.
    private func isCalledAway(at now: Duration) -> Bool {
        guard safety.isNormal, let since = timers.calledSince else { return false }
        return now - since > timing.viewTimeout * timing.starvationTimeouts
    }

    private mutating func noteCalls(at now: Duration) {
        let isCalled =
            safety.isNormal && changes.contains { $0.map { $0.claim.body.view > view } ?? false }
        timers.calledSince = isCalled ? timers.calledSince ?? now : nil
    }

    /// Others are served, and one entry is not: the primary is partial.
    private func isStarving(at now: Duration) -> Bool {
        guard safety.isNormal, !isPrimary, committee.size > 1, let oldest = queue.oldest else { return false }
        return now - oldest > timers.timeout(timing) * timing.starvationTimeouts
    }

    private func isPrimarySilent(at now: Duration) -> Bool {
        guard safety.isNormal, !isPrimary, committee.size > 1 else { return false }
        if Defect.isActive(.silentPrimaryTolerated) { return false }
        let patience = timing.heartbeat * timing.silentHeartbeats * (1 << timers.failures)
        return now - peers.heard(primary) > patience
    }

    mutating func noteProgress(in view: View, _ turn: inout Turn) {
        timers.progressed(at: turn.now.uptime, timing)
        guard view == self.view, safety.isNormal, !isStarving(at: turn.now.uptime) else { return }
        isComplaining = false
        asks[Int(id.value)] = self.view
    }

    mutating func updateTimers(_ turn: inout Turn) {
        let now = turn.now.uptime
        noteCalls(at: now)
        let isWaiting = isWaiting(at: now)
        if isWaiting {
            if timers.viewDeadline == nil, !isComplaining {
                timers.viewTimerStart = now
                timers.viewDeadline = now + timers.timeout(timing)
            }
        } else {
            timers.viewDeadline = nil
        }
        if isWaiting || isComplaining || !safety.isNormal || disk.mustRewrite {
            timers.wantResend(at: now, timing)
        } else {
            timers.resendAt = nil
        }
    }

    // MARK: Repetition

    /// Normal case, 6: whatever was sent and may have been lost is sent again.
    mutating func resend(_ turn: inout Turn) {
        guard committee.size > 1 else { return }
        if isComplaining {
            turn.send(.message(.complaint(view)), to: .others)
            forwardOwnEntries(&turn)
        }
        switch safety.phase {
        case .changing(let departure):
            if isStateDurable(turn) { send(departure, to: .everyone, &turn) }
            // The others may be content with the view before: a liar among those who asked for this one is enough. Any
            // of them may order what waits here.
            forwardOwnEntries(&turn)
        case .normal:
            for node in tree.chain(to: tipHash) ?? [] where node.accepted.header.view == view {
                guard isDurable(node.hash) else { break }
                if isPrimary { proposeAgain(node, &turn) }
                repeatVotes(for: node, &turn)
            }
            if isPrimary, isStateDurable(turn), tip.header.height > committed.height {
                for peer in laggards { sendNewView(to: .only(peer), &turn) }
            }
            if !isPrimary { forwardQueue(&turn) }
        }
    }

    /// Peers that are not known to be in this view.
    private var laggards: [ReplicaID] {
        (0..<committee.size).map { ReplicaID(UInt16($0)) }.filter { peer in
            guard peer != id else { return false }
            guard let status = peers.status(of: peer) else { return true }
            return status.view < view || status.view == view && status.isChanging
        }
    }

    private func proposeAgain(_ node: BlockTree.Node, _ turn: inout Turn) {
        for index in 0..<committee.size {
            let peer = ReplicaID(UInt16(index))
            guard peer != id else { continue }
            if let status = peers.status(of: peer), status.view == view, status.tip >= node.height {
                continue
            }
            if votes.hasPrepare(of: peer, for: node.accepted.mark) { continue }
            turn.send(.proposal(node.accepted), to: .only(peer))
        }
    }

    /// The votes for a block that is on the disk, once more. They are the same bytes each time.
    func repeatVotes(for node: BlockTree.Node, _ turn: inout Turn) {
        guard safety.isNormal, node.accepted.header.view == view, isDurable(node.hash) else { return }
        guard tree.isAncestor(node.hash, of: tipHash) else { return }
        // Off its chain of this view it has not voted, and must not.
        if !safety.hasLeftItsChain, mayPrepare(at: node.height) {
            turn.send(.prepare(Prepare(node.accepted.mark)), to: voteRecipients)
        }
        if node.isCommitReleased, isStateDurable(turn) {
            turn.send(.commit(node.accepted.header), to: voteRecipients)
        }
    }

    /// After a restart: the COMMITs that may have been sent before it. They rest on the certificate that was saved.
    mutating func repeatVotes(_ turn: inout Turn) {
        for node in tree.chain(to: tipHash) ?? [] where node.accepted.header.view == view {
            let isPrepared = safety.prepared?.mark == node.accepted.mark || committee.size == 1
            if isPrepared { tree.update(node.hash) { $0.isCommitReleased = true } }
            if committee.size == 1 { turn.send(.commit(node.accepted.header), to: .everyone) }
        }
    }

    /// Entries that wait here, so that the primary orders them.
    func forwardQueue(_ turn: inout Turn) {
        forward(queue.waiting.lazy.map(\.entry), to: .only(primary), &turn)
    }

    /// What this node's clients wait for, so that all wait for it. Not what others have sent here: if all passed on
    /// everything to all, a change of view would drown in it.
    private func forwardOwnEntries(_ turn: inout Turn) { forward(queue.ownEntries, to: .others, &turn) }

    /// As many as one message bears.
    private func forward(
        _ waiting: some Sequence<CheckedEntry>, to recipients: Outgoing.Recipients, _ turn: inout Turn
    ) {
        var entries: [CheckedEntry] = []
        var byteCount = 0
        for entry in waiting {
            byteCount += entry.entry.byteCount
            guard entries.isEmpty || byteCount <= Limits.forwardedBytes else { break }
            entries.append(entry)
        }
        if !entries.isEmpty { turn.send(.entries(entries), to: recipients) }
    }
}
