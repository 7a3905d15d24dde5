import SwiftASN1

/// An X.509 certificate as the ledger uses one: a public key with an identifier and a period.
///
/// Nothing else of it counts, its issuer's signature least: a key acts because the log enrolled it.
/// Two certificates are equal when their bytes are.
public struct KeyCertificate: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// 3072 to 4096 bits, exponent 65537.
        case rsa(bits: Int)
        case p256
    }

    public let der: [UInt8]
    public let kind: Kind
    /// The content of the subject key identifier extension, 1 to 64 bytes.
    public let keyIdentifier: [UInt8]
    /// DER of the SubjectPublicKeyInfo.
    public let publicKeyInfo: [UInt8]
    /// The period is closed at both ends.
    public let notBefore: Timestamp
    public let notAfter: Timestamp
    /// DER of the issuer's name and of the serial number: how most tools name a recipient.
    let issuer: [UInt8]
    let serialNumber: [UInt8]
    let key: EVPKey

    /// - Throws: `.badCertificate` for a key of another kind or a missing identifier; `.malformed`.
    public init(der: [UInt8]) throws(EnvelopeError) {
        guard der.count <= Limits.certificateBytes else {
            throw EnvelopeError(
                .tooLarge,
                "a certificate of \(der.count) bytes is over the limit of \(Limits.certificateBytes)")
        }
        var certificate = try DERFields(
            try DERDocument.parse(der, "the certificate"), .sequence, "the certificate")
        // Source: RFC 5280 §4.1.
        var fields = try certificate.nextFields("the certificate's content")
        guard fields.next(ifTagged: .context(0)) != nil else {
            throw EnvelopeError(.badCertificate, "the certificate is of version 1 and has no key identifier")
        }
        serialNumber = Array(try fields.next("serial number").encodedBytes)
        _ = try fields.next("signature algorithm")
        issuer = Array(try fields.next("issuer").encodedBytes)
        var validity = try fields.nextFields("the validity")
        notBefore = try DERTime.timestamp(try validity.next("beginning"), "the beginning of the validity")
        notAfter = try DERTime.timestamp(try validity.next("end"), "the end of the validity")
        _ = try fields.next("subject")
        publicKeyInfo = Array(try fields.next("public key").encodedBytes)
        keyIdentifier = try Self.keyIdentifier(&fields)

        key = try EVPKey(certificate: der)
        switch key.kind {
        case .rsa(let bits): kind = .rsa(bits: bits)
        case .p256: kind = .p256
        }
        self.der = der
    }

    /// The first certificate of a PEM file.
    public init(pem: [UInt8]) throws(EnvelopeError) {
        let refusal = EnvelopeError(.badCertificate, "this is no certificate in PEM")
        guard pem.count <= Limits.pemBytes else { throw refusal }
        let text = String(decoding: pem, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: true) { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        guard let start = lines.firstIndex(of: "-----BEGIN CERTIFICATE-----"),
            let end = lines[start...].firstIndex(of: "-----END CERTIFICATE-----"),
            let der = Base64.decode(lines[(start + 1)..<end].joined())
        else { throw refusal }
        try self.init(der: der)
    }

    /// Whether the certificate may be used at `time`.
    public func isValid(at time: Timestamp) -> Bool { notBefore <= time && time <= notAfter }

    /// Whether this key made the signature. The identifier and the algorithm must fit, too.
    public func verifies(_ signer: SignerInfo) -> Bool {
        guard signer.keyIdentifier == keyIdentifier else { return false }
        let digest = Digest.sha256(signer.attributes.encoded)
        switch (kind, signer.signature) {
        case (.rsa(let bits), .rsa(let signature)):
            return signature.count == bits / 8 && key.verifies(signature, of: digest)
        case (.p256, .ecdsa(let signature)):
            return key.verifies(signature.der, of: digest)
        case (.rsa, .ecdsa), (.p256, .rsa):
            return false
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.der == right.der }

    public func hash(into hasher: inout Hasher) { hasher.combine(der) }

    private static func keyIdentifier(_ fields: inout DERFields) throws(EnvelopeError) -> [UInt8] {
        _ = fields.next(ifTagged: .context(1))
        _ = fields.next(ifTagged: .context(2))
        guard let tagged = fields.next(ifTagged: .context(3)) else {
            throw EnvelopeError(.badCertificate, "the certificate has no subject key identifier")
        }
        var wrapper = try DERFields(tagged, .context(3), "the extensions")
        var extensions = try wrapper.nextFields("the extensions")
        var found: [UInt8]?
        while !extensions.isAtEnd {
            var parts = try extensions.nextFields("an extension")
            let type = try parts.next("type")
            _ = parts.next(ifTagged: .boolean)
            let value = try parts.nextBytes("the value of an extension")
            guard OID.subjectKeyIdentifier.matches(type) else { continue }
            // OCTET STRING in an OCTET STRING, of a length that one byte gives.
            let identifier = value.dropFirst(2)
            guard found == nil, value.first == 0x04,
                value.dropFirst().first.map(Int.init) == identifier.count,
                (1...Limits.keyIdentifierBytes).contains(identifier.count)
            else {
                throw EnvelopeError(
                    .badCertificate,
                    "the subject key identifier is not one of 1 to \(Limits.keyIdentifierBytes) bytes",
                    at: value.startIndex)
            }
            found = Array(identifier)
        }
        guard let found else {
            throw EnvelopeError(.badCertificate, "the certificate has no subject key identifier")
        }
        return found
    }
}
