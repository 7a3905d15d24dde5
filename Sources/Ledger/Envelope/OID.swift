import SwiftASN1

/// An object identifier, kept as its DER encoding.
///
/// SwiftASN1's own type holds components of 64 bits; the components of a UUID-based OID have 128.
struct OID: Hashable, Sendable {
    /// Tag, length and content.
    let der: [UInt8]

    /// - Precondition: fewer than 128 bytes of content; only constants of this file are made so.
    private init(content: [UInt8]) {
        precondition(content.count < 128, "an object identifier of ours has a short length")
        der = [0x06, UInt8(content.count)] + content
    }

    /// Whether `node` is this object identifier.
    func matches(_ node: ASN1Node) -> Bool { node.encodedBytes.elementsEqual(der) }
}

extension OID {
    // MARK: Content types (RFC 5652, RFC 5083)

    /// 1.2.840.113549.1.7.1
    static let data = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01])
    /// 1.2.840.113549.1.7.2
    static let signedData = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02])
    /// 1.2.840.113549.1.9.16.1.23
    static let authEnvelopedData = OID(
        content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x17])
    /// 2.25.147613410824489915555898368594167689078: the UUID 6f0d4f0e-2c1b-4b57-9a4e-6b7069676f76 as an OID
    /// (ITU-T X.667 §8), ours, for governance records.
    static let governanceRecord = OID(content: [
        0x69, 0x81, 0xDE, 0x8D, 0xA7, 0xC3, 0xC5, 0xC1, 0xDA, 0xAD, 0xAF, 0x9A, 0xA7, 0x9A, 0xEE, 0x86, 0xCB,
        0x9D,
        0xDE, 0x76,
    ])

    // MARK: Signed attributes (RFC 5652 §11)

    /// 1.2.840.113549.1.9.3
    static let contentTypeAttribute = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03])
    /// 1.2.840.113549.1.9.4
    static let messageDigestAttribute = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04])
    /// 1.2.840.113549.1.9.5
    static let signingTimeAttribute = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x05])

    // MARK: Algorithms (RFC 3370, 4055, 5084, 5754)

    /// 2.16.840.1.101.3.4.2.1
    static let sha256 = OID(content: [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01])
    /// 1.2.840.113549.1.1.1
    static let rsaEncryption = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01])
    /// 1.2.840.113549.1.1.7
    static let rsaOAEP = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x07])
    /// 1.2.840.113549.1.1.8
    static let mgf1 = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x08])
    /// 1.2.840.113549.1.1.11
    static let sha256WithRSAEncryption = OID(content: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B])
    /// 1.2.840.10045.4.3.2
    static let ecdsaWithSHA256 = OID(content: [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02])
    /// 2.16.840.1.101.3.4.1.45
    static let aes256Wrap = OID(content: [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2D])
    /// 2.16.840.1.101.3.4.1.46
    static let aes256GCM = OID(content: [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2E])

    // MARK: Certificate extensions (RFC 5280)

    /// 2.5.29.14
    static let subjectKeyIdentifier = OID(content: [0x55, 0x1D, 0x0E])
}
