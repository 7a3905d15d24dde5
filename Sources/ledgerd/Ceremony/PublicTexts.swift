import Ledger

/// The two public texts of a ledger that follow from its genesis alone.
struct PublicTexts: Sendable, Equatable {
    /// The genesis document, exactly: its SHA-256 is the ledger id.
    let genesis: [UInt8]
    /// C2SP tlog-policy: the ledger key as log, the nodes as witnesses, the quorum.
    let policy: [UInt8]
}

extension PublicTexts {
    init(of genesis: Genesis) throws(ProofError) {
        self.genesis = Array(genesis.xml.utf8)
        policy = try Policy(of: genesis).text
    }
}

extension Policy {
    /// The policy that a genesis implies.
    ///
    /// - Throws: `ProofError` for names or keys that a policy cannot hold.
    init(of genesis: Genesis) throws(ProofError) {
        guard let ledgerKey = VerificationKey(genesis.ledgerKey) else {
            throw ProofError(.malformedKey, "the ledger key has not 32 bytes")
        }
        try self.init(
            electorate: Electorate(origin: genesis.origin, members: genesis.members),
            members: genesis.members,
            ledgerKey: ledgerKey)
    }
}
