import Ledger

/// The replica with those who wait for it. Lives on the ordering queue.
struct OrderingLoop: Sendable {
    private let ports: ReplicaDriver.Ports
    private let id: ReplicaID
    private var replica: Replica
    private var waiters = Waiters()
    /// The newest certificate, which goes to the disk with the next flush: losing it costs one signature at a restart.
    private var unsavedCertificate: CommitCertificate?
    /// The governance records that are final: number n is at position n - 1.
    private var records: [EntryIndex] = []
    /// Why the last save that failed did.
    private var lastStorageFailure: StoreError?

    init(
        ports: ReplicaDriver.Ports, id: ReplicaID, genesis: Genesis, ledgerID: Digest
    ) throws(StoreError) {
        self.ports = ports
        self.id = id
        let log = ports.log
        let final = try log.lastCertificate()?.header.height ?? .genesis
        let tip = try log.chainTip(at: final)
        let state = try LedgerState.restored(
            genesis: genesis, ledgerID: ledgerID, from: log, size: tip.header.treeSize)
        let position = Replica.Position(tip: tip, state: state)
        let accepted = try Self.readAccepted(above: position, log)
        replica = Replica(
            id: id,
            from: .init(
                committed: position, certificate: try log.lastCertificate(), blocks: accepted,
                tip: accepted.last?.headerHash ?? tip.headerHash, safety: SafetyState()))
    }

    /// Settles what was accepted before the last stop.
    mutating func resume() throws(StoreError) -> Published {
        let certificate = try ports.log.lastCertificate()
        var published = Published(
            header: replica.committed.tip.header, certificate: certificate, state: replica.committed.state)
        perform(replica.start(at: now, knowing: documents)) { published = $0 }
        // An order to erase may have been final and not yet carried out.
        records = []
        for index in try ports.log.indexesThatChangeRules(below: published.size) {
            guard let entry = try CheckedEntry(reading: ports.log.entry(index)),
                case .governance(let record) = entry.content
            else { continue }
            records.append(index)
            if case .erase(let erased, _) = record.action { try ports.log.erase(erased) }
        }
        return published
    }

    /// Orders what clients wait for.
    mutating func order(_ requests: [Mailbox.Request], _ publish: (Published) -> Void) {
        var new: [CheckedEntry] = []
        for request in requests {
            switch waiters.join(request) {
            case .waits: continue
            case .refused(let rejection): request.answer(.failure(.rejected(rejection)))
            case .first:
                do throws(StoreError) {
                    if let answer = try answerFromLog(request.entry) {
                        waiters.resolve(request.entry, answer)
                    } else {
                        new.append(request.entry)
                    }
                } catch {
                    waiters.resolve(request.entry, .failure(.storage(error)))
                }
            }
        }
        guard !new.isEmpty else { return }
        perform(replica.handle(.entries(new), at: now, knowing: documents), publish)
    }

    /// Puts the newest certificate on the disk, so that a directory at rest shows all of its log to be final.
    mutating func close() {
        do throws(StoreError) { try saveCertificate() } catch {
            // The next start votes for the block again, with the same bytes.
            ports.report("the last certificate was not saved: \(error)")
        }
    }

    private var now: Tick { Tick(ports.clock(), uptime: ports.uptime()) }
    private var documents: LogDocuments { LogDocuments(log: ports.log, report: ports.report) }

    /// Carries out effects, top to bottom, and those that follow from them: what follows from an event comes before
    /// the event after it, so that nothing is built on a block before its flush has been heard of.
    ///
    /// A loop: where every entry is a block of its own, as many effects follow from one another as entries wait.
    private mutating func perform(_ effects: Effects, _ publish: (Published) -> Void) {
        var stack = Array(carryOut(effects, publish).reversed())
        while let event = stack.popLast() {
            stack += carryOut(replica.handle(event, at: now, knowing: documents), publish).reversed()
        }
    }

    /// - Returns: What has happened by it.
    private mutating func carryOut(_ effects: Effects, _ publish: (Published) -> Void) -> [Event] {
        var events: [Event] = []
        if let record = effects.save { events.append(save(record)) }
        if !effects.commit.isEmpty { commit(effects.commit, publish) }
        for message in effects.send { if let event = sign(message) { events.append(event) } }
        for refusal in effects.refuse { waiters.resolve(refusal, storage: lastStorageFailure) }
        return events
    }

