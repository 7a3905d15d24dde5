import Ledger

/// Which proofs this node has taken note of: one for each liar, kind and place, however often it is shown.
struct EvidenceBook: Sendable {
    private let electorate: Electorate
    private var known: Set<String> = []

    init(_ electorate: Electorate) { self.electorate = electorate }

    /// - Returns: A line for people; `nil` where it is known, or enough are.
    mutating func add(_ proof: Equivocation) -> String? {
        let line = "\(electorate.name(of: proof.culprit)): \(proof.summary)"
        guard known.count < Limits.evidence, known.insert(line).inserted else { return nil }
        return line
    }

    /// What was kept before the node was started.
    mutating func restore(from log: LogStore) throws(StoreError) -> [String] {
        var lines: [String] = []
        for bytes in try log.evidence() {
            guard let proof = try? Equivocation(decoding: bytes), let line = add(proof) else { continue }
            lines.append(line)
        }
        return lines
    }
}
