import Ledger
import Replication

/// What a scenario lets a liar say. It arrives whatever is cut or dropped, a millisecond later, and nowhere else.
extension Stage {
    /// `lie 1: propose [a] on b1.0 in view 1 to 2 3` and the like.
    func lie(_ reader: inout CommandReader, in world: World) throws(Scenario.Misspelt) {
        let name = try reader.word("who")
        guard let slot = Int(name.dropLast()), name.hasSuffix(":"),
            plan.liars.contains(where: { $0.id == slot })
        else { throw reader.misspelt("«\(name)» is no liar") }
        let id = world.nodes[slot].id
        let message: Message =
            switch try reader.word("what it says") {
            case "propose": try proposal(&reader, as: id, in: world)
            case "prepare": .prepare(world.signed(Prepare(try mark(&reader, in: world)), as: id))
            case "commit": world.sign(.commit(try block(&reader, in: world).header), as: id)
            case "complain": .complaint(try view(&reader))
            case "change": .viewChange(try change(&reader, as: id, in: world))
            case "begin": .newView(try newView(&reader, as: id, in: world))
            case let other: throw reader.misspelt("nobody can \(other)")
            }
        try reader.expect("to")
        world.figures.lies += 1
        world.notebook.note(message, committee: world.votes.committee)
        world.oracle.sends(message, from: id)
        let targets = try reader.nodes(of: plan.nodes)
        world.note(
            slot, .lie, "-> \(targets.map { "n\($0)" }.joined(separator: " ")) \(world.describe(message))")
        for target in targets {
            world.schedule.add(.arrival(message, from: slot, to: target), at: world.now + 1000)
        }
    }

    private func view(_ reader: inout CommandReader) throws(Scenario.Misspelt) -> View {
        try reader.expect("view")
        return View(UInt64(try reader.number("the view")))
    }

    private func block(
        _ reader: inout CommandReader, in world: World
    ) throws(Scenario.Misspelt) -> AcceptedBlock {
        let name = try reader.word("a block")
        guard let hash = world.trace.block(named: name), let block = world.notebook.blocks[hash] else {
            throw reader.misspelt("no block is called \(name) yet")
        }
        return block
    }

    private func mark(_ reader: inout CommandReader, in world: World) throws(Scenario.Misspelt) -> BlockMark {
        let block = try block(&reader, in: world)
        return BlockMark(block.header, hash: block.headerHash)
    }

    /// `propose [a b] on b1.0 in view 1`; `on the genesis block`.
    private func proposal(
        _ reader: inout CommandReader, as id: ReplicaID, in world: World
    ) throws(Scenario.Misspelt) -> Message {
        var checked: [CheckedEntry] = []
        for name in try reader.bracketed() {
            checked.append(pool.items[try entry(name, in: world, reader)].entry)
        }
        try reader.expect("on")
        var parent = world.genesis
        if reader.skip("the") {
            try reader.expect("genesis")
            try reader.expect("block")
        } else {
            let block = try block(&reader, in: world)
            parent = Replica.Position(tip: block.tip, state: block.state)
        }
        try reader.expect("in")
        let view = try view(&reader)
        var state = parent.state
        let first = parent.tip.header.treeSize
        for (position, entry) in checked.enumerated() {
            state.apply(entry, at: EntryIndex(first + UInt64(position)), time: parent.tip.header.time)
            world.oracle.submitted(entry.entry.statement.digest)
        }
        let made = parent.tip.extended(
            by: checked.map(\.entry), view: view, epoch: Epoch(0),
            clock: pool.start.advanced(byMilliseconds: Int64(world.now / 1000)))
        world.notebook.note(
            AcceptedBlock(
                block: made.block, entries: checked, completed: made.completed, tip: made.tip, state: state))
        world.oracle.learn(made.block.header, made.tip.headerHash)
        return world.propose(made.block, as: id)
    }

    /// `change to view 2 holding b1.0`: with a prepared certificate that exists; `holding nothing`.
    private func change(
        _ reader: inout CommandReader, as id: ReplicaID, in world: World
    ) throws(Scenario.Misspelt) -> ViewChange {
        try reader.expect("to")
        let view = try view(&reader)
        try reader.expect("holding")
        if reader.skip("nothing") {
            let claim = Claim(view: view, prepared: nil, committed: nil)
            return ViewChange(claim: world.signed(claim, as: id), prepared: nil, committed: nil)
        }
        let mark = try mark(&reader, in: world)
        guard let certificate = world.notebook.prepared.first(where: { $0.mark == mark }) else {
            throw reader.misspelt("no quorum has prepared that block")
        }
        let claim = Claim(view: view, prepared: mark, committed: nil)
        return ViewChange(claim: world.signed(claim, as: id), prepared: certificate, committed: nil)
    }

    /// `begin view 1 with the claims of 0 1 2`: the last that each of them made for this view.
    private func newView(
        _ reader: inout CommandReader, as id: ReplicaID, in world: World
    ) throws(Scenario.Misspelt) -> NewView {
        let view = try view(&reader)
        for word in ["with", "the", "claims", "of"] { try reader.expect(word) }
        var changes: [ViewChange] = []
        for node in try reader.nodes(of: plan.nodes) {
            let known = world.notebook.changes.last {
                $0.claim.body.view == view && Int($0.claim.signer.value) == node
            }
            guard let known else { throw reader.misspelt("node \(node) has not left for this view") }
            changes.append(known)
        }
        let installation = Installation(view: view, claims: changes.map(\.claim))
        let base = changes.compactMap(\.claim.body.highest).max {
            ($0.view, $0.height) < ($1.view, $1.height)
        }
        let certificate = changes.lazy.compactMap { change -> BaseCertificate? in
            if let prepared = change.prepared, prepared.mark == base { return .prepared(prepared) }
            if let committed = change.committed,
                BlockMark(committed.header, hash: committed.header.hash) == base
            {
                return .committed(committed)
            }
            return nil
        }.first
        return NewView(installation: world.signed(installation, as: id), certificate: certificate)
    }
}
