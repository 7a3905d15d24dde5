import Ledger
import Replication
import TestSupport

/// A committee with everything around it, in one thread and virtual time. One plan gives one run, event for event.
public final class World {
    public let plan: Plan
    let pool: EntryPool
    let votes: SimulatedVotes
    let verifier: MessageVerifier<SimulatedVotes>
    let genesis: Replica.Position
    var random: SeededGenerator

    var schedule = Schedule<Happening>()
    public internal(set) var now = 0
    var nodes: [SimulatedNode] = []
    var network: VirtualNetwork
    var oracle: Oracle
    var notebook = Notebook()
    public internal(set) var trace: Trace
    public internal(set) var figures = Figures()
    /// What was found wrong; the run ends with it.
    public internal(set) var failure: String?

    /// Pool items in the order in which clients bring them.
    var offered: [Int] = []
    /// Faults happen until then.
    var faultsEnd: Int
    /// Names of entries in the trace, where they are not the pool's. Looked up, never iterated.
    var aliases: [Int: String] = [:]
    /// More events than that are a storm.
    var eventLimit: Int

    enum Happening {
        case arrival(Message, from: Int, to: Int)
        case flushed(slot: Int, life: Int)
        case flushDue(slot: Int, life: Int)
        case tick(slot: Int, life: Int)
        case client(retry: Int?)
        case fault
        case crash(slot: Int, life: Int, span: Int)
        case restart(slot: Int)
        case mend(VirtualNetwork.Cut)
        case diskMended(slot: Int)
        case trouble(slot: Int)
        case separation
        case offer(item: Int, slot: Int)
    }

    public init(_ plan: Plan, pool: EntryPool, traced: Bool = false) throws {
        self.plan = plan
        self.pool = pool
        random = SeededGenerator(seed: plan.seed)
        genesis = try pool.position(members: plan.nodes)
        votes = SimulatedVotes(committee: genesis.state.committee)
        verifier = MessageVerifier(
            context: SigningContext(ledgerID: genesis.state.ledgerID, epoch: Epoch(0)), authority: votes)
        oracle = Oracle(genesis: genesis.tip, votes: votes)
        trace = Trace(isOn: traced)
        faultsEnd = plan.faultTime
        eventLimit = Self.eventLimit * max(1, plan.nodes * plan.nodes / 16)
        var slots: [(Int, SimulatedNode.Role)] = []
        for id in 0..<plan.nodes {
            if plan.twins.contains(id) {
                slots += [(id, .twin), (id, .twin)]
            } else if let liar = plan.liars.first(where: { $0.id == id }) {
                slots.append((id, .liar(liar.habits)))
            } else {
                slots.append((id, .honest))
            }
        }
        network = VirtualNetwork(slots: slots.count)
        for (slot, (id, role)) in slots.enumerated() {
            var node = SimulatedNode(slot: slot, id: ReplicaID(UInt16(id)), role: role)
            if plan.isSteady {
                node.disk.latency = 1000...1000
            } else {
                node.clockOffset = Int64(random.below(6000)) - 3000
                node.drift = random.below(2000) - 1000
                node.disk.latency = random.pick([50...200, 100...1000, 2000...20_000])
            }
            nodes.append(node)
        }
        notebook.isKept = !plan.liars.isEmpty
        offered = shuffledOffer()
    }

    /// Events of one run of four nodes: ten times what the longest needs.
    static let eventLimit = 100_000

    // MARK: Running

    /// Starts everything. Call once.
    public func begin() {
        for slot in nodes.indices { start(slot) }
        separateTwins()
        if plan.entries > 0 { schedule.add(.client(retry: nil), at: random.around(plan.entryInterval)) }
        if plan.faultInterval > 0 { schedule.add(.fault, at: random.around(plan.faultInterval)) }
        for node in nodes where node.habits(.makesTrouble) {
            schedule.add(.trouble(slot: node.slot), at: random.around(100_000))
        }
    }

    /// Runs until a moment, or until something is wrong.
    public func run(until end: Int) { _ = run(until: end, or: { false }) }

