/// Opens what a client sent and checks everything about it that does not depend on its place in the log.
///
/// Pure but for the parser's memory: the same bytes, state and time give the same answer. Signature first: whoever has
/// no enrolled key learns nothing about decryption or content.
public struct EntryChecker: Sendable {
    private let decryption: NodeDecryption

    /// What this node opens documents with.
    public struct NodeDecryption: Sendable {
        public let key: DecryptionKey
        public let certificate: KeyCertificate

        public init(key: DecryptionKey, certificate: KeyCertificate) {
            self.key = key
            self.certificate = certificate
        }
    }

    public init(_ decryption: NodeDecryption) { self.decryption = decryption }

    /// Checks a submission to `POST /v1/entries` or `/v1/governance`.
    ///
    /// - Parameters:
    ///   - expected: which kind the route takes.
    ///   - clock: the node's own, for a first answer; the block's time decides.
    public func check(
        _ bytes: [UInt8], expecting expected: Statement.ContentType, state: LedgerState, clock: Timestamp
    ) throws(Rejection) -> CheckedEntry {
        guard bytes.count <= Limits.submissionBytes else {
            throw Rejection(
                .tooLarge, "a submission has at most \(Limits.submissionBytes) bytes: split the report")
        }
        let submission: Submission
        do { submission = try Submission(bytes) } catch { throw Rejection(.malformed, error.reason) }
        guard submission.statement.contentType == expected else {
            throw Rejection(
                .malformed,
                expected == .sealed
                    ? "this route takes sealed documents; governance records go to /v1/governance"
                    : "this route takes governance records; documents go to /v1/entries")
        }
        switch expected {
        case .sealed: return try checkSealed(submission, state: state, clock: clock)
        case .governance: return try Self.checkGovernance(submission.statement, state: state, clock: clock)
        }
    }

    private func checkSealed(
        _ submission: Submission, state: LedgerState, clock: Timestamp
    ) throws(Rejection) -> CheckedEntry {
        let statement = submission.statement
        guard let payloadBytes = submission.payload, let signer = statement.signers.first else {
            throw Rejection(.malformed, "the submission holds no sealed payload")
        }
        let key = try state.registry.key(signer.keyIdentifier, actingAs: .submitter, at: clock)
        guard statement.isSigned(by: key.certificate, signer: 0) else {
            throw Rejection(.unauthenticated, "the signature of \(key.identity) is not valid")
        }

        let payload: SealedPayload
        do { payload = try SealedPayload(payloadBytes) } catch { throw Rejection(.malformed, error.reason) }
        let opened = try open(payload, for: key.identity, state: state, clock: clock)
        let document = try Self.parse(opened.content)
        try LedgerState.check(document, origin: state.genesis.origin, signedBy: key.identity, at: clock)
        return CheckedEntry(
            entry: Entry(
                statement: statement, sealed: .init(payload: payloadBytes, contentKey: opened.contentKey)),
            content: .document(document), contentDigest: .sha256(opened.content),
            sealing: .init(payload.recipients))
    }

    private func open(
        _ payload: SealedPayload, for identity: String, state: LedgerState, clock: Timestamp
    ) throws(Rejection) -> SealedPayload.Opened {
        do {
            switch payload.recipients {
            case .nodes:
                guard payload.isSealed(exactlyTo: state.sealingCertificates) else {
                    throw Rejection(
                        .sealing,
                        "seal to exactly the \(state.sealingCertificates.count) nodes in force (GET /v1/nodes), with RSA-OAEP and SHA-256 for each"
                    )
                }
                return try payload.open(with: decryption.key, certificate: decryption.certificate)
            case .session(let keyID):
                return try payload.open(
                    sessionKey: state.session(keyID, of: identity, at: clock).key)
            }
        } catch let rejection as Rejection {
            throw rejection
        } catch {
            throw Rejection(.sealing, "the payload does not open")
        }
    }

    static func parse(_ content: [UInt8]) throws(Rejection) -> SealedDocument {
        do { return try DocumentParser().parse(content) } catch { throw Rejection(error) }
    }

    static func checkGovernance(
        _ statement: Statement, state: LedgerState, clock: Timestamp
    ) throws(Rejection) -> CheckedEntry {
        guard let content = statement.content else {
            throw Rejection(.malformed, "a governance record has its content attached")
        }
        for (position, signer) in statement.signers.enumerated() {
            guard let key = state.registry.key(signer.keyIdentifier),
                statement.isSigned(by: key.certificate, signer: position)
            else {
                throw Rejection(.unauthenticated, "signature \(position + 1) is not that of an enrolled key")
            }
        }
        let record: GovernanceRecord
        do { record = try GovernanceRecord.parse(content) } catch { throw Rejection(error) }
        return CheckedEntry(
            entry: Entry(statement: statement, sealed: nil), content: .governance(record),
            contentDigest: .sha256(content), sealing: nil)
    }
}

extension Rejection {
    init(_ error: DocumentError) {
        switch error.kind {
        case .malformed(let line, let column):
            self.init(.malformed, error.reason, line: line, column: column)
        case .invalid:
            self.init(.invalid, error.reason)
        }
    }
}
