extension SealedPayload {
    /// Seals a document to nodes, as `openssl cms -encrypt -aes-256-gcm` with RSA-OAEP does.
    ///
    /// - Throws: `.unsupported` for no nodes or more than `Limits.members`; `.badCertificate` for a key that is not
    ///   RSA; `.tooLarge`.
    public static func seal(
        _ content: [UInt8], to nodes: [KeyCertificate]
    ) throws(EnvelopeError) -> SealedPayload {
        guard (1...Limits.members).contains(nodes.count) else {
            throw EnvelopeError(.unsupported, "a payload is sealed to 1 to \(Limits.members) nodes")
        }
        let contentKey = try RandomBytes.make(AES256GCM.keyBytes)
        var recipients: [[UInt8]] = []
        for node in nodes {
            recipients.append(try NodeRecipient(encrypting: contentKey, to: node).encoded)
        }
        return try seal(content, contentKey, recipients)
    }

    /// Seals a document to a session, whose key the nodes have from its `<session>` entry.
    ///
    /// - Throws: `.badKey` for a key that is not 32 bytes long; `.tooLarge`.
    public static func seal(
        _ content: [UInt8], sessionKey: [UInt8], keyID: SessionKeyID
    ) throws(EnvelopeError) -> SealedPayload {
        try checkKey(sessionKey, "a session key")
        let contentKey = try RandomBytes.make(AES256GCM.keyBytes)
        let wrapped = try AESKeyWrap.wrap(contentKey, under: sessionKey)
        return try seal(content, contentKey, [SessionRecipient(keyID: keyID, wrappedKey: wrapped).encoded])
    }

    /// What was written is read again: nothing leaves that a node would refuse.
    private static func seal(
        _ content: [UInt8], _ contentKey: [UInt8], _ recipients: [[UInt8]]
    ) throws(EnvelopeError) -> SealedPayload {
        let nonce = try RandomBytes.make(AES256GCM.nonceBytes)
        let (ciphertext, tag) = try AES256GCM.seal(content, key: contentKey, nonce: nonce)
        let parameters = DERBytes.sequence(
            DERBytes.octets(nonce), DERBytes.integer(UInt8(AES256GCM.tagBytes)))
        let encrypted = DERBytes.sequence(
            OID.data.der, DERBytes.algorithm(.aes256GCM, parameters), DERBytes.contextOctets(0, ciphertext))
        let fields = DERBytes.sequence(
            DERBytes.integer(0), DERBytes.set(recipients.sorted { $0.lexicographicallyPrecedes($1) }),
            encrypted, DERBytes.octets(tag))
        return try SealedPayload(
            DERBytes.sequence(OID.authEnvelopedData.der, DERBytes.context(0, fields)))
    }
}
