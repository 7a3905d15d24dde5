import Ledger

/// The replica with those who wait for it. Lives on the ordering queue.
struct OrderingLoop: Sendable {
    private let ports: ReplicaDriver.Ports
    private let disk: DiskThread
    private let postman: Postman
    private let shared: SharedState
    private let checked: CheckedEntries
    private var replica: Replica
    private var waiters = Waiters()
    /// The governance records that are final: number n is at position n - 1.
    private var records: [EntryIndex] = []
    /// Why the last save that failed did.
    private var lastStorageFailure: StoreError?
    private var status = ReplicaStatus()
    private var evidence: EvidenceBook

    init(
        ports: ReplicaDriver.Ports, replica: Replica, disk: DiskThread, postman: Postman, shared: SharedState,
        checked: CheckedEntries
    ) {
        self.ports = ports
        self.replica = replica
        self.disk = disk
        self.postman = postman
        self.shared = shared
        self.checked = checked
        evidence = EvidenceBook(ports.electorate, postman.verifier.context)
        status.view = replica.view
    }

    /// Says again what may have been said before the last stop, and settles what can be.
    mutating func resume() throws(StoreError) {
        try evidence.restore(from: ports.log)
        perform(replica.start(at: now, knowing: documents))
        // An order to erase may have been final and not yet carried out.
        records = []
        for index in try ports.log.indexesThatChangeRules(below: shared.published.size) {
            guard let entry = try CheckedEntry(reading: ports.log.entry(index)),
                case .governance(let record) = entry.content
            else { continue }
            note(record, at: index)
            if case .erase(let erased, _) = record.action { try ports.log.erase(erased) }
        }
        show()
        compareClocks()
    }

    /// The time of a block is never before its parent's: a clock that was far ahead once leaves its mark.
    private func compareClocks() {
        let newest = shared.published.header.time
        let seconds = (newest.milliseconds - ports.clock().milliseconds) / 1000
        guard seconds > Ledger.Limits.clockDriftMilliseconds / 1000 else { return }
        ports.report(
            "the newest block is of \(newest), \(seconds) s ahead of this node's clock: one of the clocks that made "
                + "it and this one is wrong, and blocks bear that time until the clocks have passed it")
    }

    /// Handles what waits, and what is due.
    mutating func handle(_ batch: Mailbox.Batch) {
        guard status.halt == nil else {
            for request in batch.requests { request.answer(.failure(.timeout)) }
            return
        }
        for outcome in batch.outcomes { handle(event(of: outcome)) }
        for event in batch.events { handle(event) }
        for event in batch.forwarded { handle(event) }
        order(batch.requests)
        let uptime = ports.uptime()
        waiters.expire(at: uptime)
        if uptime >= replica.deadline { handle(.tick) }
        if status.halt != nil { waiters.abandon() }
        show()
    }

    /// When `handle` is wanted next, whatever comes.
    var deadline: Duration {
        guard status.halt == nil else { return .seconds(Int64.max >> 1) }
        return min(replica.deadline, waiters.nextDeadline ?? replica.deadline)
    }

    var isIdle: Bool { waiters.isEmpty }

    /// Puts the newest certificate on the disk, so that a directory at rest shows all of its log to be final.
    mutating func close() {
        waiters.abandon()
        do throws(StoreError) {
            try disk.finish { log throws(StoreError) in try log.settle() }
        } catch {
            // The next start finds the journal, and votes again with the same bytes or fetches the certificate.
            ports.report("the log was not settled at the end: \(error)")
        }
    }

    private var now: Tick { Tick(ports.clock(), uptime: ports.uptime()) }
    private var documents: LogDocuments { LogDocuments(log: ports.log, report: ports.report) }

    // MARK: Events

    private mutating func event(of outcome: DiskThread.Outcome) -> Event {
        switch outcome {
        case .durable(let ticket): return .durable(ticket)
        case .failed(let ticket, let error):
            lastStorageFailure = error
            return .notDurable(ticket)
        }
    }

