import Ledger

/// The identity `ci` at work: documents of one measure, sealed in a session.
struct Submitter: Sendable {
    static let name = "ci"
    /// A series with each document's own number: queries count what the ledger counted.
    static let measure = "chaos.number"

    /// Has to be in the log before any document.
    let session: [UInt8]
    private let ledger: String
    private let sessionKey: [UInt8]
    private let sessionID: SessionKeyID
    private let key: IdentityKey
    private let certificate: KeyCertificate
    private let start: Timestamp

    init(_ folder: LedgerFolder) throws {
        ledger = folder.genesis.origin
        let path = "\(folder.path)/clients/\(Self.name)/\(Self.name)"
        key = try IdentityKey(pem: LedgerFolder.read(path + ".key"))
        certificate = try KeyCertificate(pem: LedgerFolder.read(path + ".crt"))
        start = LedgerFolder.now()
        sessionKey = Digest.sha256(folder.ledgerID.bytes).bytes
        let document = SessionDocument(
            ledger: ledger, submitter: Self.name, id: "session", key: sessionKey,
            expires: start.advanced(byMilliseconds: 20 * 3_600_000))
        let recipients = try folder.genesis.members.map { try KeyCertificate(der: $0.sealingCertificate) }
        let submission = try Submission.sign(
            SealedPayload.seal(Array(document.xml.utf8), to: recipients).bytes, as: .sealed, with: key,
            certificate: certificate, at: start)
        session = submission.bytes
        sessionID = SessionKeyID(of: submission.statement)
    }

    /// - Returns: A submission, and the hash of the leaf that it becomes.
    func document(_ number: Int) throws -> (submission: [UInt8], leafHash: Digest) {
        guard let value = Quantity(String(number)) else { throw ChaosFailure("\(number) is no quantity") }
        let time = LedgerFolder.now()
        let measure = Measure(name: Self.measure, unit: "", time: time, labels: [], value: value)
        let document = KPIDocument(
            ledger: ledger, submitter: Self.name, id: Self.id(number), pipeline: nil, run: nil,
            measures: [measure])
        let submission = try Submission.sign(
            SealedPayload.seal(Array(document.xml.utf8), sessionKey: sessionKey, keyID: sessionID).bytes,
            as: .sealed, with: key, certificate: certificate, at: time)
        return (submission.bytes, MerkleTree.leafHash(submission.statement.bytes))
    }

    static func id(_ number: Int) -> String { "chaos-\(number)" }
}
