import Foundation
import Ledger

/// Who a command acts as: a directory with `NAME.key` and `NAME.crt`.
struct ClientIdentity: Sendable {
    let name: String
    let keyPath: String
    let certificatePath: String
    let key: IdentityKey
    let certificate: KeyCertificate

    /// - Throws: `CommandFailure` where the directory does not hold exactly one key with its certificate.
    init(directory: String) throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let keys = names.filter { $0.hasSuffix(".key") }
        guard keys.count == 1, let file = keys.first else {
            throw CommandFailure(
                .wrongUsage,
                keys.isEmpty
                    ? "there is no identity in \(directory)" : "there are several keys in \(directory)",
                remedy:
                    "Name a directory that holds one NAME.key and NAME.crt (--identity or LEDGER_IDENTITY).")
        }
        name = String(file.dropLast(4))
        keyPath = "\(directory)/\(name).key"
        certificatePath = "\(directory)/\(name).crt"
        do {
            key = try IdentityKey(pem: CommandFailure.reading(keyPath, limitBytes: Limits.pemBytes))
            certificate = try KeyCertificate(
                pem: CommandFailure.reading(certificatePath, limitBytes: Limits.pemBytes))
        } catch let error as EnvelopeError {
            throw CommandFailure(
                .wrongUsage, "the identity in \(directory) cannot be used: \(error.reason)",
                remedy: "It needs an RSA key of 3072 bits or more, or one of P-256, and its certificate.")
        }
        guard key.matches(certificate) else {
            throw CommandFailure(
                .wrongUsage, "\(certificatePath) is not the certificate of \(keyPath)",
                remedy: "Put the certificate of this key there.")
        }
    }

    /// What the ledger calls this identity: as enrolled by the genesis, else the name of the files.
    func enrolledName(in genesis: Genesis) -> String {
        let enrolment = genesis.identities.first { enrolment in
            (try? KeyCertificate(der: enrolment.certificate))?.publicKeyInfo == certificate.publicKeyInfo
        }
        return enrolment?.identity ?? name
    }
}
