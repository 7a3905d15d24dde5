import Dispatch
import Ledger
import NIOCore
import Synchronization

/// Where the replica stands: what the entries of a proposal are checked against.
struct TipState: Sendable {
    let hash: Digest
    let height: BlockHeight
    let state: LedgerState
}

/// Turns frames of peers into events: decodes and checks them beside the ordering queue. What one peer sends keeps its
/// order.
///
/// A small frame is checked where it is received, when nothing of its peer waits: to hand a vote to another thread costs
/// about as much as to check it. The rest is checked on all cores.
final class CheckingStage: Sendable {
    struct Ports: Sendable {
        let mailbox: Mailbox
        let verifier: MessageVerifier<RememberingElectorate>
        let checked: CheckedEntries
        let blocks: BlockServer
        let tip: @Sendable () -> TipState
        let clock: @Sendable () -> Timestamp
        let needs: @Sendable () -> MessageNeeds
        let validation: EntryValidation
        let send: @Sendable (Message, ReplicaID) -> Void
        let report: @Sendable (String) -> Void
    }

    private struct Peer: Sendable {
        var frames = 0
        var byteCount = 0
        /// Answers to fetches that were asked for.
        var awaitedAnswers = 0
        /// Checked in vain: what they rest on may be in a block that this node has not reached.
        var undecided: [Proposal] = []
        /// Messages of it that were refused, or found no room.
        var drops: UInt64 = 0
        /// The block it proposed last is further ahead of this node's clock than is voted for.
        var isAhead = false
        var clockReports: UInt64 = 0
        /// Reads from the connection again, where it was stopped.
        var resume: (@Sendable () -> Void)?
    }

    private let ports: Ports
    private let peers: Mutex<[Peer]>
    private let queues: [DispatchQueue]
    private let badProposals = Atomic<UInt64>(0)
    private let fetches = Atomic<UInt64>(0)
    private let fetchedBlocks = Atomic<UInt64>(0)
    private let servedBlocks = Atomic<UInt64>(0)

    init(_ ports: Ports) {
        self.ports = ports
        let size = ports.verifier.authority.committee.size
        peers = Mutex(Array(repeating: Peer(), count: size))
        // Serial ones: they get threads of their own. A concurrent queue shares those of the process, and long queries
        // on all of them would keep the votes waiting.
        let lanes = (0..<max(2, System.coreCount)).map {
            DispatchQueue(label: "checking.\($0)", qos: .userInitiated)
        }
        queues = (0..<size).map { peer in
            DispatchQueue(label: "checking of \(peer)", target: lanes[peer % lanes.count])
        }
    }

    /// Messages that were refused, or found no room.
    var dropCount: UInt64 { peers.withLock { $0.reduce(0) { $0 + $1.drops } } }

    func dropCount(of peer: ReplicaID) -> UInt64 { peers.withLock { $0[Int(peer.value)].drops } }

    /// Proposals that their primary signed and whose entries do not hold.
    var badProposalCount: UInt64 { badProposals.load(ordering: .relaxed) }

    var catchUp: ReplicaStatus.CatchUp {
        .init(
            requests: fetches.load(ordering: .relaxed),
            fetchedBlocks: fetchedBlocks.load(ordering: .relaxed),
            servedBlocks: servedBlocks.load(ordering: .relaxed))
    }

    /// Takes a frame; returns at once.
    ///
    /// - Parameter resume: called once, where this returned `false`, when there is room again.
    /// - Returns: Whether more may be read from this peer.
    func receive(_ frame: Frame, from peer: ReplicaID, resume: @escaping @Sendable () -> Void) -> Bool {
        let index = Int(peer.value)
        guard index < queues.count else { return true }
        let (isFirst, isRoomy) = peers.withLock { peers in
            peers[index].frames += 1
            peers[index].byteCount += frame.body.count
            let isRoomy =
                peers[index].frames < Limits.uncheckedFrames
                && peers[index].byteCount < Limits.uncheckedBytes
            if !isRoomy { peers[index].resume = resume }
            return (peers[index].frames == 1, isRoomy)
        }
        if isFirst, isSmall(frame) {
            check(frame, from: peer)
            leave(index, frame)
        } else {
            queues[index].async { [self] in
                check(frame, from: peer)
                leave(index, frame)
            }
        }
        return isRoomy
    }

