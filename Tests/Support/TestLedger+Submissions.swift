public import Ledger

/// A key to seal with, and the submission that makes it known.
public struct TestSession: Sendable {
    public let submission: [UInt8]
    public let key: [UInt8]
    public let keyID: SessionKeyID
    public let submitter: Identity
}

extension TestLedger {
    /// One measure, of `start` unless a time is given.
    public func measure(
        _ name: String = "cicd.pipeline.run.duration", _ value: String = "312.5", unit: String = "s",
        labels: [(String, String)] = [], at time: Timestamp? = nil
    ) throws -> Measure {
        guard let quantity = Quantity(value) else { throw CannotHappen() }
        return Measure(
            name: name, unit: unit, time: time ?? start,
            labels: labels.map { Label(name: $0, value: $1) }.sorted(),
            value: quantity)
    }

    /// A signed and sealed `<kpis>` document, as `POST /v1/entries` takes it.
    ///
    /// - Parameters:
    ///   - submitter: `ci`, or whose the session is.
    ///   - session: sealed to the nodes without one, which costs each reader an RSA operation.
    public func kpis(
        id: String, _ measures: [Measure] = [], pipeline: String? = "shop/web", run: String? = nil,
        replaces: String? = nil, by submitter: Identity? = nil, sealedTo session: TestSession? = nil
    ) throws -> [UInt8] {
        let submitter = submitter ?? session?.submitter ?? identities.ci
        let document = KPIDocument(
            ledger: origin, submitter: submitter.name, id: id, pipeline: pipeline, run: run,
            replaces: replaces, measures: measures.isEmpty ? [try measure()] : measures)
        return try seal(Array(document.xml.utf8), by: submitter, sealedTo: session)
    }

    /// A `<session>` document, sealed to the nodes, and its key.
    ///
    /// - Parameters:
    ///   - key: 32 bytes; derived from the id without one.
    ///   - expires: 20 hours after `start` without one.
    public func session(
        id: String = "session", by submitter: Identity? = nil, key: [UInt8]? = nil, expires: Timestamp? = nil
    ) throws -> TestSession {
        let submitter = submitter ?? identities.ci
        let key = key ?? Digest.sha256(Array("session key \(id)".utf8)).bytes
        let document = SessionDocument(
            ledger: origin, submitter: submitter.name, id: id, key: key,
            expires: expires ?? start.advanced(byMilliseconds: 20 * 3_600_000))
        let submission = try seal(Array(document.xml.utf8), by: submitter, sealedTo: nil)
        return TestSession(
            submission: submission, key: key, keyID: SessionKeyID(of: try Submission(submission).statement),
            submitter: submitter)
    }

    /// Any content, sealed and signed.
    public func seal(
        _ content: [UInt8], by submitter: Identity, sealedTo session: TestSession? = nil
    ) throws -> [UInt8] {
        let payload =
            if let session {
                try SealedPayload.seal(content, sessionKey: session.key, keyID: session.keyID)
            } else {
                try SealedPayload.seal(content, to: nodeKeys.map(\.sealing.certificate))
            }
        return try sign(payload.bytes, as: .sealed, by: submitter)
    }

    /// Any content, signed.
    public func sign(
        _ content: [UInt8], as type: Statement.ContentType, by signer: Identity
    ) throws -> [UInt8] {
        try Submission.sign(
            content, as: type, with: signer.signingKey, certificate: signer.certificate, at: start
        ).bytes
    }

    /// A governance record by the one whose role it needs, as `POST /v1/governance` takes it.
    ///
    /// - Parameter sequence: one more than that of the record before; the first is 1.
    public func governance(
        _ action: GovernanceRecord.Action, sequence: UInt64, by signer: Identity? = nil
    ) throws -> [UInt8] {
        let record = GovernanceRecord(ledger: origin, sequence: sequence, action: action)
        let usual = action.signingRole == .dpo ? identities.dpo : identities.operator
        return try sign(Array(record.xml.utf8), as: .governance, by: signer ?? usual)
    }

    /// `<enrol>`.
    public func enrol(_ identity: Identity, roles: [Role] = [.submitter], sequence: UInt64) throws -> [UInt8]
    {
        try governance(
            .enrol(Enrolment(identity: identity.name, roles: roles, certificate: identity.certificate.der)),
            sequence: sequence)
    }

    /// `<revoke>`.
    public func revoke(_ identity: Identity, sequence: UInt64) throws -> [UInt8] {
        try governance(
            .revoke(
                identity: identity.name, keyIdentifier: identity.certificate.keyIdentifier,
                reason: "left the team"),
            sequence: sequence)
    }

    /// `<erase>`.
    public func erase(_ index: EntryIndex, sequence: UInt64) throws -> [UInt8] {
        try governance(.erase(index, reason: "requested by the data subject"), sequence: sequence)
    }
}
