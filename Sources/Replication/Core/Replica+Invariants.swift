import Ledger

extension Replica {
    /// What should hold after every event, whatever peers send.
    func checkInvariants(_ turn: inout Turn) {
        precondition(tree.contains(tipHash), "the tip is a known block")
        precondition(
            tree.root.headerHash == committed.tip.headerHash, "the tree grows from the last final block")
        precondition(tip.header.height >= committed.height, "the tip is not below what is final")
        if let prepared = safety.prepared, case .changing(let departure) = safety.phase {
            precondition(
                departure.prepared.map { !prepared.mark.isBelow($0.mark) } ?? true,
                "the highest prepared certificate never falls")
        }
    }
}

/// What a replica holds in memory, all of it bounded whatever peers send.
package struct Occupancy: Sendable {
    package let blocks, places, early, waiting, unsettled, releases: Int
    /// Entries that clients of this node wait for, and all that could be them: what waits, and what stands in blocks.
    package let own, ordered: Int

    /// What is over its bound, if anything is.
    package var excess: String? {
        let bounds = [
            ("blocks", blocks, Limits.knownBlocks), ("places with votes", places, Limits.votePlaces),
            ("early proposals", early, Limits.earlyProposals),
            ("waiting entries", waiting, Limits.waitingEntries),
            ("unsettled certificates", unsettled, Limits.unsettledCertificates),
            ("messages behind the disk", releases, Limits.releases),
            ("entries of its own", own, waiting + ordered),
        ]
        guard let (name, count, bound) = bounds.first(where: { $0.1 > $0.2 }) else { return nil }
        return "holds \(count) \(name), more than \(bound)"
    }
}

extension Replica {
    package var occupancy: Occupancy {
        Occupancy(
            blocks: tree.nodes.count, places: votes.placeCount, early: early.count, waiting: queue.count,
            unsettled: unsettled.count, releases: disk.releases.count, own: queue.ownCount,
            ordered: tree.nodes.reduce(0) { $0 + $1.keys.count })
    }

    /// How many views failed in a row, less what progress has made good.
    package var failures: Int { timers.failures }
}