    /// A frame of this peer is checked.
    private func leave(_ index: Int, _ frame: Frame) {
        let resume = peers.withLock { peers in
            peers[index].frames -= 1
            peers[index].byteCount -= frame.body.count
            let isLow =
                peers[index].frames < Limits.uncheckedFrames / 2
                && peers[index].byteCount < Limits.uncheckedBytes / 2
            guard isLow else { return (@Sendable () -> Void)?.none }
            defer { peers[index].resume = nil }
            return peers[index].resume
        }
        resume?()
    }

    /// Whether a frame is checked in less time than an event loop may be kept: a signature or two, and few entries. In a
    /// large committee the votes of one block are many, and better checked side by side.
    private func isSmall(_ frame: Frame) -> Bool {
        guard queues.count <= Limits.votersCheckedAtOnce else { return false }
        switch frame.kind {
        case .prepare, .commit, .complaint, .status: return true
        case .proposal, .entries: return frame.body.count <= Limits.smallEntriesBytes
        case .hello, .viewChange, .newView, .prepared, .committed, .fetch, .fetched, .awaited: return false
        }
    }

    /// A fetch is on its way to this peer: its answer may be large.
    func awaitAnswer(from peer: ReplicaID) {
        fetches.add(1, ordering: .relaxed)
        peers.withLock { $0[Int(peer.value)].awaitedAnswers = min($0[Int(peer.value)].awaitedAnswers + 1, 4) }
    }

    /// Whether this peer was asked for blocks; else it may not send a large frame of them.
    func isAwaitingAnswer(from peer: ReplicaID) -> Bool {
        peers.withLock { $0[Int(peer.value)].awaitedAnswers > 0 }
    }

    /// The tip has moved: what could not be judged before may be now.
    func tipMoved() {
        let waiting = peers.withLock { peers in peers.indices.filter { !peers[$0].undecided.isEmpty } }
        for index in waiting {
            queues[index].async { [self] in
                let proposals = peers.withLock { peers in
                    defer { peers[index].undecided = [] }
                    return peers[index].undecided
                }
                for proposal in proposals { check(proposal, from: ReplicaID(UInt16(index)), byteCount: 0) }
            }
        }
    }

    // MARK: Checking

    private func check(_ frame: Frame, from peer: ReplicaID) {
        let message: Message
        do throws(DecodingFailure) { message = try Message(frame) } catch {
            return refuse(frame, from: peer, error)
        }
        switch message {
        case .proposal(let proposal): check(proposal, from: peer, byteCount: frame.body.count)
        case .entries(let entries): check(entries, from: peer, byteCount: frame.body.count)
        case .fetch(let request): answer(request, to: peer)
        case .fetched(let blocks): check(blocks, from: peer, byteCount: frame.body.count)
        case .prepare, .commit, .complaint, .viewChange, .newView, .prepared, .committed, .status:
            guard ports.needs().includes(message) else { return }
            do throws(Refused) {
                put(
                    .message(try ports.verifier.verify(message, from: peer)), peer,
                    byteCount: frame.body.count)
            } catch { drop(peer, "a message of \(name(peer)) is refused: \(error)") }
        }
    }

    /// Whoever puts its name to a header answers for the entries that it sends with it, those too that are none. Blame
    /// needs the primary's signature, and that the primary itself sent this: nothing that others say is held against it.
    private func refuse(_ frame: Frame, from peer: ReplicaID, _ failure: DecodingFailure) {
        guard frame.kind == .proposal, let bare = try? Proposal(withoutEntries: frame.body),
            bare.prepare.signer == peer,
            let verified = try? ports.verifier.verify(bare, entries: [], from: peer)
        else { return drop(peer, "a message of \(name(peer)) does not decode: \(failure)") }
        blame(verified, "its entries do not decode: \(failure)")
    }

