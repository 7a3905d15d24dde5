import Foundation
import Ledger

/// A document on its way: its exact bytes, and whether its id was derived from what a pipeline reported.
struct OutgoingDocument: Sendable, Equatable {
    let bytes: [UInt8]
    /// Then a retry that differs only in its times has the same id, and is the same document to the pipeline.
    let hasDerivedID: Bool
}

/// Seals, signs and sends documents, and believes no receipt that the policy does not accept.
struct DocumentSender: Sendable {
    let client: LedgerClient
    let policy: Policy
    let genesis: AuthenticGenesis
    let identity: ClientIdentity

    enum Outcome: Sendable {
        case appended(LedgerClient.Appended)
        /// The pipeline reported this before, at other times; the first report stands.
        case reportedBefore(detail: String)
    }

    /// A key that many documents are sealed under.
    struct Session: Sendable {
        let key: [UInt8]
        let id: SessionKeyID
    }

    // MARK: Sealing

    func seal(_ document: [UInt8], _ session: Session? = nil) throws(EnvelopeError) -> Submission {
        let payload =
            if let session {
                try SealedPayload.seal(document, sessionKey: session.key, keyID: session.id)
            } else {
                try SealedPayload.seal(document, to: genesis.sealingCertificates)
            }
        return try Submission.sign(
            payload.bytes, as: .sealed, with: identity.key, certificate: identity.certificate, at: Self.now())
    }

    /// Opens a session of the submitter's: an entry of its own.
    func openSession() async throws -> Session {
        let key = try RandomBytes.make(32)
        let document = SessionDocument(
            ledger: genesis.genesis.origin, submitter: identity.enrolledName(in: genesis.genesis),
            id: "session-" + Digest.sha256(try RandomBytes.make(32)).description.prefix(32), key: key,
            expires: Self.now().advanced(byMilliseconds: Limits.appendSessionMilliseconds))
        let submission = try seal(Array(document.xml.utf8))
        try verify(try await client.append(submission.bytes).receipt, of: submission.statement.bytes)
        return Session(key: key, id: SessionKeyID(of: submission.statement))
    }

    // MARK: Sending

    /// - Throws: `ClientFailure`; `EnvelopeError` for a document that is too large to seal.
    func send(_ document: OutgoingDocument, _ session: Session? = nil) async throws -> Outcome {
        let submission = try seal(document.bytes, session)
        do throws(ClientFailure) {
            let appended = try await client.append(submission.bytes)
            if appended.isNew {
                try verify(appended.receipt, of: submission.statement.bytes)
            } else {
                try await verify(appended.receipt, holds: document.bytes)
            }
            return .appended(appended)
        } catch {
            guard document.hasDerivedID, case .refused(let refusal) = error, refusal.name == "conflict" else {
                throw error
            }
            guard let entry = refusal.entry else { return .reportedBefore(detail: refusal.detail) }
            let receipt = try await client.receipt(entry)
            try verify(receipt, of: try await ownStatement(receipt.index).bytes)
            return .appended(LedgerClient.Appended(receipt: receipt, isNew: false))
        }
    }

    /// Sends an entry of the spool again; its document cannot be read any more.
    func resend(_ submission: Submission) async throws(ClientFailure) -> LedgerClient.Appended {
        let appended = try await client.append(submission.bytes)
        if (try? verify(appended.receipt, of: submission.statement.bytes)) == nil {
            // The document came in before, in another envelope.
            try verify(appended.receipt, of: try await ownStatement(appended.receipt.index).bytes)
        }
        return appended
    }

    // MARK: Believing

    private func verify(_ receipt: Receipt, of leaf: [UInt8]) throws(ClientFailure) {
        do { _ = try receipt.verify(leaf: leaf, policy: policy) } catch {
            throw .nonsense("its receipt does not hold: \(error.reason)")
        }
    }

    /// The entry is another envelope around the same document: shown by opening it.
    private func verify(_ receipt: Receipt, holds document: [UInt8]) async throws(ClientFailure) {
        let index = receipt.index
        let statement = try await ownStatement(index)
        try verify(receipt, of: statement.bytes)
        let payload = try await client.payload(index.value)
        let disclosure = try await client.disclosure(index.value)
        guard Digest.sha256(payload) == statement.payloadDigest,
            let sealed = try? SealedPayload(payload),
            let opened = try? sealed.open(contentKey: [UInt8](disclosure.contentKey)),
            opened.content == document
        else { throw .nonsense("entry \(index) is not this document") }
    }

    /// The statement of an entry, signed by this identity.
    private func ownStatement(_ index: EntryIndex) async throws(ClientFailure) -> Statement {
        let bytes = try await client.statement(index.value)
        guard let statement = try? Statement(canonical: bytes), statement.isSigned(by: identity.certificate)
        else {
            throw .nonsense("entry \(index) is not signed by \(identity.name)")
        }
        return statement
    }

    static func now() -> Timestamp {
        let milliseconds = Int64(exactly: (Date().timeIntervalSince1970 * 1000).rounded(.down)) ?? 0
        return Timestamp(milliseconds: milliseconds) ?? .latest
    }
}
