import Crypto
import CryptoExtras
import Foundation
import Ledger
import SwiftASN1
import X509

/// A certificate with its private key.
struct CertifiedKey: Sendable {
    let certificate: Certificate
    let certificateDER: [UInt8]
    let certificatePEM: String
    /// PKCS #8, PEM.
    let keyPEM: String

    fileprivate init(_ certificate: Certificate, keyPEM: String) throws {
        self.certificate = certificate
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        certificateDER = serializer.serializedBytes
        certificatePEM = try certificate.serializeAsPEM().pemString + "\n"
        self.keyPEM = keyPEM + "\n"
    }
}

/// How the four kinds of certificates of a ledger are made. All are valid for the same ten years and name the
/// ledger as their organisation.
///
/// Source: RFC 5280; the subject key identifier is its method 1, as OpenSSL makes it.
struct CertificateRecipe {
    private let plan: LedgerPlan
    private let notBefore: Date
    private let notAfter: Date

    init(_ plan: LedgerPlan) {
        self.plan = plan
        let start = plan.created.seconds - Limits.certificateLeadSeconds
        notBefore = Date(timeIntervalSince1970: TimeInterval(start))
        notAfter = Date(timeIntervalSince1970: TimeInterval(plan.created.seconds + Limits.certificateSeconds))
    }

    /// The authority of the nodes' TLS certificates: what `curl --cacert` is given.
    func authority(_ key: P256.Signing.PrivateKey) throws -> CertifiedKey {
        let publicKey = Certificate.PublicKey(key.publicKey)
        return try selfSigned(
            "ledger CA", publicKey, Certificate.PrivateKey(key), keyPEM: key.pemRepresentation
        ) {
            Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
            Critical(KeyUsage(keyCertSign: true))
        }
    }

    /// A node's RSA certificate, to which documents are sealed (RSA-OAEP).
    func sealing(_ key: _RSA.Signing.PrivateKey, node: String) throws -> CertifiedKey {
        try selfSigned(
            node, Certificate.PublicKey(key.publicKey), Certificate.PrivateKey(key),
            keyPEM: key.pkcs8PEMRepresentation
        ) {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(keyEncipherment: true))
        }
    }

    /// An identity's RSA certificate, which signs entries, governance records and TLS handshakes as a client.
    func identity(_ key: _RSA.Signing.PrivateKey, name: String) throws -> CertifiedKey {
        try selfSigned(
            name, Certificate.PublicKey(key.publicKey), Certificate.PrivateKey(key),
            keyPEM: key.pkcs8PEMRepresentation
        ) {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true, nonRepudiation: true))
        }
    }

    /// A node's TLS certificate, for HTTPS and, as both ends, between peers.
    func server(
        _ key: P256.Signing.PrivateKey, node: String, issuer: CertifiedKey, issuerKey: P256.Signing.PrivateKey
    ) throws -> CertifiedKey {
        let publicKey = Certificate.PublicKey(key.publicKey)
        let issuerIdentifier = SubjectKeyIdentifier(hash: issuer.certificate.publicKey)
        return try CertifiedKey(
            Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
                notValidBefore: notBefore, notValidAfter: notAfter, issuer: issuer.certificate.subject,
                subject: try name(node),
                extensions: Certificate.Extensions {
                    Critical(BasicConstraints.notCertificateAuthority)
                    Critical(KeyUsage(digitalSignature: true))
                    try ExtendedKeyUsage([.serverAuth, .clientAuth])
                    SubjectAlternativeNames(plan.hosts.map(\.generalName))
                    SubjectKeyIdentifier(hash: publicKey)
                    AuthorityKeyIdentifier(keyIdentifier: issuerIdentifier.keyIdentifier)
                },
                issuerPrivateKey: Certificate.PrivateKey(issuerKey)),
            keyPEM: key.pemRepresentation)
    }

    private func selfSigned(
        _ commonName: String, _ publicKey: Certificate.PublicKey, _ privateKey: Certificate.PrivateKey,
        keyPEM: String, @ExtensionsBuilder usage: () throws -> Result<Certificate.Extensions, any Error>
    ) throws -> CertifiedKey {
        let usage = try usage().get()
        let subject = try name(commonName)
        return try CertifiedKey(
            Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
                notValidBefore: notBefore, notValidAfter: notAfter, issuer: subject, subject: subject,
                extensions: Certificate.Extensions {
                    usage
                    // Entries name their signer by this identifier alone (docs/formats.md 2.2).
                    SubjectKeyIdentifier(hash: publicKey)
                },
                issuerPrivateKey: privateKey),
            keyPEM: keyPEM)
    }

    private func name(_ commonName: String) throws -> DistinguishedName {
        try DistinguishedName {
            OrganizationName(plan.origin)
            CommonName(commonName)
        }
    }
}

extension LedgerPlan.Host {
    fileprivate var generalName: GeneralName {
        switch self {
        case .name(let name): .dnsName(name)
        case .address(let bytes): .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
        }
    }
}
