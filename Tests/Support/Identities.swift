import Foundation
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
    private static let madeNodes = Mutex<[NodeKeys]>([])

    public static func shared() throws -> Identities { try made.get() }

    /// The keys of `count` nodes from node 2 on, made when the first test of so many asks for them.
    ///
    /// From node 8 on they have the RSA key of node 7, each under an identifier of its own: a large committee is to be
    /// quick to make, and who could open whose payloads is not what its tests are about.
    public static func furtherNodes(_ count: Int) throws -> ArraySlice<NodeKeys> {
        try madeNodes.withLock { made in
            while made.count < count {
                let number = made.count + 2
                made.append(
                    try NodeKeys(
                        number: number, sharing: number > sealingKeys ? made[sealingKeys - 2].sealing : nil))
            }
            return made.prefix(count)
        }
    }

    private static let sealingKeys = 7

    private init() throws {
        let directory = try TemporaryDirectory()
        func make(_ name: String, _ algorithm: String, _ options: String = "") throws -> Identity {
            try Identity(making: name, algorithm, options, in: directory)
        }
        let rsa = Identity.rsa
        let p256 = Identity.p256
        ci = try make("ci", rsa)
        ci2 = try make("ci2", p256)
        `operator` = try make("operator", p256)
        dpo = try make("dpo", p256)
        auditor = try make("auditor", p256)
        analyst = try make("analyst", p256)
        newcomers = try (1...4).map { try make("newcomer\($0)", p256) }
        node = try make("node1", rsa)
        tls = try make("tls", p256, Identity.loopback)
        token = try make("token", p256)
    }
}

/// The keys of one node beside its vote key.
public struct NodeKeys: Sendable {
    /// RSA-3072.
    public let sealing: Identity
    /// P-256.
    public let tls: Identity

    public init(sealing: Identity, tls: Identity) {
        self.sealing = sealing
        self.tls = tls
    }

    /// - Parameter shared: whose RSA key it gets; one of its own without.
    fileprivate init(number: Int, sharing shared: Identity?) throws {
        let directory = try TemporaryDirectory()
        let name = "node\(number)"
        let sealing =
            if let shared {
                try Identity(name, sharing: shared, identifier: number, in: directory)
            } else { try Identity(making: name, Identity.rsa, "", in: directory) }
        self.init(
            sealing: sealing,
            tls: try Identity(making: "tls\(number)", Identity.p256, Identity.loopback, in: directory))
    }
}

extension Identity {
    fileprivate static let rsa = "rsa:3072"
    fileprivate static let p256 = "ec -pkeyopt ec_paramgen_curve:P-256"
    fileprivate static let loopback = "-addext subjectAltName=DNS:localhost,IP:127.0.0.1"

    fileprivate init(
        making name: String, _ algorithm: String, _ options: String, in directory: TemporaryDirectory
    ) throws {
        try directory.shell(
            "openssl req -x509 -newkey \(algorithm) -nodes -keyout \(name).key -out \(name).crt "
                + "-subj /CN=\(name) -days 3650 \(options)")
        try self.init(name, readFrom: directory)
    }

    /// Another certificate for a key that is there, with a key identifier that no other has.
    fileprivate init(
        _ name: String, sharing other: Identity, identifier: Int, in directory: TemporaryDirectory
    ) throws {
        try directory.write(other.keyPEM, "\(name).key")
        try directory.shell(
            "openssl req -x509 -key \(name).key -out \(name).crt -subj /CN=\(name) -days 3650 "
                + "-addext subjectKeyIdentifier=\(String(format: "%040x", identifier))")
        try self.init(name, readFrom: directory)
    }

    private init(_ name: String, readFrom directory: TemporaryDirectory) throws {
        let keyPEM = try directory.read("\(name).key")
        let certificatePEM = try directory.read("\(name).crt")
        self.init(
            name: name, keyPEM: keyPEM, certificatePEM: certificatePEM,
            certificate: try KeyCertificate(pem: certificatePEM), signingKey: try IdentityKey(pem: keyPEM))
    }
}