    /// The replica hears that the primary signed what does not hold.
    private func blame(_ proposal: Verified<CheckedProposal>, _ reason: String) {
        let peer = proposal.sender
        // As with drops: a primary signs as many as it likes.
        if badProposals.add(1, ordering: .relaxed).oldValue < Self.reports {
            ports.report(
                "a proposal of \(name(peer)) for block \(proposal.value.header.height) does not hold: \(reason)"
            )
        }
        put(.badProposal(proposal), peer, byteCount: 0)
    }

    private func check(_ proposal: Proposal, from peer: ReplicaID, byteCount: Int) {
        // From anyone else the entries might be others than the primary's, who would be blamed for them.
        guard proposal.prepare.signer == peer else {
            return drop(peer, "\(name(peer)) passed on a proposal of another node")
        }
        let header = proposal.block.header
        do throws(Refused) {
            let bare = try ports.verifier.verify(proposal, entries: [], from: peer)
            compareClocks(header, peer)
            let tip = ports.tip()
            switch check(proposal.block.entries, tip.state, at: header.time) {
            case .success(let entries):
                put(.proposal(bare.with(entries)), peer, byteCount: byteCount)
            case .failure(let rejection):
                let isElsewhere = header.parent != tip.hash && rejection.dependsOnState
                if isElsewhere, header.height > tip.height {
                    peers.withLock { peers in
                        let index = Int(peer.value)
                        peers[index].undecided.append(proposal)
                        if peers[index].undecided.count > Limits.undecidedProposals {
                            peers[index].undecided.removeFirst()
                        }
                    }
                } else if !isElsewhere {
                    blame(bare, rejection.reason)
                }
            }
        } catch { drop(peer, "a proposal of \(name(peer)) is refused: \(error)") }
    }

    /// The replica leaves a proposal from the future alone, and in a cluster that goes on without this node nothing
    /// else would tell that its clock is wrong.
    private func compareClocks(_ header: BlockHeader, _ peer: ReplicaID) {
        let seconds = (header.time.milliseconds - ports.clock().milliseconds) / 1000
        let isAhead = seconds > Ledger.Limits.clockDriftMilliseconds / 1000
        let isNews = peers.withLock { peers in
            let index = Int(peer.value)
            guard peers[index].isAhead != isAhead, peers[index].clockReports < Self.reports else {
                return false
            }
            peers[index].isAhead = isAhead
            peers[index].clockReports += 1
            return true
        }
        guard isNews else { return }
        ports.report(
            isAhead
                ? "\(name(peer)) proposes block \(header.height) for \(header.time), \(seconds) s ahead of this "
                    + "node's clock, so it gets no vote of this node: one of the two clocks is wrong"
                : "the times that \(name(peer)) proposes agree with this node's clock again")
    }

    /// Entries that wait at a peer. One that does not hold here is left out: its own node says why.
    private func check(_ entries: [EntryBytes], from peer: ReplicaID, byteCount: Int) {
        let state = ports.tip().state
        let time = ports.clock()
        let checked = entries.compactMap { entry in try? check(entry, state, at: time) }
        if checked.count < entries.count {
            _ = countDrops(of: peer, UInt64(entries.count - checked.count))
        }
        if !checked.isEmpty { put(.forwarded(checked), peer, byteCount: byteCount) }
    }

    private func check(_ fetched: FetchedBlocks, from peer: ReplicaID, byteCount: Int) {
        peers.withLock { $0[Int(peer.value)].awaitedAnswers = max($0[Int(peer.value)].awaitedAnswers - 1, 0) }
        do {
            var blocks: [CheckedBlocks.CheckedBlock] = []
            for block in fetched.blocks {
                let entries = try block.entries.map { entry throws(Rejection) in
                    switch entry {
                    case .whole(let entry):
                        if let known = ports.checked.find(entry) {
                            known
                        } else {
                            try ports.validation.certified(entry)
                        }
                    case .erased(let entry, let identity): CheckedEntry(erased: entry, identity: identity)
                    }
                }
                blocks.append(.init(header: block.header, entries: entries))
            }
            let verified = try ports.verifier.verify(blocks, certificate: fetched.certificate, from: peer)
            fetchedBlocks.add(UInt64(blocks.count), ordering: .relaxed)
            put(.fetched(verified), peer, byteCount: byteCount)
        } catch { drop(peer, "blocks of \(name(peer)) are refused: \(error)") }
    }

