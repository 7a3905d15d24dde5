import Foundation
import Ledger
import Replication
import Synchronization

/// A ledger with all its keys, made by `ledgerd init`, and what its submitter `ci` sends.
struct BenchLedger: Sendable {
    let directory: String
    let genesis: Genesis
    let genesisBytes: [UInt8]
    let ledgerID: Digest
    let electorate: Electorate
    let nodes: [Node]
    let noteKey: NoteSigningKey
    /// RSA-3072.
    let submitterKey: IdentityKey
    let submitterKeyPEM: [UInt8]
    let submitterCertificate: KeyCertificate
    let session: Session

    /// What one node keeps for itself.
    struct Node: Sendable {
        let directory: String
        let voteKey: SigningKey
        let checker: EntryChecker
        let sealingCertificate: KeyCertificate
        let tlsCertificatePEM: [UInt8]
        let tlsKeyPEM: [UInt8]

        init(in directory: String) throws {
            func read(_ name: String) throws -> [UInt8] { try BenchLedger.read(directory + "/" + name) }
            self.directory = directory
            voteKey = try BenchLedger.ed25519(read("vote.key"))
            sealingCertificate = try KeyCertificate(pem: read("sealing.crt"))
            checker = EntryChecker(
                .init(key: try DecryptionKey(pem: read("sealing.key")), certificate: sealingCertificate))
            tlsCertificatePEM = try read("tls.crt")
            tlsKeyPEM = try read("tls.key")
        }
    }

    struct Session: Sendable {
        let submission: [UInt8]
        let key: [UInt8]
        let keyID: SessionKeyID
    }

    static let submitter = "ci"

    /// - Parameter nodeCount: node i serves on `basePort` + i, and its peers on `basePort` + 100 + i.
    init(madeIn directory: String, nodeCount: Int = 1, basePort: Int = 7400) throws {
        self.directory = directory
        try ServerProcess.run(
            "ledgerd",
            [
                "init", "--directory", directory, "--nodes", "\(nodeCount)", "--base-port", "\(basePort)",
            ])
        nodes = try (1...nodeCount).map { try Node(in: directory + "/node\($0)") }
        genesisBytes = try Self.read(nodes[0].directory + "/genesis.xml")
        genesis = try Genesis.parse(genesisBytes)
        ledgerID = .sha256(genesisBytes)
        electorate = try Electorate(origin: genesis.origin, members: genesis.members)
        noteKey = NoteSigningKey(
            name: electorate.origin, kind: .note,
            key: try Self.ed25519(Self.read(nodes[0].directory + "/ledger.key")))
        submitterKeyPEM = try Self.read(directory + "/clients/ci/ci.key")
        submitterKey = try IdentityKey(pem: submitterKeyPEM)
        submitterCertificate = try KeyCertificate(pem: Self.read(directory + "/clients/ci/ci.crt"))

        let key = [UInt8](repeating: 7, count: 32)
        let expires = Self.now().advanced(byMilliseconds: 20 * 3_600_000)
        let document = SessionDocument(
            ledger: genesis.origin, submitter: Self.submitter, id: "session", key: key, expires: expires)
        let submission = try Submission.sign(
            SealedPayload.seal(Array(document.xml.utf8), to: nodes.map(\.sealingCertificate)).bytes,
            as: .sealed,
            with: submitterKey, certificate: submitterCertificate, at: Self.now())
        session = Session(
            submission: submission.bytes, key: key, keyID: SessionKeyID(of: submission.statement))
    }

    static func now() -> Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) ?? .latest
    }

    private static func read(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    /// PKCS #8 of an Ed25519 key ends with its seed.
    private static func ed25519(_ pem: [UInt8]) throws -> SigningKey {
        let lines = String(decoding: pem, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("-") }
        guard let der = Base64.decode(lines.joined()), let key = SigningKey(seed: Array(der.suffix(32)))
        else {
            throw BenchFailure("a key that `ledgerd init` wrote cannot be read")
        }
        return key
    }
}

// MARK: - Documents

extension BenchLedger {
    enum Sealing: Sendable {
        case session
        case nodes
    }

    /// Three measures of one pipeline run.
    func document(_ id: String, number: Int, at time: Timestamp = now()) throws -> KPIDocument {
        func quantity(_ text: String) throws -> Quantity {
            guard let quantity = Quantity(text) else { throw BenchFailure("\(text) is no quantity") }
            return quantity
        }
        let labels = [Label(name: "branch", value: "main")]
        let measures = [
            Measure(
                name: "cicd.pipeline.run.duration", unit: "s", time: time, labels: labels,
                value: try quantity("\(100 + number % 500).25")),
            Measure(
                name: "test.cases", unit: "{case}", time: time, labels: labels,
                value: try quantity("\(number % 4000)")),
            Measure(
                name: "coverage.line.ratio", unit: "1", time: time, labels: labels,
                value: try quantity("0.\(1000 + number % 9000)")),
        ]
        return KPIDocument(
            ledger: genesis.origin, submitter: Self.submitter, id: id, pipeline: "shop/web-\(number % 50)",
            run: "run-\(number)", measures: measures)
    }

    /// Signed and sealed documents, new ones on each call, made on all cores.
    func submissions(_ count: Int, _ sealing: Sealing, prefix: String) throws -> [[UInt8]] {
        let made = Mutex<[(Int, [UInt8])]>([])
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: count) { number in
            do {
                let bytes = try submission("\(prefix)-\(number)", number: number, sealing)
                made.withLock { $0.append((number, bytes)) }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        return made.withLock { $0.sorted { $0.0 < $1.0 }.map(\.1) }
    }

    private func submission(_ id: String, number: Int, _ sealing: Sealing) throws -> [UInt8] {
        let xml = Array(try document(id, number: number).xml.utf8)
        let payload =
            switch sealing {
            case .session: try SealedPayload.seal(xml, sessionKey: session.key, keyID: session.keyID)
            case .nodes: try SealedPayload.seal(xml, to: nodes.map(\.sealingCertificate))
            }
        return try Submission.sign(
            payload.bytes, as: .sealed, with: submitterKey, certificate: submitterCertificate, at: Self.now()
        ).bytes
    }
}

// MARK: - The node in this process

extension BenchLedger {
    /// Log and driver without HTTPS, with the session in force.
    func open(in directory: String) async throws -> (log: LogStore, driver: ReplicaDriver) {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let root = ChainTip(genesis: genesis, id: ledgerID).header
        let log = try LogStore(directory: directory, genesis: root, access: .writing(.full))
        let driver = try ReplicaDriver(
            ports: .init(log: log, voteKey: nodes[0].voteKey, electorate: electorate, clock: Self.now),
            id: ReplicaID(0), genesis: genesis, ledgerID: ledgerID)
        _ = try await driver.submit(check(session.submission, driver.published.state))
        return (log, driver)
    }

    func check(_ submission: [UInt8], _ state: LedgerState) throws -> CheckedEntry {
        try nodes[0].checker.check(submission, expecting: .sealed, state: state, clock: Self.now())
    }
}
