import Foundation
import Ledger
import TestSupport

/// Keys and certificates made once for a run of the tests, by the tool that users have.
struct TestIdentities: Sendable {
    struct Identity: Sendable {
        let name: String
        let keyPEM: [UInt8]
        let certificatePEM: [UInt8]
        let certificate: KeyCertificate

        func signingKey() throws -> IdentityKey { try IdentityKey(pem: keyPEM) }
        func decryptionKey() throws -> DecryptionKey { try DecryptionKey(pem: keyPEM) }

        func write(to directory: TemporaryDirectory) throws {
            try directory.write(keyPEM, "\(name).key")
            try directory.write(certificatePEM, "\(name).crt")
        }
    }

    let nodes: [Identity]
    /// An RSA signer, a P-256 signer, and a second of each.
    let rsa: Identity
    let p256: Identity
    let otherRSA: Identity
    let otherP256: Identity

    var signers: [Identity] { [rsa, p256, otherRSA, otherP256] }

    private static let made = Result { try TestIdentities() }
    static func shared() throws -> TestIdentities { try made.get() }

    private init() throws {
        let directory = try TemporaryDirectory()
        func make(_ name: String, _ algorithm: String) throws -> Identity {
            try directory.shell(
                "openssl req -x509 -newkey \(algorithm) -nodes -keyout \(name).key -out \(name).crt "
                    + "-subj /CN=\(name) -days 30")
            let pem = try directory.read("\(name).crt")
            return Identity(
                name: name, keyPEM: try directory.read("\(name).key"), certificatePEM: pem,
                certificate: try KeyCertificate(pem: pem))
        }
        nodes = try (1...4).map { try make("node\($0)", "rsa:3072") }
        rsa = try make("ci", "rsa:3072")
        p256 = try make("ec", "ec -pkeyopt ec_paramgen_curve:P-256")
        otherRSA = nodes[3]
        otherP256 = try make("ec2", "ec -pkeyopt ec_paramgen_curve:P-256")
    }
}

extension [UInt8] {
    /// One to three bytes changed, or a piece cut out, doubled or put in.
    func damaged(by generator: inout SeededGenerator) -> [UInt8] {
        var bytes = self
        switch Int.random(in: 0..<8, using: &generator) {
        case 0:
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            bytes.removeSubrange(
                start..<Swift.min(bytes.count, start + Int.random(in: 1...8, using: &generator)))
        case 1:
            let start = Int.random(in: 0..<bytes.count, using: &generator)
            let piece = bytes[
                start..<Swift.min(bytes.count, start + Int.random(in: 1...40, using: &generator))]
            bytes.insert(contentsOf: Array(piece), at: start)
        case 2:
            bytes.insert(
                UInt8.random(in: 0...255, using: &generator),
                at: Int.random(in: 0...bytes.count, using: &generator))
        default:
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(
                    in: 1...255, using: &generator)
            }
        }
        return bytes
    }
}
