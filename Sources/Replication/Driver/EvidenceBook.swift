public import Ledger

/// A proof that a member lied, as far as a node knows of it: its own peers showed it, or it stands in the log.
public struct ProvenLie: Hashable, Sendable {
    public let member: ReplicaID
    public let place: Contradiction.Place
    public let contradiction: Contradiction
    /// Where it is on record, once an operator has put it there.
    public internal(set) var entry: EntryIndex?
}

/// Which proofs this node has taken note of: one for each liar, kind and place, however often it is shown.
struct EvidenceBook: Sendable {
    private let electorate: Electorate
    private let context: SigningContext
    private(set) var proofs: [ProvenLie] = []

    init(_ electorate: Electorate, _ context: SigningContext) {
        self.electorate = electorate
        self.context = context
    }

    /// - Returns: A line for people; `nil` where it is known, or enough are.
    mutating func add(_ proof: Equivocation) -> String? {
        let contradiction = proof.contradiction(in: context, authority: electorate)
        guard let position = note(proof.culprit, contradiction), position.isNew else { return nil }
        return "\(electorate.name(of: proof.culprit)): \(proofs[position.index].place)"
    }

    /// A proof stands in the log, where every node can see it.
    mutating func record(_ contradiction: Contradiction, of member: String, at entry: EntryIndex) {
        let position = electorate.keys.indices.first { electorate.name(of: ReplicaID(UInt16($0))) == member }
        guard let position, let known = note(ReplicaID(UInt16(position)), contradiction) else { return }
        // A second record of one lie changes nothing.
        proofs[known.index].entry = proofs[known.index].entry ?? entry
    }

    /// What was kept before the node was started.
    mutating func restore(from log: LogStore) throws(StoreError) {
        for bytes in try log.evidence() {
            if let proof = try? Equivocation(decoding: bytes) { _ = add(proof) }
        }
    }

    private mutating func note(
        _ member: ReplicaID, _ contradiction: Contradiction
    ) -> (index: Int, isNew: Bool)? {
        let place = try? contradiction.place(ledgerID: context.ledgerID, origin: electorate.origin)
        guard let place else { return nil }
        if let index = proofs.firstIndex(where: { $0.member == member && $0.place == place }) {
            return (index, false)
        }
        guard proofs.count < Limits.evidence else { return nil }
        proofs.append(ProvenLie(member: member, place: place, contradiction: contradiction))
        return (proofs.count - 1, true)
    }
}