    private mutating func handle(_ event: Event) {
        guard status.halt == nil else { return }
        perform(tell(event))
    }

    private mutating func tell(_ event: Event) -> Effects {
        // Not before the replica hears of it: until then it hands over what rests on what was refused.
        if case .notDurable = event { disk.mend() }
        return replica.handle(event, at: now, knowing: documents)
    }

    /// Orders what clients wait for.
    private mutating func order(_ requests: [Mailbox.Request]) {
        var new: [CheckedEntry] = []
        for request in requests {
            switch waiters.join(request) {
            case .waits: continue
            case .refused(let rejection): request.answer(.failure(.rejected(rejection)))
            case .first:
                do throws(StoreError) {
                    if let answer = try answerFromLog(request.entry) {
                        checked.forget([request.entry])
                        waiters.resolve(request.entry, answer)
                    } else {
                        new.append(request.entry)
                    }
                } catch {
                    waiters.resolve(request.entry, .failure(.storage(error)))
                }
            }
        }
        if !new.isEmpty { handle(.entries(new)) }
    }

    // MARK: Effects

    /// Carries out effects, and those that follow from them: what follows from an event comes before
    /// the event after it. A loop: as many effects may follow from one another as blocks wait.
    private mutating func perform(_ effects: Effects) {
        var stack = Array(carryOut(effects).reversed())
        while status.halt == nil, let event = stack.popLast() {
            stack += carryOut(tell(event)).reversed()
        }
    }

    /// Top to bottom: what leaves does not wait for what is saved.
    ///
    /// - Returns: What has happened by it.
    private mutating func carryOut(_ effects: Effects) -> [Event] {
        if !effects.commit.isEmpty { commit(effects.commit) }
        let (tip, isAwaited) = (replica.tip.header.height, !waiters.isEmpty)
        var events = effects.send.flatMap { postman.deliver($0, tip: tip, isAwaited: isAwaited) }
        if let record = effects.save { events += disk.save(record).map { event(of: $0) } }
        for refusal in effects.refuse { waiters.resolve(refusal, storage: lastStorageFailure) }
        for proof in effects.evidence { note(proof) }
        if let reason = effects.halt {
            status.halt = reason
            ports.report("the replica stops: \(reason)")
        }
        return events
    }

    private mutating func commit(_ blocks: [CertifiedBlock]) {
        guard let last = blocks.last else { return }
        for case let certificate? in blocks.map(\.certificate) {
            disk.keep(certificate)
            status.certificates += 1
        }
        let published = Published(
            header: last.accepted.block.header, certificate: last.certificate, state: last.accepted.state)
        shared.published = published
        for block in blocks {
            noteRecords(block.accepted)
            carryOutErasures(block.accepted)
        }
        ports.onCommit(published, blocks)
        for block in blocks {
            checked.forget(block.accepted.entries)
            for (position, entry) in block.accepted.entries.enumerated() {
                let index = EntryIndex(block.accepted.block.firstIndex.value + UInt64(position))
                waiters.settle(entry, at: index)
            }
        }
    }

    private mutating func noteRecords(_ block: AcceptedBlock) {
        for (position, entry) in block.entries.enumerated() {
            guard case .governance(let record) = entry.content else { continue }
            note(record, at: EntryIndex(block.block.firstIndex.value + UInt64(position)))
        }
    }

    private mutating func note(_ record: GovernanceRecord, at index: EntryIndex) {
        records.append(index)
        guard case .evidence(let member, let contradiction) = record.action else { return }
        evidence.record(contradiction, of: member, at: index)
    }

