import Crypto
import Foundation
import Ledger
import NIOSSL
import TestSupport

@testable import ledgerd

/// A ledger as `ledgerd init` makes it, with everything that its users do to their documents. Its keys are made once
/// for all tests of a process.
struct MadeLedger: Sendable {
    let ceremony: Ceremony
    /// What `init` writes; tests copy it.
    private let template: TemporaryDirectory
    /// When it was made.
    let start: Timestamp

    private static let made = Task { try await MadeLedger() }

    static func shared() async throws -> MadeLedger { try await made.value }

    private init() async throws {
        start = Node.now()
        ceremony = try await Ceremony.perform(
            LedgerPlan(origin: "example.com/kpi", nodeCount: 1, basePort: 7400, created: start))
        template = try TemporaryDirectory()
        try ceremony.files(PublicTexts(of: ceremony.genesis)).write(to: template.path + "/ledger")
    }

    var origin: String { ceremony.plan.origin }
    var authority: NIOSSLCertificate {
        get throws {
            try NIOSSLCertificate(bytes: Array(ceremony.authority.certificatePEM.utf8), format: .pem)
        }
    }

    /// Copies the ledger into a directory of a test's own; its node takes any free port.
    func copy(to directory: TemporaryDirectory) throws {
        let target = directory.url.appending(path: "ledger")
        try FileManager.default.copyItem(at: template.url.appending(path: "ledger"), to: target)
        let file = target.appending(path: "node1/config.json")
        var configuration = try JSONDecoder().decode(NodeConfiguration.self, from: Data(contentsOf: file))
        configuration.https.port = 0
        try JSONEncoder().encode(configuration).write(to: file)
    }

    /// Who signs: an identity of the ceremony, or one that a test enrols.
    struct Signer: Sendable {
        let name: String
        let key: IdentityKey
        let certificate: KeyCertificate
        let keyPEM: [UInt8]
        let certificatePEM: [UInt8]

        init(_ identity: Identity) {
            name = identity.name
            key = identity.signingKey
            certificate = identity.certificate
            keyPEM = identity.keyPEM
            certificatePEM = identity.certificatePEM
        }

        fileprivate init(_ client: Ceremony.Client) throws {
            name = client.plan.name
            keyPEM = Array(client.identity.keyPEM.utf8)
            certificatePEM = Array(client.identity.certificatePEM.utf8)
            key = try IdentityKey(pem: keyPEM)
            certificate = try KeyCertificate(pem: certificatePEM)
        }
    }

    struct NoSuchClient: Error {}

    func client(_ name: String) throws -> Signer {
        guard let client = ceremony.clients.first(where: { $0.plan.name == name }) else {
            throw NoSuchClient()
        }
        return try Signer(client)
    }

    func token(
        _ roles: [Role], subject: String = "someone", from moment: Date = Date(), seconds: Int = 3600
    ) async throws -> String {
        try await AccessTokens.issue(
            origin: origin, subject: subject, roles: roles, from: moment, seconds: seconds,
            tokenKeyPEM: ceremony.tokenKey.pemRepresentation)
    }

    // MARK: What is sent

    func measure(
        _ value: String = "312.5", _ name: String = "cicd.pipeline.run.duration", unit: String = "s",
        at time: Timestamp? = nil
    ) throws -> Measure {
        guard let quantity = Quantity(value) else { throw NoSuchClient() }
        return Measure(name: name, unit: unit, time: time ?? start, labels: [], value: quantity)
    }

    func xml(
        id: String, _ measures: [Measure], submitter: String = "ci", replaces: String? = nil
    ) -> [UInt8] {
        Array(
            KPIDocument(
                ledger: origin, submitter: submitter, id: id, pipeline: "shop/web", run: nil,
                replaces: replaces, measures: measures
            ).xml.utf8)
    }

    /// A signed and sealed document of one measure.
    func document(
        id: String, _ value: String = "312.5", replaces: String? = nil, by signer: Signer? = nil,
        in session: Session? = nil
    ) throws -> [UInt8] {
        let signer = try signer ?? session?.signer ?? client("ci")
        let content = xml(id: id, [try measure(value)], submitter: signer.name, replaces: replaces)
        return try seal(content, by: signer, in: session)
    }

    func seal(_ content: [UInt8], by signer: Signer, in session: Session? = nil) throws -> [UInt8] {
        let payload =
            if let session {
                try SealedPayload.seal(content, sessionKey: session.key, keyID: session.keyID)
            } else {
                try SealedPayload.seal(
                    content, to: ceremony.nodes.map { try KeyCertificate(der: $0.sealing.certificateDER) })
            }
        return try sign(payload.bytes, as: .sealed, by: signer)
    }

    func sign(_ content: [UInt8], as type: Statement.ContentType, by signer: Signer) throws -> [UInt8] {
        try Submission.sign(
            content, as: type, with: signer.key, certificate: signer.certificate, at: start
        ).bytes
    }

    struct Session: Sendable {
        let submission: [UInt8]
        let key: [UInt8]
        let keyID: SessionKeyID
        let signer: Signer
    }

    func session(
        id: String = "session", by signer: Signer? = nil, expires: Timestamp? = nil
    ) throws -> Session {
        let signer = try signer ?? client("ci")
        let key = Ledger.Digest.sha256(Array("session key \(id)".utf8)).bytes
        let document = SessionDocument(
            ledger: origin, submitter: signer.name, id: id, key: key,
            expires: expires ?? start.advanced(byMilliseconds: 20 * 3_600_000))
        let submission = try seal(Array(document.xml.utf8), by: signer)
        return Session(
            submission: submission, key: key, keyID: SessionKeyID(of: try Submission(submission).statement),
            signer: signer)
    }

    func governance(
        _ action: GovernanceRecord.Action, sequence: UInt64, by signer: Signer? = nil
    ) throws -> [UInt8] {
        let record = GovernanceRecord(ledger: origin, sequence: sequence, action: action)
        let signer = try signer ?? client(action.signingRole.rawValue)
        return try sign(Array(record.xml.utf8), as: .governance, by: signer)
    }

    func enrol(_ signer: Signer, _ roles: [Role] = [.submitter], sequence: UInt64) throws -> [UInt8] {
        try governance(
            .enrol(Enrolment(identity: signer.name, roles: roles, certificate: signer.certificate.der)),
            sequence: sequence)
    }

    func revoke(_ signer: Signer, sequence: UInt64) throws -> [UInt8] {
        try governance(
            .revoke(
                identity: signer.name, keyIdentifier: signer.certificate.keyIdentifier,
                reason: "left the team"),
            sequence: sequence)
    }

    func erase(_ index: UInt64, sequence: UInt64) throws -> [UInt8] {
        try governance(.erase(EntryIndex(index), reason: "requested"), sequence: sequence)
    }
}