    private mutating func save(_ record: SafetyRecord) -> Event {
        var change = LogStore.Change()
        for step in record.steps {
            switch step {
            case .truncate(let height):
                change.truncateTo = min(change.truncateTo ?? height, height)
                change.append.removeAll { $0.block.header.height > height }
            case .append(let block):
                change.append.append(
                    LogStore.AppendedBlock(
                        block: block.block, facts: block.entries.map(\.facts), completed: block.completed))
            }
        }
        if let unsavedCertificate { change.certificates = [unsavedCertificate] }
        do throws(StoreError) {
            try ports.log.save(change)
            unsavedCertificate = nil
            return .durable(record.ticket)
        } catch {
            ports.report("a block was not saved: \(error)")
            lastStorageFailure = error
            return .notDurable(record.ticket)
        }
    }

    private func sign(_ message: Outgoing) -> Event? {
        guard case .commit(let header) = message.content else { return nil }
        let vote = CommitVote(
            header, signer: id, signature: ports.voteKey.sign(ports.electorate.commitMessage(for: header)))
        let context = SigningContext(ledgerID: header.ledgerID, epoch: header.epoch)
        let verifier = MessageVerifier(context: context, authority: ports.electorate)
        return (try? verifier.verify(.commit(vote), from: id)).map(Event.message)
    }

    private mutating func commit(_ blocks: [CertifiedBlock], _ publish: (Published) -> Void) {
        guard let last = blocks.last else { return }
        if let certificate = last.certificate { unsavedCertificate = certificate }
        let published = Published(
            header: last.accepted.block.header, certificate: last.certificate, state: last.accepted.state)
        publish(published)
        for block in blocks {
            noteRecords(block.accepted)
            carryOutErasures(block.accepted)
        }
        ports.onCommit(published, blocks)
        for block in blocks {
            for (position, entry) in block.accepted.entries.enumerated() {
                let index = EntryIndex(block.accepted.block.firstIndex.value + UInt64(position))
                waiters.settle(entry, at: index)
            }
        }
    }

    private mutating func noteRecords(_ block: AcceptedBlock) {
        for (position, entry) in block.entries.enumerated() {
            guard case .governance = entry.content else { continue }
            records.append(EntryIndex(block.block.firstIndex.value + UInt64(position)))
        }
    }

    private mutating func carryOutErasures(_ block: AcceptedBlock) {
        for entry in block.entries {
            guard case .governance(let record) = entry.content, case .erase(let index, _) = record.action
            else {
                continue
            }
            do throws(StoreError) {
                try saveCertificate()
                try ports.log.erase(index)
            } catch {
                // The order is in the log: it is carried out at the next start at the latest.
                ports.report("entry \(index) is not erased yet: \(error)")
            }
        }
    }

    /// A restart reads the entries above the last certificate again: none of them may have lost its payload by then.
    private mutating func saveCertificate() throws(StoreError) {
        guard let certificate = unsavedCertificate else { return }
        var change = LogStore.Change()
        change.certificates = [certificate]
        try ports.log.save(change)
        unsavedCertificate = nil
    }

    /// The answer for a document or record that the log already has, or `nil`.
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
        guard let identity = entry.identity, let index = try ports.log.index(of: identity) else { return nil }
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

    /// The blocks above a position that were on the disk, as they were accepted.
    private static func readAccepted(
        above position: Replica.Position, _ log: LogStore
    ) throws(StoreError) -> [AcceptedBlock] {
        var accepted: [AcceptedBlock] = []
        var tip = position.tip
        var state = position.state
        for (header, _) in try log.blocks(from: tip.header.height.next, limit: Int(Limits.window)) {
            let range = EntryIndex(tip.header.treeSize)..<EntryIndex(header.treeSize)
            var entries: [CheckedEntry] = []
            for entry in try log.entries(range) {
                guard let checked = try CheckedEntry(reading: entry) else {
                    throw .damaged(place: "entry \(entry.index)", reason: "it is erased before it was final")
                }
                state.apply(checked, at: entry.index, time: header.time)
                entries.append(checked)
            }
            let again = tip.extended(
                by: entries.map(\.entry), view: header.view, epoch: header.epoch, clock: header.time)
            guard again.block.header == header else {
                throw .damaged(
                    place: "block \(header.height)", reason: "its entries are not those of its header")
            }
            tip = again.tip
            accepted.append(
                AcceptedBlock(
                    block: again.block, entries: entries, completed: again.completed, tip: tip, state: state))
        }
        return accepted
    }
}

/// The log on the disk, as the replica asks it for documents.
struct LogDocuments: CommittedDocuments {
    let log: LogStore
    let report: @Sendable (String) -> Void

    func contains(_ identity: DocumentIdentity, below size: UInt64) -> Bool {
        do throws(StoreError) {
            guard let index = try log.index(of: identity) else { return false }
            return index.value < size
        } catch {
            // Nothing is ordered that might be there already.
            report("the log cannot be asked for a document: \(error)")
            return true
        }
    }
}
