/// Whom a reader of checkpoints trusts: logs, witnesses, and how many of them must have signed.
///
/// For this ledger: the ledger key as the log, the nodes as witnesses in one group with the quorum.
/// - Source: C2SP tlog-policy.
public struct Policy: Hashable, Sendable {
    struct Log: Hashable, Sendable {
        let key: NoteVerifierKey
        let url: [UInt8]?
    }

    /// A witness, or a group of what stands before it in `components`.
    struct Component: Hashable, Sendable {
        enum Content: Hashable, Sendable {
            case witness(NoteVerifierKey, url: [UInt8]?)
            /// Positions in `components`, all below the group's own.
            case group(threshold: Int, members: [Int])
        }
        /// Opaque octets: compared as bytes, and of no meaning outside the policy.
        let name: [UInt8]
        let content: Content
    }

    let logs: [Log]
    let components: [Component]
    /// A position in `components`; `nil` for `quorum none`.
    let quorum: Int?

    init(logs: [Log], components: [Component], quorum: Int?) {
        self.logs = logs
        self.components = components
        self.quorum = quorum
    }

    /// The policy of a ledger: its key, and `electorate`'s quorum.
    ///
    /// - Parameter names: what the witnesses are called in the policy, in the order of the members.
    /// - Throws: `malformedPolicy` for names that a policy cannot hold, or two that are the same.
    public init(
        origin: KeyName, ledgerKey: VerificationKey, witnesses: [(name: String, voteKey: NoteVerifierKey)],
        quorum: Int
    ) throws(ProofError) {
        let log = NoteVerifierKey(name: origin, kind: .note, key: ledgerKey)
        // A witness may be called anything, and shares its namespace with the group.
        var group = "nodes"
        while witnesses.contains(where: { $0.name.utf8.elementsEqual(group.utf8) }) { group += "-quorum" }
        for witness in witnesses {
            guard (try? KeyName(witness.name)) != nil else {
                throw ProofError(.malformedPolicy, "a witness has a name that is not one word")
            }
        }
        var lines = ["log \(log.text)"]
        lines += witnesses.map { "witness \($0.name) \($0.voteKey.text)" }
        lines += [
            "group \(group) \(quorum) \(witnesses.map(\.name).joined(separator: " "))", "quorum \(group)",
        ]
        try self.init(parsing: lines.flatMap { Array($0.utf8) + [lineFeed] })
    }

    /// The policy of a ledger of whom `electorate` votes.
    public init(electorate: Electorate, members: [Member], ledgerKey: VerificationKey) throws(ProofError) {
        try self.init(
            origin: electorate.origin, ledgerKey: ledgerKey,
            witnesses: zip(members, electorate.keys).map { ($0.name, $1) },
            quorum: electorate.committee.quorum)
    }
}

/// A checkpoint that a policy has accepted, and who stood for it.
public struct VerifiedCheckpoint: Hashable, Sendable {
    public let checkpoint: Checkpoint
    /// The witnesses of the policy that signed, by their names there, in the policy's order.
    public let witnesses: [String]

    fileprivate init(checkpoint: Checkpoint, witnesses: [String]) {
        self.checkpoint = checkpoint
        self.witnesses = witnesses
    }
}

extension Policy {
    /// Accepts a checkpoint that a log of this policy and a quorum of its witnesses have signed.
    ///
    /// - Throws: `malformedCheckpoint`; `badSignature` if any known key's line is not its signature;
    ///   `unknownLog`; `quorumMissed`.
    public func verify(note: SignedNote) throws(ProofError) -> VerifiedCheckpoint {
        let checkpoint = try Checkpoint(parsing: note.text)
        // A log's key speaks for the origin of its name, and for no other.
        let logKeys = logs.map(\.key).filter { $0.name == checkpoint.origin }
        guard !(try note.signers(among: logKeys)).isEmpty else {
            throw ProofError(
                .unknownLog, "no log of the policy has signed a checkpoint of \(checkpoint.origin)")
        }

        // Each component stands after all that it names, so that one pass settles them.
        var hasWitnessed: [Bool] = []
        var witnesses: [String] = []
        for component in components {
            switch component.content {
            case .witness(let key, _):
                let hasSigned = !(try note.signers(among: [key])).isEmpty
                if hasSigned { witnesses.append(String(decoding: component.name, as: UTF8.self)) }
                hasWitnessed.append(hasSigned)
            case .group(let threshold, let members):
                hasWitnessed.append(members.count { hasWitnessed[$0] } >= threshold)
            }
        }
        guard quorum.map({ hasWitnessed[$0] }) ?? true else {
            throw ProofError(.quorumMissed, "\(witnesses.count) witnesses of the policy are no quorum of it")
        }
        return VerifiedCheckpoint(checkpoint: checkpoint, witnesses: witnesses)
    }

    public func verify(_ note: CheckpointNote) throws(ProofError) -> VerifiedCheckpoint {
        try verify(note: note.note)
    }
}
