import Ledger
import Replication
import TestSupport

/// Those who write to the ledger.
extension World {
    /// A pool order of its own for each world: neighbours change places, so that records still find their numbers.
    func shuffledOffer() -> [Int] {
        var order = Array(pool.items.indices)
        let skip = random.below(8) * 20
        if random.chance(500_000), skip + 40 < order.count { order.removeSubrange(12..<12 + skip) }
        for index in order.indices.dropLast(4) {
            let other = index + random.below(5)
            order.swapAt(index, other)
        }
        return order.reversed()
    }

    /// Whether a node lets this entry in at its front door.
    func isAdmissible(_ entry: CheckedEntry, at slot: Int) -> Bool {
        guard let replica = nodes[slot].replica else { return false }
        let clock = nodes[slot].clock(at: now, from: pool.start)
        do throws(Rejection) {
            try replica.committed.state.admit(
                entry, at: clock, treeSize: replica.committed.tip.header.treeSize)
            return true
        } catch { return false }
    }

    func clientActs(_ retry: Int?) {
        if figures.submitted < plan.entries, now < faultsEnd {
            schedule.add(.client(retry: nil), at: now + random.around(plan.entryInterval))
        }
        submitNext(among: nodes.indices.filter { nodes[$0].replica != nil })
    }

    /// - Returns: The slot where an entry was submitted.
    @discardableResult
    func submitNext(among slots: [Int]) -> Int? {
        guard !slots.isEmpty else { return nil }
        let slot = random.pick(slots)
        // One that is not admitted here may be later, or elsewhere.
        for position in offered.indices.reversed().prefix(12) {
            let number = offered[position]
            guard isAdmissible(pool.items[number].entry, at: slot) else { continue }
            // Now and then a client sends again what it sent to another node.
            if !random.chance(100_000) { offered.remove(at: position) }
            submit(number, at: slot)
            return slot
        }
        return nil
    }

    func submit(_ number: Int, at slot: Int) {
        let entry = pool.items[number].entry
        figures.submitted += 1
        oracle.submitted(entry.entry.statement.digest)
        if trace.isOn { note(slot, .client, "is given \(name(ofEntry: number))") }
        if let identity = entry.identity, let size = nodes[slot].replica?.committed.tip.header.treeSize,
            nodes[slot].documents.contains(identity, below: size)
        {
            // Answered from the log.
            return
        }
        // One of two with one key waits for the other.
        if !nodes[slot].owed.contains(where: { pool.items[$0].entry.key == entry.key }) {
            nodes[slot].owed.append(number)
        }
        handle(.entries([entry]), at: slot)
    }
}
