/// A key that signs statements: RSA of 3072 to 4096 bits, or P-256.
public struct IdentityKey: Sendable {
    let key: EVPKey

    /// PEM as `openssl req -nodes` writes it: PKCS #8 or the older forms, without a passphrase.
    ///
    /// - Throws: `.badKey`.
    public init(pem: [UInt8]) throws(EnvelopeError) { key = try EVPKey(privateKeyPEM: pem) }

    /// Whether the certificate is this key's.
    public func matches(_ certificate: KeyCertificate) -> Bool { key.matches(certificate.key) }
}

/// A node's key that opens payloads: RSA of 3072 to 4096 bits. It signs nothing.
public struct DecryptionKey: Sendable {
    let key: EVPKey

    /// PEM without a passphrase, as for `IdentityKey`.
    ///
    /// - Throws: `.badKey`, also for a key that is not RSA.
    public init(pem: [UInt8]) throws(EnvelopeError) {
        key = try EVPKey(privateKeyPEM: pem)
        guard case .rsa = key.kind else { throw EnvelopeError(.badKey, "only an RSA key opens payloads") }
    }

    /// Whether the certificate is this key's.
    public func matches(_ certificate: KeyCertificate) -> Bool { key.matches(certificate.key) }
}