    /// - Returns: Whether it ended since `isDone`.
    func run(until end: Int, or isDone: () -> Bool) -> Bool {
        if isDone() { return true }
        while failure == nil, let next = schedule.next, next <= end {
            guard let item = schedule.pop() else { break }
            now = max(now, item.time)
            figures.events += 1
            happen(item.what)
            if figures.events > eventLimit { fail(0, "STORM: \(figures)") }
            if isDone() { return true }
        }
        if failure == nil { now = max(now, end) }
        return false
    }

    private func happen(_ what: Happening) {
        switch what {
        case .arrival(let message, let from, let to): arrive(message, from: from, to: to, what)
        case .flushDue(let slot, let life):
            guard nodes[slot].life == life, nodes[slot].replica != nil else { return }
            if !isPaused(slot, what) { beginFlush(slot) }
        case .flushed(let slot, let life):
            guard nodes[slot].life == life, nodes[slot].replica != nil else { return }
            if isPaused(slot, what) { return }
            finishFlush(slot)
        case .tick(let slot, let life): tick(slot, life, what)
        case .client(let retry): clientActs(retry)
        case .fault: faultStrikes()
        case .crash(let slot, let life, let span): if nodes[slot].life == life { crash(slot, for: span) }
        case .restart(let slot): if nodes[slot].replica == nil, !nodes[slot].isGone { start(slot) }
        case .mend(let cut): network.mend(cut)
        case .diskMended(let slot): nodes[slot].disk.isFull = false
        case .trouble(let slot): makeTrouble(slot)
        case .separation: separateTwins()
        case .offer(let item, let slot): if nodes[slot].replica != nil { submit(item, at: slot) }
        }
    }

    /// A frozen node hears everything when it thaws.
    private func isPaused(_ slot: Int, _ what: Happening) -> Bool {
        guard nodes[slot].pausedUntil > now else { return false }
        schedule.add(what, at: nodes[slot].pausedUntil)
        return true
    }

    private func tick(_ slot: Int, _ life: Int, _ what: Happening) {
        guard nodes[slot].life == life, let replica = nodes[slot].replica else { return }
        guard nodes[slot].tickAt == now || (nodes[slot].tickAt ?? 0) < now else { return }
        if isPaused(slot, what) { return }
        nodes[slot].tickAt = nil
        let uptime = nodes[slot].uptime(at: now)
        guard replica.deadline <= uptime else { return planTick(slot) }
        handle(.tick, at: slot)
        if let replica = nodes[slot].replica, replica.deadline <= uptime {
            fail(slot, "asks for a tick at \(replica.deadline), which is past: it would spin")
        }
    }

    private func planTick(_ slot: Int) {
        guard let replica = nodes[slot].replica else { return }
        let moment = max(now, nodes[slot].moment(of: replica.deadline))
        if let planned = nodes[slot].tickAt, planned <= moment { return }
        nodes[slot].tickAt = moment
        schedule.add(.tick(slot: slot, life: nodes[slot].life), at: moment)
    }

    private func arrive(_ message: Message, from: Int, to: Int, _ what: Happening) {
        guard nodes[to].replica != nil else { return }
        if isPaused(to, what) { return }
        receive(message, from: nodes[from].id, at: to)
    }

    // MARK: The replica

    func tick(of slot: Int) -> Tick {
        Tick(nodes[slot].clock(at: now, from: pool.start), uptime: nodes[slot].uptime(at: now))
    }

    func start(_ slot: Int) {
        nodes[slot].life += 1
        nodes[slot].startedAt = now
        nodes[slot].tickAt = nil
        nodes[slot].disk.pending = []
        nodes[slot].disk.flushing = 0
        nodes[slot].unsavedCertificate = nil
        if let height = nodes[slot].disk.takeBack() {
            note(slot, .disk, "takes back its log from block \(height) on, which does not read back")
        }
        let height = nodes[slot].acknowledged
        if height > 0, nodes[slot].isHonest {
            guard let block = nodes[slot].disk.block(at: height),
                block.headerHash == oracle.tips[Int(height)].headerHash
            else { return fail(slot, "LOST block \(height), which it had called final") }
        }
        let saved = nodes[slot].disk.saved(genesis: genesis)
        var documents = LoggedDocuments()
        if saved.committed.tip.header.height > .genesis {
            for height in 1...saved.committed.tip.header.height.value {
                if let block = nodes[slot].disk.block(at: height) { documents.add(block) }
            }
        }
        nodes[slot].documents = documents
        // What was final is found out again where its certificate was not saved.
        nodes[slot].committed = saved.committed.tip.header.height.value
        nodes[slot].owed = []
        var replica = Replica(id: nodes[slot].id, from: saved, gathersVotes: plan.gathersVotes)
        note(
            slot, nodes[slot].life == 1 ? .disk : .fault,
            "starts at \(saved.committed.tip.header.height), log to \(nodes[slot].disk.chain.count), view \(saved.safety.view)"
        )
        let effects = replica.start(at: tick(of: slot), knowing: nodes[slot].documents)
        nodes[slot].replica = replica
        perform(effects, at: slot)
        planTick(slot)
    }

