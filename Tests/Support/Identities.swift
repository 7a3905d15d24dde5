public import Ledger
import Synchronization

/// A key pair with its certificate, made by the tool that users have.
public struct Identity: Sendable {
    /// The name in the certificate, and of the identity that it is enrolled for.
    public let name: String
    public let keyPEM: [UInt8]
    public let certificatePEM: [UInt8]
    public let certificate: KeyCertificate
    /// `keyPEM`, read.
    public let signingKey: IdentityKey
}

/// Keys and certificates that the tests of one process share: making an RSA key takes half a second.
///
/// Each is valid for ten years from the moment it was made, which is the only wall time in here; the clocks of test
/// ledgers begin an hour after it.
public struct Identities: Sendable {
    /// RSA-3072, a submitter.
    public let ci: Identity
    /// P-256, a submitter.
    public let ci2: Identity
    /// P-256, with the one role of their names.
    public let `operator`: Identity
    public let dpo: Identity
    public let auditor: Identity
    public let analyst: Identity
    /// P-256, enrolled nowhere yet.
    public let newcomers: [Identity]
    /// RSA-3072, opens what is sealed to the nodes.
    public let node: Identity
    /// P-256, for `localhost` and 127.0.0.1.
    public let tls: Identity
    /// P-256, signs access tokens.
    public let token: Identity

    private static let made = Result { try Identities() }

    public static func shared() throws -> Identities { try made.get() }

    /// Those of further nodes, made when a test first wants them.
    private static let furtherNodes = Mutex<[(sealing: Identity, tls: Identity)]>([])

    /// The sealing and TLS identities of the first `count` nodes; `node` and `tls` are those of the first.
    public func nodes(_ count: Int) throws -> [(sealing: Identity, tls: Identity)] {
        try Self.furtherNodes.withLock { made in
            let directory = try TemporaryDirectory()
            while made.count < count - 1 {
                let name = "node\(made.count + 2)"
                made.append(
                    (
                        sealing: try Self.make(name, Self.rsa, in: directory),
                        tls: try Self.make("\(name)-tls", Self.p256, Self.local, in: directory)
                    ))
            }
            return [(node, tls)] + made.prefix(max(0, count - 1))
        }
    }

    private static let rsa = "rsa:3072"
    private static let p256 = "ec -pkeyopt ec_paramgen_curve:P-256"
    private static let local = "-addext subjectAltName=DNS:localhost,IP:127.0.0.1"

    private static func make(
        _ name: String, _ algorithm: String, _ options: String = "", in directory: TemporaryDirectory
    ) throws -> Identity {
        try directory.shell(
            "openssl req -x509 -newkey \(algorithm) -nodes -keyout \(name).key -out \(name).crt "
                + "-subj /CN=\(name) -days 3650 \(options)")
        let keyPEM = try directory.read("\(name).key")
        let certificatePEM = try directory.read("\(name).crt")
        return Identity(
            name: name, keyPEM: keyPEM, certificatePEM: certificatePEM,
            certificate: try KeyCertificate(pem: certificatePEM), signingKey: try IdentityKey(pem: keyPEM))
    }

    private init() throws {
        let directory = try TemporaryDirectory()
        func make(_ name: String, _ algorithm: String, _ options: String = "") throws -> Identity {
            try Self.make(name, algorithm, options, in: directory)
        }
        let rsa = Self.rsa
        let p256 = Self.p256
        ci = try make("ci", rsa)
        ci2 = try make("ci2", p256)
        `operator` = try make("operator", p256)
        dpo = try make("dpo", p256)
        auditor = try make("auditor", p256)
        analyst = try make("analyst", p256)
        newcomers = try (1...4).map { try make("newcomer\($0)", p256) }
        node = try make("node1", rsa)
        tls = try make("tls", p256, Self.local)
        token = try make("token", p256)
    }
}
