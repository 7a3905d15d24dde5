import Ledger
import Replication
import TestSupport

/// What the driver does with messages, on virtual wires.
extension World {
    // MARK: Out

    func dispatch(_ outgoing: Outgoing, from slot: Int) {
        let message = sign(outgoing.content, as: nodes[slot].id)
        if nodes[slot].isHonest, let replica = nodes[slot].replica,
            let fault = oracle.signs(message, slot: slot, replica)
        {
            return fail(slot, fault)
        }
        notebook.note(message, committee: votes.committee)
        if trace.isOn {
            note(
                slot, .sent(MessageKind(message)),
                "-> \(recipients(outgoing.recipients)) \(describe(message))")
        }
        let targets = targets(of: outgoing.recipients, from: slot)
        if nodes[slot].isHonest {
            for target in targets { transmit(message, from: slot, to: target) }
        } else {
            lie(message, from: slot, to: targets)
        }
        returnOwn(message, outgoing.recipients, to: slot)
    }

    /// A node's own votes come back to it as events.
    private func returnOwn(_ message: Message, _ recipients: Outgoing.Recipients, to slot: Int) {
        let own: Message
        switch message {
        case .proposal(let proposal):
            guard recipients == .everyone else { return }
            own = .prepare(proposal.prepare)
        case .prepare, .commit: own = message
        case .viewChange:
            guard recipients == .everyone else { return }
            own = message
        case .complaint, .newView, .prepared, .committed, .status, .entries, .fetch, .fetched: return
        }
        do throws(Refused) {
            handle(.message(try verifier.verify(own, from: nodes[slot].id)), at: slot)
        } catch {
            fail(slot, "refuses its own \(describe(own)): \(error)")
        }
    }

    func sign(_ content: Outgoing.Content, as id: ReplicaID) -> Message {
        switch content {
        case .message(let message): message
        case .proposal(let block): propose(block.block, as: id)
        case .prepare(let prepare): .prepare(signed(prepare, as: id))
        case .commit(let header):
            .commit(
                CommitVote(
                    header, signer: id, signature: votes.sign(votes.commitMessage(for: header), as: id)))
        case .viewChange(let claim, let prepared, let committed):
            .viewChange(ViewChange(claim: signed(claim, as: id), prepared: prepared, committed: committed))
        case .newView(let installation, let certificate):
            .newView(NewView(installation: signed(installation, as: id), certificate: certificate))
        case .entries(let entries): .entries(entries.map { EntryBytes($0.entry) })
        }
    }

    func propose(_ block: Block, as id: ReplicaID) -> Message {
        let mark = BlockMark(block.header, hash: block.header.hash)
        return .proposal(Proposal(block: ProposedBlock(block), prepare: signed(Prepare(mark), as: id)))
    }

    func signed<Body>(_ body: Body, as id: ReplicaID) -> Signed<Body> {
        Signed(body, signer: id, signature: votes.sign(body.signedBytes(verifier.context), as: id))
    }

    private func targets(of recipients: Outgoing.Recipients, from slot: Int) -> [Int] {
        let own = nodes[slot].id
        return nodes.indices.filter { target in
            let id = nodes[target].id
            return switch recipients {
            case .everyone, .others: id != own
            case .only(let one): id == one && id != own
            }
        }
    }

    /// Puts a message on the wire, where it may be lost, doubled, delayed or damaged.
    func transmit(_ message: Message, from: Int, to: Int) {
        figures.messages += 1
        oracle.sends(message, from: nodes[from].id)
        let fate = network.fate(of: message, from, to)
        if network.isCut(from, to) || fate == .drop {
            figures.lost += 1
            return
        }
        let isFaulty = now < faultsEnd
        if isFaulty, random.chance(plan.loss) {
            figures.lost += 1
            return
        }
        var message = message
        if isFaulty, fate == .damage || random.chance(plan.mutation) {
            switch mutate(message) {
            case .none: break
            case .readable(let mutated):
                figures.mutations += 1
                message = mutated
            case .unreadable:
                // The receiver drops the frame, and the connection with it.
                figures.mutations += 1
                figures.lost += 1
                return
            }
        }
        let copies = isFaulty && (fate == .double || random.chance(plan.duplication)) ? 2 : 1
        let range =
            isFaulty ? plan.delay : min(plan.delay.lowerBound, 20_000)...min(plan.delay.upperBound, 20_000)
        for _ in 0..<copies {
            var moment = now + random.within(range)
            if case .delay(let time) = fate { moment += time }
            if plan.keepsOrder { moment = network.inOrder(from, to, moment) }
            schedule.add(.arrival(message, from: from, to: to), at: moment)
        }
    }

    // MARK: In

    func receive(_ message: Message, from sender: ReplicaID, at slot: Int) {
        if trace.isOn { note(slot, .received(MessageKind(message)), "<- n\(sender) \(describe(message))") }
        notebook.hear(message, at: slot, isLiar: !nodes[slot].isHonest)
        do throws(Refused) {
            switch message {
            case .proposal(let proposal): try receive(proposal, from: sender, at: slot)
            case .entries(let entries): receive(entries, from: sender, at: slot)
            case .fetch(let request): answer(request, of: sender, at: slot)
            case .fetched(let blocks): try receive(blocks, from: sender, at: slot)
            case .prepare, .commit, .complaint, .viewChange, .newView, .prepared, .committed, .status:
                guard let replica = nodes[slot].replica else { return }
                guard replica.needs.includes(message) else {
                    return try checkIsNoUse(message, from: sender, to: replica, at: slot)
                }
                handle(.message(try verifier.verify(message, from: sender)), at: slot)
            }
        } catch {
            figures.unverified += 1
            if trace.isOn { note(slot, .received(MessageKind(message)), "drops it: \(error)") }
        }
    }