    /// Handles an event, and those that follow from it at once.
    func handle(_ event: Event, at slot: Int) {
        guard failure == nil, nodes[slot].replica != nil else { return }
        let documents = nodes[slot].documents
        let tick = tick(of: slot)
        let before = nodes[slot].replica.map { ($0.view, $0.safety.phase == .normal) }
        guard let effects = nodes[slot].replica?.handle(event, at: tick, knowing: documents) else { return }
        if let replica = nodes[slot].replica {
            let isNormal = replica.safety.phase == .normal
            if replica.view != before?.0 || isNormal != before?.1 {
                figures.views = max(figures.views, Int(clamping: replica.view.value))
                note(
                    slot, .view,
                    isNormal ? "begins view \(replica.view)" : "waits for view \(replica.view)")
            }
            if nodes[slot].isHonest, let excess = replica.occupancy.excess { return fail(slot, excess) }
        }
        perform(effects, at: slot)
        planTick(slot)
    }

    /// Carries out effects. What is saved goes first: a node's own votes come back to it while they are sent here, and
    /// the disk takes its time anyway.
    private func perform(_ effects: Effects, at slot: Int) {
        if let record = effects.save { save(record, at: slot) }
        for block in effects.commit { commit(block, at: slot) }
        for outgoing in effects.send where failure == nil { dispatch(outgoing, from: slot) }
        for refusal in effects.refuse { refuse(refusal, at: slot) }
        for proof in effects.evidence {
            figures.evidence += 1
            let culprit = nodes.first { $0.id == proof.culprit }
            if trace.isOn { note(slot, .evidence, "has proof against n\(proof.culprit)") }
            if nodes[slot].isHonest, culprit?.isHonest ?? true {
                fail(slot, "has proof that n\(proof.culprit) lied, which it did not")
            }
        }
        if let reason = effects.halt {
            if nodes[slot].isHonest { fail(slot, "halts: \(reason)") } else { crash(slot) }
        }
    }

    private func save(_ record: SafetyRecord, at slot: Int) {
        let certificate = nodes[slot].unsavedCertificate
        nodes[slot].unsavedCertificate = nil
        for step in record.steps {
            guard case .append(let block) = step else { continue }
            oracle.learn(block.header, block.headerHash)
            notebook.note(block)
        }
        if trace.isOn { note(slot, .disk, "saves \(record.ticket.value):\(describe(record))") }
        nodes[slot].disk.pending.append(.init(record: record, certificates: certificate.map { [$0] } ?? []))
        if record.isAwaited {
            beginFlush(slot)
        } else {
            let due = now + Int(Limits.lazyMilliseconds) * 1000
            schedule.add(.flushDue(slot: slot, life: nodes[slot].life), at: due)
        }
        if let span = nodes[slot].crashWhileWriting,
            !nodes[slot].disk.fresh(in: nodes[slot].disk.pending).isEmpty
        {
            nodes[slot].crashWhileWriting = nil
            let moment = now + random.below(nodes[slot].disk.latency.upperBound)
            schedule.add(.crash(slot: slot, life: nodes[slot].life, span: span), at: moment)
        }
    }

    func beginFlush(_ slot: Int) {
        guard nodes[slot].disk.flushing == 0, !nodes[slot].disk.pending.isEmpty else { return }
        nodes[slot].disk.flushing = nodes[slot].disk.pending.count
        schedule.add(
            .flushed(slot: slot, life: nodes[slot].life), at: now + random.within(nodes[slot].disk.latency))
    }

