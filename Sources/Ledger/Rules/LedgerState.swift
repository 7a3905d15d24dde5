/// What the log has decided so far about itself: its members, its keys, its sessions.
///
/// The deterministic transition. Every node that applies the same entries in the same order has the same state; nothing
/// else changes it. What belongs to single documents (their ids, their payloads) is in the store, not here.
public struct LedgerState: Sendable {
    public let genesis: Genesis
    /// SHA-256 of the genesis document's exact bytes.
    public let ledgerID: Digest
    /// The certificates that documents are sealed to, in the order of the members.
    public let sealingCertificates: [KeyCertificate]
    public private(set) var registry = Registry()
    /// The number of the last governance record; the next one carries one more.
    public private(set) var governanceSequence: UInt64 = 0
    public private(set) var epoch = Epoch(0)
    private var sessions: [SessionKeyID: Session] = [:]

    /// A symmetric key in force.
    public struct Session: Hashable, Sendable {
        public let submitter: String
        public let key: [UInt8]
        public let expires: Timestamp
        public let index: EntryIndex
    }

    /// - Throws: `Rejection` where the genesis contradicts itself; its parser has checked its form.
    public init(genesis: Genesis, ledgerID: Digest) throws(Rejection) {
        self.genesis = genesis
        self.ledgerID = ledgerID
        var certificates: [KeyCertificate] = []
        for member in genesis.members {
            let certificate: KeyCertificate
            do { certificate = try KeyCertificate(der: member.sealingCertificate) } catch {
                throw Rejection(
                    .invalid, "the sealing certificate of \(member.name) is not usable: \(error.reason)")
            }
            // A recipient is told by its key identifier: two nodes with one could not be told apart.
            guard !certificates.contains(where: { $0.keyIdentifier == certificate.keyIdentifier }) else {
                throw Rejection(.invalid, "\(member.name) has the sealing key of another member")
            }
            certificates.append(certificate)
        }
        sealingCertificates = certificates
        for identity in genesis.identities { try registry.enrol(identity) }
    }

    public var committee: Committee { Committee(size: genesis.members.count) }

    /// Whether a checked entry may stand in a block of time `time` on top of this state.
    ///
    /// These are the rules that depend on the place in the log; they are asked again for each block, however long ago
    /// the entry was checked. Whether the document's id is new is the caller's to know.
    ///
    /// - Parameter treeSize: entries in the log before the block.
    public func admit(_ checked: CheckedEntry, at time: Timestamp, treeSize: UInt64) throws(Rejection) {
        let statement = checked.entry.statement
        switch checked.content {
        case .document(let document):
            guard let signer = statement.signers.first else {
                throw Rejection(.unauthenticated, "the statement has no signer")
            }
            let key = try registry.key(signer.keyIdentifier, actingAs: .submitter, at: time)
            try Self.check(document, origin: genesis.origin, signedBy: key.identity, at: time)
            if case .session(let keyID) = checked.sealing {
                _ = try session(keyID, of: key.identity, at: time)
            }
            if case .session = document {
                // Erasing the outer session would take the key to the inner one with it.
                guard checked.sealing == .nodes else {
                    throw Rejection(.sealing, "seal a session to the nodes, not with another session")
                }
                try checkRoomForSession(at: time)
            }
        case .governance(let record):
            try check(record, signedBy: statement, at: time, treeSize: treeSize)
        case .erased:
            throw Rejection(.erased, "an erased document is not ordered again")
        }
    }

    /// The rules about a document that its signer, its ledger and the time decide.
    static func check(
        _ document: SealedDocument, origin: String, signedBy identity: String, at time: Timestamp
    ) throws(Rejection) {
        guard document.ledger == origin else {
            throw Rejection(.invalid, "the document was written for another ledger; this one is \(origin)")
        }
        guard document.submitter == identity else {
            throw Rejection(.invalid, "the document names another submitter than its signer, \(identity)")
        }
        switch document {
        case .kpis(let kpis):
            let latest = time.advanced(byMilliseconds: Limits.measureAheadMilliseconds)
            if let ahead = kpis.measures.first(where: { $0.time > latest }) {
                throw Rejection(
                    .invalid, "the measure \(ahead.name) of \(ahead.time) is more than a day ahead of \(time)"
                )
            }
        case .session(let session):
            guard session.expires > time else { throw Rejection(.invalid, "the session has expired") }
            guard session.expires <= time.advanced(byMilliseconds: Limits.sessionMilliseconds) else {
                throw Rejection(
                    .invalid, "a session lasts a day at most; this one ends at \(session.expires)")
            }
        }
    }

