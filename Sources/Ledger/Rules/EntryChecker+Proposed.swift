// Entries that come from another node, with the key that opens them: no node decrypts with RSA what another has opened.
extension EntryChecker {
    /// Checks everything about an entry that does not depend on its place in the log, as `check` does for clients.
    ///
    /// - Parameters:
    ///   - state: at the block's parent, or where this node stands, for an entry that is not in a block yet.
    ///   - time: the block's, or the node's own clock.
    public static func checkProposed(
        _ bytes: EntryBytes, state: LedgerState, at time: Timestamp
    ) throws(Rejection) -> CheckedEntry {
        let entry = try Entry(reading: bytes)
        let statement = entry.statement
        switch (statement.contentType, entry.sealed) {
        case (.governance, nil): return try checkGovernance(statement, state: state, clock: time)
        case (.sealed, let sealed?): return try check(sealed, of: entry, state: state, at: time)
        case (.governance, .some), (.sealed, nil):
            throw Rejection(.malformed, "a document has a payload, and a governance record has none")
        }
    }

    private static func check(
        _ sealed: Entry.Sealed, of entry: Entry, state: LedgerState, at time: Timestamp
    ) throws(Rejection) -> CheckedEntry {
        let statement = entry.statement
        guard let signer = statement.signers.first else {
            throw Rejection(.malformed, "the statement has no signer")
        }
        guard Digest.sha256(sealed.payload) == statement.payloadDigest else {
            throw Rejection(.malformed, "the payload is not the one that was signed")
        }
        let key = try state.registry.key(signer.keyIdentifier, actingAs: .submitter, at: time)
        guard statement.isSigned(by: key.certificate, signer: 0) else {
            throw Rejection(.unauthenticated, "the signature of \(key.identity) is not valid")
        }
        let payload: SealedPayload
        do { payload = try SealedPayload(sealed.payload) } catch { throw Rejection(.malformed, error.reason) }
        switch payload.recipients {
        case .nodes:
            guard payload.isSealed(exactlyTo: state.sealingCertificates) else {
                throw Rejection(.invalid, "the payload is not sealed to exactly the nodes in force")
            }
        case .session(let keyID): _ = try state.session(keyID, of: key.identity, at: time)
        }
        let content: [UInt8]
        do { content = try payload.open(contentKey: sealed.contentKey).content } catch {
            throw Rejection(.invalid, "the payload does not open with the key that came with it")
        }
        let document = try parse(content)
        try LedgerState.check(document, origin: state.genesis.origin, signedBy: key.identity, at: time)
        return CheckedEntry(
            entry: entry, content: .document(document), contentDigest: .sha256(content),
            sealing: .init(payload.recipients))
    }
}

extension Entry {
    /// - Throws: `Rejection` where the statement is not in its one form, or is of another kind than the entry.
    fileprivate init(reading bytes: EntryBytes) throws(Rejection) {
        let statement: Statement
        do { statement = try Statement(canonical: bytes.statement) } catch {
            throw Rejection(.malformed, error.reason)
        }
        guard (statement.content == nil) == (bytes.sealed != nil) else {
            throw Rejection(.malformed, "a document has a payload, and a governance record has none")
        }
        self.init(statement: statement, sealed: bytes.sealed)
    }
}

extension CheckedEntry {
    /// Reads an entry of a block that a certificate vouches for: a quorum has checked it, so it is only parsed.
    public init(certified bytes: EntryBytes) throws(Rejection) {
        let entry = try Entry(reading: bytes)
        guard let sealed = entry.sealed else {
            guard let content = entry.statement.content else {
                throw Rejection(.malformed, "the payload is missing")
            }
            let record: GovernanceRecord
            do { record = try GovernanceRecord.parse(content) } catch { throw Rejection(error) }
            self.init(
                entry: entry, content: .governance(record), contentDigest: .sha256(content), sealing: nil)
            return
        }
        guard Digest.sha256(sealed.payload) == entry.statement.payloadDigest else {
            throw Rejection(.malformed, "the payload is not the one that was signed")
        }
        let payload: SealedPayload
        let content: [UInt8]
        do throws(EnvelopeError) {
            payload = try SealedPayload(sealed.payload)
            content = try payload.open(contentKey: sealed.contentKey).content
        } catch { throw Rejection(.malformed, error.reason) }
        self.init(
            entry: entry, content: .document(try EntryChecker.parse(content)),
            contentDigest: .sha256(content),
            sealing: Sealing(payload.recipients))
    }
}
