extension SealedPayload {
    /// A document, and the key that opened it.
    public struct Opened: Hashable, Sendable {
        public let content: [UInt8]
        /// Opens this payload and no other; the block header commits to it.
        public let contentKey: [UInt8]
    }

    /// Opens it as the node whose sealing certificate this is.
    ///
    /// - Throws: `.notARecipient`, which anybody can see from the payload; else `.decryptionFailed`, whatever failed.
    public func open(
        with key: DecryptionKey, certificate: KeyCertificate
    ) throws(EnvelopeError) -> Opened {
        guard case .nodes(let recipients) = keys,
            let recipient = recipients.first(where: { $0.isFor(certificate) })
        else { throw EnvelopeError(.notARecipient, "the payload is not sealed to this node") }
        return try open(triedKey: key.key.decrypt(recipient.encryptedKey))
    }

    /// Opens it with the key of the session that `recipients` names.
    public func open(sessionKey: [UInt8]) throws(EnvelopeError) -> Opened {
        guard case .session(let recipient) = keys else {
            throw EnvelopeError(.notARecipient, "the payload is not sealed to a session")
        }
        try Self.checkKey(sessionKey, "a session key")
        return try open(triedKey: AESKeyWrap.unwrap(recipient.wrappedKey, under: sessionKey))
    }

    /// Opens it with its own key, as a node that got the key from a peer does, or an auditor after a disclosure.
    ///
    /// A ciphertext can be made to open under two keys (formats.md 4.2): compare the key with the commitment.
    public func open(contentKey: [UInt8]) throws(EnvelopeError) -> Opened {
        try Self.checkKey(contentKey, "a content key")
        guard
            let content = AES256GCM.open(ciphertext, tag: tag, key: contentKey, nonce: nonce)
        else { throw .decryptionFailed }
        return Opened(content: content, contentKey: contentKey)
    }

    /// Where no key came out, a random one is tried: both failures cost the same and say the same, so that nobody can
    /// use a node to find out which ciphertexts are well padded (RFC 3218 §2.3.2).
    private func open(triedKey: [UInt8]?) throws(EnvelopeError) -> Opened {
        guard let random = Self.keyOfNothing else { throw .libraryFailure("make random bytes") }
        let key = triedKey?.count == AES256GCM.keyBytes ? triedKey ?? random : random
        return try open(contentKey: key)
    }

    /// Drawn once a process: drawing it takes longer than opening a document, and no payload was ever sealed with it.
    private static let keyOfNothing = try? RandomBytes.make(AES256GCM.keyBytes)

    static func checkKey(_ key: [UInt8], _ what: String) throws(EnvelopeError) {
        guard key.count == AES256GCM.keyBytes else {
            throw EnvelopeError(.badKey, "\(what) is not \(AES256GCM.keyBytes) bytes long")
        }
    }
}