    private func carryOutErasures(_ block: AcceptedBlock) {
        for entry in block.entries {
            guard case .governance(let record) = entry.content, case .erase(let index, _) = record.action
            else {
                continue
            }
            do throws(StoreError) {
                // A restart reads the entries above the last certificate again, and the blocks beside the chain: the
                // certificate goes to the disk first, and dead blocks from it.
                try disk.finish { log throws(StoreError) in try log.erase(index) }
                checked.forgetAll()
            } catch {
                // The order is in the log: it is carried out at the next start at the latest.
                ports.report("entry \(index) is not erased yet: \(error)")
            }
        }
    }

    private mutating func note(_ proof: Equivocation) {
        guard let line = evidence.add(proof) else { return }
        ports.report("it is proven that a node lied: \(line)")
        do throws(StoreError) {
            try disk.finish { log throws(StoreError) in _ = try log.keep(evidence: proof.encoded) }
        } catch { ports.report("the proof was not saved: \(error)") }
    }

    // MARK: Answers

    /// The answer for a document or record that is final already, or `nil`.
    private func answerFromLog(
        _ entry: CheckedEntry
    ) throws(StoreError) -> Result<Acknowledgement, SubmissionFailure>? {
        if case .governance(let record) = entry.content {
            guard record.sequence > 0, record.sequence <= UInt64(records.count) else { return nil }
            let index = records[Int(record.sequence - 1)]
            let first = try ports.log.entry(index)
            // Another record under this number is told so by the rules.
            guard try CheckedEntry(reading: first)?.contentDigest == entry.contentDigest else { return nil }
            return .success(Acknowledgement(index: index, leaf: first.statement, isNew: false))
        }
        // The log on the disk goes on above what is final.
        guard let identity = entry.identity, let index = try ports.log.index(of: identity),
            index.value < replica.committed.tip.header.treeSize
        else { return nil }
        let first = try ports.log.entry(index)
        guard let known = try CheckedEntry(reading: first) else {
            return .failure(
                .rejected(Rejection(.erased, "entry \(index) had this id and was erased; its id stays taken"))
            )
        }
        guard known.contentDigest == entry.contentDigest else {
            return .failure(
                .rejected(
                    Rejection(
                        .conflict,
                        "entry \(index) has the id \(identity.id) with another content: use a new id")))
        }
        return .success(Acknowledgement(index: index, leaf: first.statement, isNew: false))
    }

    // MARK: What others see

    /// - Returns: Whether the tip has moved.
    private mutating func show() {
        if replica.view > status.view { status.viewChanges += 1 }
        status.view = replica.view
        status.isChanging = !replica.safety.isNormal
        status.primary = replica.primary
        status.tip = replica.tip.header.height
        status.committed = replica.committed.tip.header.height
        status.waiting = replica.waitingCount
        status.evidence = evidence.proofs
        status.peers = (0..<replica.committee.size).map { index in
            let node = ReplicaID(UInt16(index))
            let said = replica.peers.status(of: node)
            return ReplicaStatus.Peer(
                id: node, isConnected: false, view: said?.view, committed: said?.committed)
        }
        shared.status = status
        shared.needs = replica.needs
        let tip = replica.tip
        if shared.tip.hash != tip.headerHash {
            shared.tip = TipState(hash: tip.headerHash, height: tip.header.height, state: replica.state)
        }
    }
}

/// The log on the disk, as the replica asks it for documents.
struct LogDocuments: CommittedDocuments {
    let log: LogStore
    let report: @Sendable (String) -> Void

    func known(among identities: [DocumentIdentity], below size: UInt64) -> Set<DocumentIdentity> {
        guard !identities.isEmpty else { return [] }
        do throws(StoreError) {
            let places = try log.indexes(of: identities)
            return Set(zip(identities, places).lazy.filter { ($1?.value ?? .max) < size }.map(\.0))
        } catch {
            // One row that cannot be read says nothing of the others.
            guard identities.count == 1 else {
                return identities.reduce(into: []) { $0.formUnion(known(among: [$1], below: size)) }
            }
            // Nothing is ordered that might be there already.
            report("the log cannot be asked for a document: \(error)")
            return Set(identities)
        }
    }
}
