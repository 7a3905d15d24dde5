// Proofs that a node lied, kept for the operators to see; opaque here.
extension LogStore {
    /// How many are kept: the first ones are proof enough.
    public static let evidenceLimit = 256
    private static let evidencePrefix = Array("evidence ".utf8)

    /// Keeps a proof; one that is kept already changes nothing.
    ///
    /// - Returns: Whether it is new and was kept.
    public func keep(evidence: [UInt8]) throws(StoreError) -> Bool {
        let tables = self.tables
        let key = Self.evidencePrefix + Digest.sha256(evidence).bytes
        guard try self.evidence().count < Self.evidenceLimit else { return false }
        let isKnown = try store.read { transaction throws(StoreError) in
            try transaction.contains(tables.state, key)
        }
        guard !isKnown else { return false }
        try store.write { transaction throws(StoreError) in try transaction.put(tables.state, key, evidence) }
        return true
    }

    /// All that is kept, in no particular order.
    public func evidence() throws(StoreError) -> [[UInt8]] {
        let tables = self.tables
        return try store.read { transaction throws(StoreError) in
            var found: [[UInt8]] = []
            try transaction.scan(tables.state, from: Self.evidencePrefix) { key, value throws(StoreError) in
                guard key.starts(with: Self.evidencePrefix) else { return .stop }
                found.append(value)
                return .next
            }
            return found
        }
    }
}
