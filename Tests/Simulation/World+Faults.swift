import Ledger
import Replication
import TestSupport

/// What goes wrong without anyone's will.
extension World {
    func faultStrikes() {
        guard now < faultsEnd else { return }
        schedule.add(.fault, at: now + random.around(plan.faultInterval))
        let span = random.pick([50_000, 300_000, 1_000_000, 4_000_000, 10_000_000])
        switch random.pick(plan.faults) {
        case .partition:
            let side = nodes.map { _ in random.chance(500_000) }
            cut(links { side[$0] != side[$1] }, for: span)
        case .oneWay:
            let density = random.pick([100_000, 300_000])
            cut(links { _, _ in random.chance(density) }, for: span)
        case .deaf:
            let slot = random.below(nodes.count)
            cut(links { _, to in to == slot }, for: 4 * span)
        case .crash:
            let slot = random.below(nodes.count)
            if random.chance(500_000) {
                nodes[slot].crashWhileWriting = span / 4
            } else {
                crash(slot, for: span / 4)
            }
        case .crashMany:
            for slot in nodes.indices where random.chance(500_000) {
                crash(slot, for: random.around(span / 4))
            }
        case .slowDisk:
            nodes[random.below(nodes.count)].disk.latency = random.pick([
                50...200, 1000...30_000, 50_000...500_000,
            ])
        case .fullDisk:
            let slot = random.below(nodes.count)
            note(slot, .fault, "disk fills up")
            nodes[slot].disk.isFull = true
            schedule.add(.diskMended(slot: slot), at: now + span / 4)
        case .clock:
            nodes[random.below(nodes.count)].clockOffset = Int64(random.below(7000)) - 3500
        case .pause:
            let slot = random.below(nodes.count)
            freeze(slot, until: now + span / 2)
        case .storm:
            let slot = random.below(nodes.count)
            cut(links { from, to in from == slot || to == slot }, for: span)
        case .heal: network.mendAll()
        }
    }

    private func links(_ isCut: (Int, Int) -> Bool) -> VirtualNetwork.Cut {
        var cut = VirtualNetwork.Cut()
        for from in nodes.indices {
            for to in nodes.indices where from != to && isCut(from, to) { cut.links.append((from, to)) }
        }
        return cut
    }

    func cut(_ cut: VirtualNetwork.Cut, for span: Int?) {
        guard !cut.links.isEmpty else { return }
        figures.cuts += 1
        network.apply(cut)
        if trace.isOn {
            trace.add(
                now, .fault, nil, "cut \(cut.links.map { "\($0.from)>\($0.to)" }.joined(separator: " "))")
        }
        if let span { schedule.add(.mend(cut), at: now + span) }
    }

    func crash(_ slot: Int, for span: Int) {
        guard nodes[slot].replica != nil else { return }
        crash(slot)
        schedule.add(.restart(slot: slot), at: now + max(span, 1000))
    }

    func freeze(_ slot: Int, until end: Int) {
        note(slot, .fault, "freezes")
        nodes[slot].pausedUntil = end
    }

    /// It takes up at once what has come meanwhile.
    func thaw(_ slot: Int) {
        let end = nodes[slot].pausedUntil
        guard end > now else { return }
        note(slot, .fault, "thaws")
        nodes[slot].pausedUntil = 0
        for what in schedule.removeAll(where: { $0 == end }) { schedule.add(what, at: now) }
    }

    /// What was not durable is lost, or a prefix of it is kept, whole or damaged.
    func crash(_ slot: Int) {
        guard nodes[slot].replica != nil else { return }
        let pending = nodes[slot].disk.pending
        let written = random.chance(300_000) ? pending.count : random.below(pending.count + 1)
        var damages: [(Digest, VirtualDisk.Damage)] = []
        if random.chance(600_000) {
            let fresh = nodes[slot].disk.fresh(in: pending.prefix(written))
            if fresh.count > 1, random.chance(300_000) {
                let position = random.below(fresh.count - 1)
                damages = [(fresh[position], .misdirected(over: fresh[position + 1]))]
            } else {
                damages = fresh.filter { _ in random.chance(600_000) }.map { ($0, .torn) }
            }
        }
        crash(slot, keeping: written, damages)
    }

    /// - Parameter count: Of the records that were on their way to the disk.
    func crash(_ slot: Int, keeping count: Int, _ damages: [(Digest, VirtualDisk.Damage)] = []) {
        guard nodes[slot].replica != nil else { return }
        figures.crashes += 1
        let records = nodes[slot].disk.pending
        note(
            slot, .fault,
            "crashes, \(min(count, records.count)) of \(records.count) records kept\(damages.isEmpty ? "" : ", \(damages.count) blocks damaged")"
        )
        for pending in records.prefix(count) {
            if let fault = write(pending, at: slot) { fail(slot, fault) }
        }
        for (hash, damage) in damages { nodes[slot].disk.damage(hash, damage) }
        figures.damagedBlocks += damages.count
        nodes[slot].disk.pending = []
        nodes[slot].replica = nil
        nodes[slot].life += 1
        nodes[slot].owed = []
        nodes[slot].crashWhileWriting = nil
        nodes[slot].pausedUntil = 0
    }

    /// Each of two twins reaches some of the others; now and then that changes.
    func separateTwins() {
        guard !plan.twins.isEmpty else { return }
        let span = 1_000_000 + random.below(3_000_000)
        for slot in nodes.indices where isSecondTwin(slot) {
            let side = nodes.map { _ in random.chance(500_000) }
            let pair = [slot - 1, slot]
            let separated = links { from, to in
                if pair.contains(from), !pair.contains(to) { return side[to] == (from == slot) }
                if pair.contains(to), !pair.contains(from) { return side[from] == (to == slot) }
                return false
            }
            cut(separated, for: span)
        }
        schedule.add(.separation, at: now + span + 1)
    }
}