    /// What a driver passes over would have brought about nothing.
    private func checkIsNoUse(
        _ message: Message, from sender: ReplicaID, to replica: Replica, at slot: Int
    ) throws(Refused) {
        figures.passedOver += 1
        guard Defect.active == nil, nodes[slot].isHonest else { return }
        let verified = try verifier.verify(message, from: sender)
        let documents = nodes[slot].documents
        let tick = tick(of: slot)
        var (told, untold) = (replica, replica)
        let effects = told.handle(.message(verified), at: tick, knowing: documents)
        // The same moment, without any news.
        let others = untold.handle(.durable(SaveTicket(0)), at: tick, knowing: documents)
        guard effects.outline != others.outline || told.view != untold.view else { return }
        fail(
            slot,
            "passes over \(describe(message)), which would have changed something: \(effects.outline) instead of \(others.outline)"
        )
    }

    private func receive(_ proposal: Proposal, from sender: ReplicaID, at slot: Int) throws(Refused) {
        let entries = proposal.block.entries.compactMap { pool.checked($0) }
        if entries.count == proposal.block.entries.count {
            handle(.proposal(try verifier.verify(proposal, entries: entries, from: sender)), at: slot)
        } else {
            handle(.badProposal(try verifier.verify(proposal, entries: [], from: sender)), at: slot)
        }
    }

    /// Entries of documents are opened against the rules in force here, as a node does.
    private func receive(_ entries: [EntryBytes], from sender: ReplicaID, at slot: Int) {
        if nodes[slot].habits(.starvesOne), Int(sender.value) == (slot + 1) % plan.nodes { return }
        let known = entries.compactMap { pool.checked($0) }.filter {
            isAdmissible($0, at: slot) || $0.identity == nil
        }
        if !known.isEmpty { handle(.forwarded(known), at: slot) }
    }

    private func receive(_ fetched: FetchedBlocks, from sender: ReplicaID, at slot: Int) throws(Refused) {
        var blocks: [CheckedBlocks.CheckedBlock] = []
        for block in fetched.blocks {
            var entries: [CheckedEntry] = []
            for entry in block.entries {
                switch entry {
                case .whole(let entry):
                    guard let checked = pool.checked(entry) else { return }
                    entries.append(checked)
                case .erased(let entry, let identity):
                    entries.append(CheckedEntry(erased: entry, identity: identity))
                }
            }
            blocks.append(.init(header: block.header, entries: entries))
        }
        let verified = try verifier.verify(blocks, certificate: fetched.certificate, from: sender)
        handle(.fetched(verified), at: slot)
    }

    // MARK: Fetches

    /// Blocks of one answer, at most.
    private var fetchedBlocks: Int { plan.seed % 2 == 0 ? 8 : 32 }

    private func answer(_ request: FetchRequest, of peer: ReplicaID, at slot: Int) {
        figures.fetches += 1
        if nodes[slot].habits(.withholds), random.chance(800_000) { return }
        guard let answer = answer(request, at: slot) else { return }
        let message = Message.fetched(answer)
        if trace.isOn { note(slot, .sent(.fetched), "-> n\(peer) \(describe(message))") }
        for target in nodes.indices where nodes[target].id == peer && target != slot {
            transmit(message, from: slot, to: target)
        }
    }

    private func answer(_ request: FetchRequest, at slot: Int) -> FetchedBlocks? {
        let disk = nodes[slot].disk
        switch request {
        case .committed(let height):
            var certificates = disk.certificates
            if let newest = nodes[slot].unsavedCertificate { certificates.append(newest) }
            let above = certificates.filter { $0.header.height > height }
            let limit = height.value.addingReportingOverflow(UInt64(fetchedBlocks)).partialValue
            guard let certificate = above.last(where: { $0.header.height.value <= limit }) ?? above.first
            else {
                return nil
            }
            var blocks: [FetchedBlock] = []
            for height in height.next.value...certificate.header.height.value {
                guard let block = disk.block(at: height) else { return nil }
                blocks.append(fetched(block, at: slot))
            }
            return FetchedBlocks(blocks: blocks, certificate: certificate)
        case .ancestry(let hash, let height, let floor):
            var blocks: [FetchedBlock] = []
            var next = hash
            while let block = disk.blocks[next], block.header.height > floor, blocks.count < 64 {
                blocks.append(fetched(block, at: slot))
                next = block.header.parent
            }
            guard let first = blocks.first, first.header.height == height else { return nil }
            return FetchedBlocks(blocks: blocks.reversed(), certificate: nil)
        }
    }

    private func fetched(_ block: AcceptedBlock, at slot: Int) -> FetchedBlock {
        FetchedBlock(
            header: block.header,
            entries: block.entries.map { checked in
                let entry = checked.entry
                if case .erased(let identity) = checked.content { return .erased(entry, identity) }
                if nodes[slot].erased.contains(entry.statement.digest), let identity = checked.identity {
                    let left = Entry(statement: entry.statement, erasedKeyCommitment: entry.keyCommitment)
                    return .erased(left, identity)
                }
                return .whole(EntryBytes(entry))
            })
    }
}

extension Effects {
    /// How much there is of each.
    fileprivate var outline: [Int] {
        [save == nil ? 0 : 1, commit.count, send.count, refuse.count, evidence.count, halt == nil ? 0 : 1]
    }
}
