import Ledger

extension Replica {
    /// What should hold after every event, whatever peers send.
    func checkInvariants(_ turn: inout Turn) {
        precondition(tree.contains(tipHash), "the tip is a known block")
        precondition(tree.root.headerHash == committed.tip.headerHash, "the tree grows from the last final block")
        precondition(tip.header.height >= committed.height, "the tip is not below what is final")
        if let prepared = safety.prepared, case .changing(let departure) = safety.phase {
            precondition(
                departure.prepared.map { !prepared.mark.isBelow($0.mark) } ?? true,
                "the highest prepared certificate never falls")
        }
    }
}
