import Ledger

/// The replica with those who wait for it. Lives on the ordering queue.
struct OrderingLoop: Sendable {
    private let ports: ReplicaDriver.Ports
    private let id: ReplicaID
    private var replica: Replica
    private var waiters = Waiters()
    /// The newest certificate, which goes to the disk with the next flush: losing it costs one signature at a restart.
    private var unsavedCertificate: CommitCertificate?
    /// Why the last save failed; `nil` after one that succeeded.
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
        let accepted = try Self.readAccepted(above: Replica.Position(tip: tip, state: state), log)
        let prepared = (accepted.last?.block.header ?? tip.header)
        replica = Replica(
            id: id, committed: Replica.Position(tip: tip, state: state), accepted: accepted,
            highestPrepared: PreparedMark(prepared))
    }

    /// Settles what was accepted before the last stop.
    mutating func resume() throws(StoreError) -> Published {
        let certificate = try ports.log.lastCertificate()
        var published = Published(
            header: replica.committed.tip.header, certificate: certificate, state: replica.committed.state)
        if replica.tip.header.height > replica.committed.tip.header.height {
            perform(replica.handle(.durable(replica.tip.header.height), at: now)) { published = $0 }
        }
        // An order to erase may have been final and not yet carried out.
        for index in try ports.log.indexesThatChangeRules(below: published.size) {
            guard let entry = try CheckedEntry(reading: ports.log.entry(index)),
                case .governance(let record) = entry.content, case .erase(let erased, _) = record.action
            else { continue }
            try ports.log.erase(erased)
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
        perform(replica.handle(.entries(new), at: now), publish)
    }

    /// Puts the newest certificate on the disk, so that a directory at rest shows all of its log to be final.
    mutating func close() {
        guard let unsavedCertificate else { return }
        var change = LogStore.Change()
        change.certificates = [unsavedCertificate]
        do throws(StoreError) {
            try ports.log.save(change)
            self.unsavedCertificate = nil
        } catch {
            // The next start votes for the block again, with the same bytes.
            ports.report("the last certificate was not saved: \(error)")
        }
    }

    private var now: Tick { Tick(ports.clock()) }

    /// Carries out effects, top to bottom, and those that follow from them.
    private mutating func perform(_ effects: Effects, _ publish: (Published) -> Void) {
        var next: [Event] = []
        if let record = effects.save { next.append(save(record)) }
        if !effects.commit.isEmpty { commit(effects.commit, publish) }
        for message in effects.send { next.append(sign(message)) }
        for refusal in effects.refuse { waiters.resolve(refusal, storage: lastStorageFailure) }
        for event in next { perform(replica.handle(event, at: now), publish) }
    }

    private mutating func save(_ record: SafetyRecord) -> Event {
        var change = LogStore.Change()
        change.truncateTo = record.truncateTo
        if lastStorageFailure != nil {
            // The log's half of the failed write may have reached the disk; what it holds above our tip is not ours.
            change.truncateTo =
                change.truncateTo ?? record.accepted.first.map { $0.block.header.height.previous }
        }
        change.append = record.accepted.map {
            LogStore.AppendedBlock(block: $0.block, facts: $0.entries.map(\.facts), completed: $0.completed)
        }
        if let unsavedCertificate { change.certificates = [unsavedCertificate] }
        let durable = replica.tip.header.height
        do throws(StoreError) {
            try ports.log.save(change)
            unsavedCertificate = nil
            lastStorageFailure = nil
            return .durable(durable)
        } catch {
            ports.report("a block was not saved: \(error)")
            lastStorageFailure = error
            return .notDurable(above: (record.accepted.first?.block.header.height ?? durable.next).previous)
        }
    }

    private func sign(_ message: Outgoing) -> Event {
        switch message {
        case .commit(let header):
            .commitVote(
                CommitVote(
                    replica: id, view: header.view, height: header.height, headerHash: header.hash,
                    signature: ports.voteKey.sign(ports.electorate.commitMessage(for: header))))
        }
    }

    private mutating func commit(_ blocks: [CertifiedBlock], _ publish: (Published) -> Void) {
        guard let last = blocks.last else { return }
        if let certificate = last.certificate { unsavedCertificate = certificate }
        let published = Published(
            header: last.accepted.block.header, certificate: last.certificate, state: last.accepted.state)
        publish(published)
        for block in blocks { carryOutErasures(block.accepted) }
        ports.onCommit(published, blocks)
        for block in blocks {
            for (position, entry) in block.accepted.entries.enumerated() {
                let index = EntryIndex(block.accepted.block.firstIndex.value + UInt64(position))
                waiters.settle(entry, at: index)
            }
        }
    }

    private func carryOutErasures(_ block: AcceptedBlock) {
        for entry in block.entries {
            guard case .governance(let record) = entry.content, case .erase(let index, _) = record.action
            else {
                continue
            }
            do throws(StoreError) { try ports.log.erase(index) } catch {
                // The order is in the log: it is carried out at the next start at the latest.
                ports.report("entry \(index) is not erased yet: \(error)")
            }
        }
    }

    /// The answer for a document that the log already has, or `nil`.
    private func answerFromLog(
        _ entry: CheckedEntry
    ) throws(StoreError) -> Result<Acknowledgement, SubmissionFailure>? {
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
