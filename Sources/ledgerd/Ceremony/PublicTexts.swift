import Ledger

/// The two public texts of a ledger that follow from its genesis alone.
struct PublicTexts: Sendable, Equatable {
    /// The genesis document, exactly: its SHA-256 is the ledger id.
    let genesis: [UInt8]
    /// C2SP tlog-policy: the ledger key as log, the nodes as witnesses, the quorum.
    let policy: [UInt8]
}

extension PublicTexts {
    /// Writes both texts.
    init(of genesis: Genesis) throws {
        throw CommandFailure(
            .unreachable, "this build does not write the genesis document and the policy yet",
            remedy: "Build from a revision whose Ledger module does.")
    }
}