    private func answer(_ request: FetchRequest, to peer: ReplicaID) {
        do throws(StoreError) {
            guard let blocks = try ports.blocks.answer(request) else { return }
            servedBlocks.add(UInt64(blocks.blocks.count), ordering: .relaxed)
            ports.send(.fetched(blocks), peer)
        } catch { ports.report("blocks cannot be read for \(name(peer)): \(error)") }
    }

    // MARK: Entries

    private func check(
        _ entry: EntryBytes, _ state: LedgerState, at time: Timestamp
    ) throws(Rejection) -> CheckedEntry {
        if let known = ports.checked.find(entry) { return known }
        let checked = try ports.validation.proposed(entry, state, time)
        ports.checked.insert(checked)
        return checked
    }

    /// All entries of a block, on all cores; or the first rejection that was met.
    private func check(
        _ entries: [EntryBytes], _ state: LedgerState, at time: Timestamp
    ) -> Result<[CheckedEntry], Rejection> {
        let pieces = (entries.count + Limits.checkedAtOnce - 1) / Limits.checkedAtOnce
        let results = Mutex([Result<[CheckedEntry], Rejection>?](repeating: nil, count: pieces))
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let start = piece * Limits.checkedAtOnce
            let range = start..<min(start + Limits.checkedAtOnce, entries.count)
            var checked: [CheckedEntry] = []
            var failure: Rejection?
            for entry in entries[range] {
                do throws(Rejection) { checked.append(try check(entry, state, at: time)) } catch {
                    failure = error
                    break
                }
            }
            let result: Result<[CheckedEntry], Rejection> = failure.map { .failure($0) } ?? .success(checked)
            results.withLock { $0[piece] = result }
        }
        var all: [CheckedEntry] = []
        for result in results.withLock({ $0 }) {
            switch result {
            case .success(let checked): all += checked
            case .failure(let rejection): return .failure(rejection)
            case nil: preconditionFailure("every piece has its result")
            }
        }
        return .success(all)
    }

    private func put(_ event: Event, _ peer: ReplicaID, byteCount: Int) {
        if !ports.mailbox.put(event, from: peer, byteCount: byteCount) { _ = countDrops(of: peer) }
    }

    private func name(_ peer: ReplicaID) -> String { ports.verifier.authority.electorate.name(of: peer) }

    private func drop(_ peer: ReplicaID, _ reason: String) {
        // A liar must not fill the node's output: the first few say enough.
        if countDrops(of: peer) <= Self.reports { ports.report(reason) }
    }

    /// - Returns: How many of this peer there are now.
    private func countDrops(of peer: ReplicaID, _ count: UInt64 = 1) -> UInt64 {
        peers.withLock { peers in
            peers[Int(peer.value)].drops += count
            return peers[Int(peer.value)].drops
        }
    }

    /// Of one peer and kind, in one run of the node.
    private static let reports: UInt64 = 16
}

extension Rejection {
    /// Whether an earlier block could have made it otherwise: an enrolment, a revocation, a session.
    fileprivate var dependsOnState: Bool {
        switch code {
        case .unauthenticated, .forbidden, .sealing: true
        case .malformed, .tooLarge, .invalid, .conflict, .erased: false
        }
    }
}

extension Electorate {
    /// What operators call a member.
    func name(of member: ReplicaID) -> String {
        guard let name = key(of: member)?.name.description.split(separator: "/").last else {
            return "node \(member)"
        }
        return String(name)
    }
}