    private func finishFlush(_ slot: Int) {
        let count = nodes[slot].disk.flushing
        nodes[slot].disk.flushing = 0
        guard count > 0, let last = nodes[slot].disk.pending.prefix(count).last else { return }
        if nodes[slot].disk.isFull, let first = nodes[slot].disk.pending.first {
            figures.refusedFlushes += 1
            nodes[slot].disk.pending = []
            // The certificates may come with a later flush.
            nodes[slot].unsavedCertificate = nodes[slot].unsavedCertificate ?? first.certificates.last
            note(slot, .disk, "disk full at \(first.record.ticket.value)")
            return handle(.notDurable(first.record.ticket), at: slot)
        }
        for _ in 0..<count {
            let pending = nodes[slot].disk.pending.removeFirst()
            if let fault = write(pending, at: slot) { return fail(slot, fault) }
        }
        figures.flushes += 1
        handle(.durable(last.record.ticket), at: slot)
        beginFlush(slot)
    }

    func write(_ pending: VirtualDisk.Pending, at slot: Int) -> String? {
        if let fault = nodes[slot].disk.apply(pending) { return fault }
        guard let state = pending.record.state, nodes[slot].isHonest else { return nil }
        return oracle.saved(state, slot: slot)
    }

    private func commit(_ block: CertifiedBlock, at slot: Int) {
        let header = block.accepted.header
        if trace.isOn { note(slot, .final, "commits \(describe(block.accepted.block))") }
        nodes[slot].documents.add(block.accepted)
        if let certificate = block.certificate { nodes[slot].unsavedCertificate = certificate }
        for entry in block.accepted.entries {
            if case .governance(let record) = entry.content, case .erase(let index, _) = record.action {
                erase(index, at: slot)
            }
        }
        guard nodes[slot].isHonest else { return }
        let height = header.height.value
        if let fault = oracle.committed(block, above: nodes[slot].committed) { return fail(slot, fault) }
        nodes[slot].committed = height
        if nodes[slot].disk.block(at: height)?.headerHash != block.accepted.headerHash {
            return fail(slot, "commits block \(height), which is not on its disk")
        }
        figures.commits = max(figures.commits, Int(height))
        nodes[slot].acknowledged = max(nodes[slot].acknowledged, height)
        let digests = block.accepted.entries.map(\.entry.statement.digest)
        for digest in digests {
            guard let number = pool.number(of: digest) else { continue }
            nodes[slot].owed.removeAll { pool.items[$0].entry.key == pool.items[number].entry.key }
        }
    }

    private func erase(_ index: EntryIndex, at slot: Int) {
        for hash in nodes[slot].disk.chain {
            guard let block = nodes[slot].disk.blocks[hash], block.header.treeSize > index.value else {
                continue
            }
            let first = block.header.treeSize - UInt64(block.entries.count)
            guard index.value >= first else { return }
            nodes[slot].erased.insert(block.entries[Int(index.value - first)].entry.statement.digest)
            return
        }
    }

    private func refuse(_ refusal: Refusal, at slot: Int) {
        guard let number = pool.number(of: refusal.entry) else { return }
        figures.refusals += 1
        if trace.isOn { note(slot, .refusal, "refuses \(name(ofEntry: number))") }
        nodes[slot].owed.removeAll { $0 == number }
    }

    // MARK: Reporting

    func note(_ slot: Int, _ topic: Trace.Topic, _ text: @autoclosure () -> String) {
        guard trace.isOn else { return }
        trace.add(now, topic, "n\(nodes[slot].id)\(isSecondTwin(slot) ? "'" : "")", text())
    }

    func isSecondTwin(_ slot: Int) -> Bool { slot > 0 && nodes[slot - 1].id == nodes[slot].id }

    func fail(_ slot: Int, _ reason: String) {
        guard failure == nil else { return }
        failure = "n\(nodes[slot].id) \(reason)"
        note(slot, .failure, "FAILS: \(reason)")
    }
}

extension CheckedEntry {
    /// What makes two entries one.
    var key: String {
        identity.map { "\($0.submitter)/\($0.id)" } ?? entry.statement.digest.description
    }
}
