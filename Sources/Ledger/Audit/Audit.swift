/// Recomputes a ledger from what it shows and names the first difference.
///
/// What it checks: headers link, heights count by one, times and views do not fall; every certificate has a quorum of
/// valid votes; the tree recomputed from the leaves has each header's root and size, and the hashes that proofs are
/// served from are its hashes; every statement is in its one form and signed by a key that was enrolled, not revoked,
/// in its role and valid at the block's time; every payload that is shown has the signed digest, opens under the one key
/// that the header commits to, and holds a valid document of its signer, whose id is new; every governance record was
/// in order; every payload that is gone was ordered to be erased, and every order was carried out; the indexes of the
/// store find each entry; the log extends the checkpoint that was kept from last time.
///
/// What it cannot: tell that the newest blocks were removed, unless a checkpoint or a receipt was kept. Check the id in
/// a document that was erased.
/// - Source: docs/formats.md, section 6.
public struct Audit: Sendable {
    let source: any AuditSource
    let electorate: Electorate
    let policy: Policy
    let initialState: LedgerState
    let genesis: ChainTip
    /// Entries in hand at one time, about. Tests take few, so that a small log has many stretches.
    var stretchEntries = Limits.auditEntries

    /// How much of a log is verified when a checkpoint was kept.
    public enum Depth: Sendable {
        /// All of it.
        case everything
        /// The leaves up to the kept checkpoint are read and hashed: they are those that were verified before, or the
        /// root differs. Records among them are applied. What came since is verified in full.
        ///
        /// Not looked at again: payloads below the checkpoint, and the store's indexes of them.
        case sinceKept
    }

    /// - Parameter genesis: the exact bytes of the genesis document. It says whose votes count, so the auditor has it
    ///   from the founders, or compares its digest, the ledger id, with theirs.
    /// - Throws: a fault of kind `genesis`.
    public init(genesis bytes: [UInt8], source: any AuditSource) throws(AuditFault) {
        self.source = source
        let id = Digest.sha256(bytes)
        let genesis: Genesis
        do { genesis = try Genesis.parse(bytes) } catch { throw AuditFault(.genesis, error.description) }
        do { initialState = try LedgerState(genesis: genesis, ledgerID: id) } catch {
            throw AuditFault(.genesis, error.reason)
        }
        guard genesis.created.milliseconds >= 0, let ledgerKey = VerificationKey(genesis.ledgerKey) else {
            throw AuditFault(.genesis, "the time of the ledger is before 1970, or its key has not 32 bytes")
        }
        do throws(ProofError) {
            electorate = try Electorate(origin: genesis.origin, members: genesis.members)
            policy = try Policy(electorate: electorate, members: genesis.members, ledgerKey: ledgerKey)
        } catch { throw AuditFault(.genesis, error.reason) }
        self.genesis = ChainTip(genesis: genesis, id: id)
    }

    /// Runs the audit.
    ///
    /// - Parameters:
    ///   - kept: the checkpoint of an earlier run, which the log must extend.
    ///   - faultLimit: the run ends after so many.
    ///   - progress: told every few thousand entries, from the task that runs the audit.
    /// - Throws: what the source throws when it cannot be read, or does not say how far it goes; `ProofError` where `kept` is no checkpoint of this
    ///   ledger with a quorum of votes. Faults are in the report.
    public func run(
        since kept: SignedNote? = nil, depth: Depth = .everything, faultLimit: Int = Limits.auditFaults,
        progress: @Sendable (AuditProgress) -> Void = { _ in }
    ) async throws -> AuditReport {
        let checkpoint = try kept.map { note throws(ProofError) in try verifyKept(note) }
        var run = try await AuditRun(self, kept: checkpoint, depth: depth, faultLimit: faultLimit)
        try await run.run(progress)
        return run.report
    }

    /// A kept note bears the votes; the line of the ledger key may be missing.
    private func verifyKept(_ note: SignedNote) throws(ProofError) -> Checkpoint {
        let checkpoint = try Checkpoint(parsing: note.text)
        guard checkpoint.origin == electorate.origin else {
            throw ProofError(.unknownLog, "the kept checkpoint is of \(checkpoint.origin)")
        }
        let votes = try note.signers(among: electorate.keys).count
        guard votes >= electorate.committee.quorum else {
            throw ProofError(
                .quorumMissed, "the kept checkpoint has \(votes) votes, not \(electorate.committee.quorum)")
        }
        return checkpoint
    }
}

extension CommitCertificate {
    /// The votes as lines of a note, without one of the ledger key.
    func votesNote(of electorate: Electorate) throws(ProofError) -> SignedNote {
        var lines: [NoteSignature] = []
        for vote in cosignatures {
            guard let key = electorate.key(of: vote.member),
                let cosignature = Cosignature(seconds: header.seconds, signature: vote.signature)
            else { throw ProofError(.malformedKey, "member \(vote.member) is not in the configuration") }
            lines.append(NoteSignature(name: key.name, keyID: key.id, bytes: cosignature.bytes))
        }
        return try SignedNote(
            text: Checkpoint(origin: electorate.origin, header: header).text, signatures: lines)
    }
}
