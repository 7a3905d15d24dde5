import Crypto
import SwiftASN1

/// An Ed25519 private key as a file: PKCS #8, PEM, readable by `openssl pkey`.
///
/// Source: RFC 8410 §7. The key is always 32 bytes, so its DER is a fixed prefix and the seed.
enum Ed25519KeyFile {
    static let pemType = "PRIVATE KEY"
    /// SEQUENCE { INTEGER 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING of 32 bytes } }
    private static let prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    static func text(_ key: Curve25519.Signing.PrivateKey) -> String {
        PEMDocument(type: pemType, derBytes: prefix + Array(key.rawRepresentation)).pemString + "\n"
    }

    /// The 32-byte seed. `nil` for anything that is not one Ed25519 key in this form.
    static func seed(_ text: String) -> [UInt8]? {
        guard let document = try? PEMDocument(pemString: text), document.discriminator == pemType else {
            return nil
        }
        guard document.derBytes.count == prefix.count + 32, document.derBytes.starts(with: prefix) else {
            return nil
        }
        return Array(document.derBytes.dropFirst(prefix.count))
    }
}
