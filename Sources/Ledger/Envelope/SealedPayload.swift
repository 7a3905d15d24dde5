import SwiftASN1

/// A document sealed to the nodes, or to a session: CMS AuthEnvelopedData with AES-256-GCM.
///
/// Shape: a DER ContentInfo (RFC 5083), version 0, content of type id-data, a nonce of 12 bytes and a tag of 16, no
/// originator, no attributes. Nothing is open yet: a value says who may open it, not that anybody can.
public struct SealedPayload: Hashable, Sendable {
    /// Who holds a key to it.
    public enum Recipients: Hashable, Sendable {
        /// This many nodes, 1 to `Limits.members`; `isSealed(exactlyTo:)` tells which.
        case nodes(count: Int)
        case session(keyID: SessionKeyID)
    }

    /// The exact bytes that were sent, and that the signature covers.
    public let bytes: [UInt8]
    /// SHA-256 of the bytes: what the statement's signers signed.
    public var digest: Digest { Digest.sha256(bytes) }

    let keys: Keys
    let nonce: [UInt8]
    let ciphertext: [UInt8]
    let tag: [UInt8]

    enum Keys: Hashable, Sendable {
        case nodes([NodeRecipient])
        case session(SessionRecipient)
    }

    public var recipients: Recipients {
        switch keys {
        case .nodes(let nodes): .nodes(count: nodes.count)
        case .session(let session): .session(keyID: session.keyID)
        }
    }

    /// - Throws: `.malformed` for what is not DER of this structure, `.unsupported` for other algorithms and fields.
    public init(_ bytes: [UInt8]) throws(EnvelopeError) {
        guard bytes.count <= Limits.submissionBytes else {
            throw EnvelopeError(
                .tooLarge, "a payload of \(bytes.count) bytes is over the limit of \(Limits.submissionBytes)")
        }
        let root = try DERDocument.parse(bytes, "the payload")
        var outer = try DERFields(root, .sequence, "the ContentInfo")
        try outer.nextOID(.authEnvelopedData, "the type of the payload")
        var tagged = try outer.nextFields("the content of the ContentInfo", .context(0))
        try outer.finish()
        var fields = try tagged.nextFields("the AuthEnvelopedData")
        try tagged.finish()

        try fields.nextVersion(0, "the version of the AuthEnvelopedData")
        // An originator ([0]) would stand here, and is refused because a SET is expected.
        keys = try Self.keys(&fields)

        var content = try fields.nextFields("the encrypted content")
        try content.nextOID(.data, "the type of the encrypted content")
        nonce = try Self.nonce(try content.next("algorithm"))
        ciphertext = Array(try content.nextBytes("the ciphertext", .context(0)))
        try content.finish()

        // Authenticated ([1]) and unauthenticated ([2]) attributes are refused by the tag and by finish.
        tag = Array(try fields.nextBytes("the tag"))
        guard tag.count == AES256GCM.tagBytes else {
            throw EnvelopeError(.unsupported, "the tag is not 16 bytes long", at: root.offset)
        }
        try fields.finish()
        self.bytes = bytes
    }

    /// Whether each of the nodes, by its sealing certificate, is a recipient once, and nobody else is one.
    public func isSealed(exactlyTo nodes: [KeyCertificate]) -> Bool {
        guard case .nodes(let recipients) = keys, recipients.count == nodes.count else { return false }
        var free = Array(nodes.indices)
        for recipient in recipients {
            guard let position = free.firstIndex(where: { recipient.isFor(nodes[$0]) }) else { return false }
            free.remove(at: position)
        }
        return free.isEmpty
    }

    private static func keys(_ fields: inout DERFields) throws(EnvelopeError) -> Keys {
        let set = try fields.next("recipients")
        var members = try DERFields(set, .set, "the recipients")
        let first = try members.next("recipient")
        if first.identifier == SessionRecipient.tag {
            let session = try SessionRecipient(first)
            try members.finish()
            return .session(session)
        }
        var nodes = [try NodeRecipient(first)]
        var previous = first.encodedBytes
        while !members.isAtEnd {
            let node = try members.next("recipient")
            guard nodes.count < Limits.members else {
                throw EnvelopeError(
                    .unsupported, "there are more than \(Limits.members) recipients", at: node.offset)
            }
            guard previous.lexicographicallyPrecedes(node.encodedBytes) else {
                throw EnvelopeError(.malformed, "the recipients are not in the order of DER", at: node.offset)
            }
            previous = node.encodedBytes
            nodes.append(try NodeRecipient(node))
        }
        return .nodes(nodes)
    }

    private static func nonce(_ node: ASN1Node) throws(EnvelopeError) -> [UInt8] {
        let algorithm = try AlgorithmIdentifier(node, "the content encryption algorithm")
        guard OID.aes256GCM.matches(algorithm.algorithm), let parameters = algorithm.parameters else {
            throw EnvelopeError(
                .unsupported, "the content is not encrypted with AES-256-GCM", at: node.offset)
        }
        var fields = try DERFields(parameters, .sequence, "the parameters of AES-GCM")
        let nonce = Array(try fields.nextBytes("the nonce"))
        guard nonce.count == AES256GCM.nonceBytes else {
            throw EnvelopeError(.unsupported, "the nonce is not 12 bytes long", at: node.offset)
        }
        // Where the length of the tag is absent, it is 12 (RFC 5084 §3.2).
        try fields.nextVersion(UInt8(AES256GCM.tagBytes), "the length of the tag")
        try fields.finish()
        return nonce
    }
}
