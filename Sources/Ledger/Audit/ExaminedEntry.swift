/// What can be said of an entry by itself: little, so that thousands may wait to be placed.
struct ExaminedEntry: Sendable {
    let index: EntryIndex
    let height: BlockHeight
    let leafHash: Digest
    var signatures: [SignatureCheck] = []
    var content = Content.unreadable
    /// Whether it is a governance record, as far as can be told.
    var isRecord = false
    /// Of a sealed entry whose payload is damaged: the key id that it would have if it was a session.
    var lostSession: SessionKeyID?
    /// Its part of the block's key commitments; `nil` where it cannot be known.
    var commitment: Digest?
    var rows: AuditEntry.Rows?
    var faults: [AuditFault] = []

    enum Content: Sendable {
        case unreadable
        case document(DocumentIdentity, CheckedEntry.Sealing)
        /// Whose payload is gone or not shown. The key id is the one it would have if it was a session.
        case erased(SessionKeyID)
        case withheld
        /// A session or a governance record, whole, since the rules after it depend on it.
        case rules(CheckedEntry)
    }

    /// A signature, checked with the key that the log enrolled for its identifier, as far as that was known.
    struct SignatureCheck: Sendable {
        let keyIdentifier: [UInt8]
        let verdict: Verdict

        enum Verdict: Sendable {
            case valid
            case invalid
            /// Enrolled a moment before, or not at all: whoever replays the log knows.
            case keyUnknown(Statement, signer: Int)
        }
    }
}

/// Examines entries one by one: pure, and the bulk of an audit's work, so it runs on all cores.
struct EntryExaminer: Sendable {
    let origin: String
    let sealingCertificates: [KeyCertificate]
    /// The keys that were enrolled some time before these entries. One identifier is one key for ever, so a
    /// certificate found here is the right one, whatever happened since.
    let registry: Registry

    func examine(_ entry: AuditEntry, at index: EntryIndex, in header: BlockHeader) -> ExaminedEntry {
        var result = ExaminedEntry(
            index: index, height: header.height, leafHash: MerkleTree.leafHash(entry.leaf), rows: entry.rows)
        do throws(AuditFault) {
            let statement = try read(entry, &result)
            result.isRecord = statement.contentType == .governance
            check(statement, &result)
            do throws(AuditFault) {
                try open(entry.payload, of: statement, at: header.time, &result)
            } catch {
                if !result.isRecord { result.lostSession = SessionKeyID(of: statement) }
                throw error
            }
        } catch {
            result.faults.append(error)
        }
        return result
    }

    private func fault(
        _ kind: AuditFault.Kind, _ reason: String, _ result: ExaminedEntry, offset: Int? = nil
    ) -> AuditFault {
        AuditFault(kind, reason, index: result.index, height: result.height, offset: offset)
    }

    private func read(_ entry: AuditEntry, _ result: inout ExaminedEntry) throws(AuditFault) -> Statement {
        do { return try Statement(canonical: entry.leaf) } catch {
            let kind: AuditFault.Kind
            if case .none = entry.payload { kind = .governance } else { kind = .statement }
            result.isRecord = kind == .governance
            throw fault(kind, error.reason, result, offset: error.offset)
        }
    }

    private func check(_ statement: Statement, _ result: inout ExaminedEntry) {
        for (position, signer) in statement.signers.enumerated() {
            let verdict: ExaminedEntry.SignatureCheck.Verdict
            if let key = registry.key(signer.keyIdentifier) {
                verdict = statement.isSigned(by: key.certificate, signer: position) ? .valid : .invalid
            } else {
                verdict = .keyUnknown(statement, signer: position)
            }
            result.signatures.append(.init(keyIdentifier: signer.keyIdentifier, verdict: verdict))
        }
    }

    private func open(
        _ payload: AuditEntry.Payload, of statement: Statement, at time: Timestamp,
        _ result: inout ExaminedEntry
    ) throws(AuditFault) {
        switch (statement.contentType, payload) {
        case (.governance, .none):
            result.commitment = .zero
            try openRecord(statement, &result)
        case (.governance, _):
            result.commitment = .zero
            throw fault(.store, "a governance record has a payload beside it", result)
        case (.sealed, .none):
            throw fault(.payload, "the payload is missing, and there is no trace of an erasure", result)
        case (.sealed, .erased(let commitment)):
            result.commitment = commitment
            result.content = .erased(SessionKeyID(of: statement))
        case (.sealed, .withheld(let commitment)):
            result.commitment = commitment
            result.content = .withheld
        case (.sealed, .damaged(let reason)):
            throw fault(.payload, reason, result)
        case (.sealed, .held(let sealed)):
            result.commitment = KeyCommitment.of(
                contentKey: sealed.contentKey, payloadDigest: statement.payloadDigest)
            if let rows = result.rows, rows.commitment != result.commitment {
                throw fault(.payload, "the content key is not the one that was committed to", result)
            }
            try openDocument(sealed, statement, at: time, &result)
        }
    }

    private func openRecord(_ statement: Statement, _ result: inout ExaminedEntry) throws(AuditFault) {
        guard let content = statement.content else {
            throw fault(.governance, "the record has no content", result)
        }
        do {
            result.content = .rules(
                CheckedEntry(
                    entry: Entry(statement: statement, sealed: nil),
                    content: .governance(try GovernanceRecord.parse(content)),
                    contentDigest: .sha256(content),
                    sealing: nil))
        } catch { throw fault(.governance, error.description, result) }
    }

    private func openDocument(
        _ sealed: Entry.Sealed, _ statement: Statement, at time: Timestamp, _ result: inout ExaminedEntry
    ) throws(AuditFault) {
        guard Digest.sha256(sealed.payload) == statement.payloadDigest else {
            throw fault(.payload, "the payload is not the one that was signed", result)
        }
        let payload: SealedPayload
        let content: [UInt8]
        do throws(EnvelopeError) {
            payload = try SealedPayload(sealed.payload)
            content = try payload.open(contentKey: sealed.contentKey).content
        } catch { throw fault(.payload, error.reason, result, offset: error.offset) }
        if case .nodes = payload.recipients, !payload.isSealed(exactlyTo: sealingCertificates) {
            throw fault(.payload, "the payload is not sealed to exactly the nodes in force", result)
        }
        let document: SealedDocument
        do { document = try DocumentParser().parse(content) } catch {
            throw fault(.document, error.description, result)
        }
        // Whether the submitter is the signer is compared where the signer's identity is known.
        do {
            try LedgerState.check(document, origin: origin, signedBy: document.submitter, at: time)
        } catch { throw fault(.document, error.reason, result) }
        let sealing = CheckedEntry.Sealing(payload.recipients)
        switch document {
        case .kpis(let kpis):
            result.content = .document(DocumentIdentity(submitter: kpis.submitter, id: kpis.id), sealing)
        case .session:
            result.content = .rules(
                CheckedEntry(
                    entry: Entry(statement: statement, sealed: sealed), content: .document(document),
                    contentDigest: .sha256(content), sealing: sealing))
        }
    }
}
