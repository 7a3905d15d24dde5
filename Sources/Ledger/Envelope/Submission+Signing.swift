extension Submission {
    /// Signs content, as `openssl cms -sign -nodetach -nocerts -nosmimecap -keyid -md sha256` does.
    ///
    /// - Parameters:
    ///   - content: a sealed payload, or the exact bytes of a governance record.
    ///   - time: the signing time, to the second.
    /// - Throws: `.badKey` where the certificate is another key's; `.tooLarge`.
    public static func sign(
        _ content: [UInt8], as contentType: Statement.ContentType, with key: IdentityKey,
        certificate: KeyCertificate, at time: Timestamp
    ) throws(EnvelopeError) -> Submission {
        let signer = try SignerInfo.sign(
            Digest.sha256(content), as: contentType, with: key, certificate: certificate, at: time)
        return try make(content, contentType, [signer])
    }

    /// Adds a signature to a governance record that others signed before: they need not meet.
    ///
    /// - Throws: `.unsupported` where this key signed already, there are too many, or the statement is an entry's.
    public func cosigned(
        with key: IdentityKey, certificate: KeyCertificate, at time: Timestamp
    ) throws(EnvelopeError) -> Submission {
        guard let record = statement.content else {
            throw EnvelopeError(.unsupported, "an entry has one signer")
        }
        let signer = try SignerInfo.sign(
            statement.payloadDigest, as: .governance, with: key, certificate: certificate, at: time)
        return try Self.make(record, .governance, statement.signers + [signer])
    }

    private static func make(
        _ content: [UInt8], _ contentType: Statement.ContentType, _ signers: [SignerInfo]
    ) throws(EnvelopeError) -> Submission {
        let parts = try SignedData(contentType: contentType, content: content, signers: signers)
        let submission = try Submission(
            statement: try Statement(parts), payload: contentType == .sealed ? content : nil)
        let count = submission.bytes.count
        guard count <= Limits.submissionBytes else {
            throw EnvelopeError(
                .tooLarge, "a submission of \(count) bytes is over the limit of \(Limits.submissionBytes)")
        }
        return submission
    }
}

extension SignerInfo {
    static func sign(
        _ digest: Digest, as contentType: Statement.ContentType, with key: IdentityKey,
        certificate: KeyCertificate, at time: Timestamp
    ) throws(EnvelopeError) -> SignerInfo {
        guard key.matches(certificate) else {
            throw EnvelopeError(.badKey, "the certificate is not the signing key's")
        }
        let attributes = SignedAttributes(contentType: contentType, signingTime: time, messageDigest: digest)
        let bytes = try key.key.sign(Digest.sha256(attributes.encoded))
        let signature: Signature
        switch key.key.kind {
        case .rsa: signature = .rsa(bytes)
        // Reading it makes a high s low.
        case .p256: signature = .ecdsa(try ECDSASignature(der: bytes))
        }
        return SignerInfo(
            keyIdentifier: certificate.keyIdentifier, attributes: attributes, signature: signature)
    }
}