    /// The session that `identity` may seal with at `time`.
    func session(
        _ keyID: SessionKeyID, of identity: String, at time: Timestamp
    ) throws(Rejection) -> Session {
        guard let session = sessions[keyID] else {
            throw Rejection(.sealing, "the session \(keyID.bytes.hexadecimal) is not known: open a new one")
        }
        guard session.submitter == identity else {
            throw Rejection(.sealing, "the session belongs to another submitter")
        }
        guard time <= session.expires else {
            throw Rejection(.sealing, "the session expired at \(session.expires): open a new one")
        }
        return session
    }

    private func checkRoomForSession(at time: Timestamp) throws(Rejection) {
        guard sessions.count >= Limits.sessions else { return }
        guard sessions.values.count(where: { $0.expires >= time }) < Limits.sessions else {
            throw Rejection(.conflict, "\(Limits.sessions) sessions are in force: wait until some expire")
        }
    }

    private func check(
        _ record: GovernanceRecord, signedBy statement: Statement, at time: Timestamp, treeSize: UInt64
    ) throws(Rejection) {
        guard record.ledger == genesis.origin else {
            throw Rejection(
                .invalid, "the record was written for another ledger; this one is \(genesis.origin)")
        }
        guard record.sequence == governanceSequence + 1 else {
            throw Rejection(
                .conflict,
                "the record has sequence \(record.sequence); the next one is \(governanceSequence + 1)")
        }
        for signer in statement.signers {
            _ = try registry.key(signer.keyIdentifier, actingAs: record.action.signingRole, at: time)
        }
        switch record.action {
        case .enrol(let enrolment): _ = try registry.checkNew(enrolment)
        case .revoke(let identity, let identifier, _):
            try registry.checkRevocable(identity: identity, identifier)
        case .erase(let index, _):
            guard index.value < treeSize else {
                throw Rejection(.invalid, "there is no entry \(index) to erase")
            }
        case .evidence(let name, let contradiction):
            try check(contradiction, of: name)
        }
    }

    private func check(_ contradiction: Contradiction, of name: String) throws(Rejection) {
        guard let member = genesis.members.first(where: { $0.name == name }),
            let key = VerificationKey(member.voteKey)
        else { throw Rejection(.invalid, "there is no member \(name)") }
        do throws(ProofError) {
            try contradiction.verify(by: key, ledgerID: ledgerID, origin: KeyName(genesis.origin))
        } catch { throw Rejection(.invalid, "this proves nothing against \(name): \(error.reason)") }
    }

    /// Applies an admitted entry.
    ///
    /// - Precondition: `admit` accepted it on this state.
    public mutating func apply(_ checked: CheckedEntry, at index: EntryIndex, time: Timestamp) {
        switch checked.content {
        case .document(.kpis), .erased: break
        case .document(.session(let session)):
            // Which sessions remain does not depend on the order in which they are looked at.
            if sessions.count >= Limits.sessions { sessions = sessions.filter { $0.value.expires >= time } }
            sessions[SessionKeyID(of: checked.entry.statement)] = Session(
                submitter: session.submitter, key: session.key, expires: session.expires, index: index)
        case .governance(let record):
            governanceSequence = record.sequence
            apply(record.action)
        }
    }

    private mutating func apply(_ action: GovernanceRecord.Action) {
        switch action {
        case .enrol(let enrolment):
            do { try registry.enrol(enrolment) } catch {
                preconditionFailure("an admitted enrolment holds: \(error.reason)")
            }
        case .revoke(_, let identifier, _): registry.revoke(identifier)
        case .erase(let index, _): sessions = sessions.filter { $0.value.index != index }
        case .evidence: break
        }
    }
}

extension GovernanceRecord.Action {
    /// The role that each signer of such a record must have.
    public var signingRole: Role {
        switch self {
        case .enrol, .revoke, .evidence: .operator
        case .erase: .dpo
        }
    }
}
