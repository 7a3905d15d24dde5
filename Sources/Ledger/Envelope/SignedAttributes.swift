import SwiftASN1

/// What a signer signs: the content's type, a time and the content's digest, and nothing else.
///
/// - Source: RFC 5652 §5.3, §5.4 and §11.
struct SignedAttributes: Hashable, Sendable {
    /// DER of the `SET OF`, the very bytes that the signature covers. In a message the first byte is `A0` instead.
    let encoded: [UInt8]
    let contentType: Statement.ContentType
    let signingTime: Timestamp
    let messageDigest: Digest

    static let tagInMessage: UInt8 = 0xA0
    private static let tagWhenSigned: UInt8 = 0x31

    /// Reads them as sent. They are signed as they stand, so any other than the one encoding is refused.
    init(_ node: ASN1Node) throws(EnvelopeError) {
        var fields = try DERFields(node, .context(0), "the signed attributes")
        var contentType: Statement.ContentType?
        var signingTime: Timestamp?
        var messageDigest: Digest?
        var previous: ArraySlice<UInt8> = []
        while !fields.isAtEnd {
            let attribute = try fields.next("attribute")
            // Strictly rising, which also refuses an attribute that stands there twice.
            guard previous.lexicographicallyPrecedes(attribute.encodedBytes) else {
                throw EnvelopeError(
                    .malformed, "the signed attributes are not in the order of DER", at: attribute.offset)
            }
            previous = attribute.encodedBytes

            var parts = try DERFields(attribute, .sequence, "a signed attribute")
            let type = try parts.next("type")
            var values = try parts.nextFields("the values of a signed attribute", .set)
            try parts.finish()
            let value = try values.next("value")
            try values.finish()
            if OID.contentTypeAttribute.matches(type), contentType == nil {
                contentType = try Statement.ContentType(value)
            } else if OID.signingTimeAttribute.matches(type), signingTime == nil {
                signingTime = try DERTime.timestamp(value, "the signing time")
            } else if OID.messageDigestAttribute.matches(type), messageDigest == nil {
                messageDigest = try Self.digest(value)
            } else {
                throw EnvelopeError(
                    .unsupported,
                    "a signed attribute is not contentType, signingTime or messageDigest, once each",
                    at: type.offset)
            }
        }
        guard let contentType, let signingTime, let messageDigest else {
            throw EnvelopeError(
                .unsupported, "the signed attributes lack contentType, signingTime or messageDigest",
                at: node.offset)
        }
        self.contentType = contentType
        self.signingTime = signingTime
        self.messageDigest = messageDigest
        encoded = [Self.tagWhenSigned] + node.encodedBytes.dropFirst()
    }

    init(contentType: Statement.ContentType, signingTime: Timestamp, messageDigest: Digest) {
        func attribute(_ type: OID, _ value: [UInt8]) -> [UInt8] {
            DERBytes.sequence(type.der, DERBytes.set([value]))
        }
        let attributes = [
            attribute(.contentTypeAttribute, contentType.oid.der),
            attribute(.signingTimeAttribute, DERTime.encoded(signingTime)),
            attribute(.messageDigestAttribute, DERBytes.octets(messageDigest.bytes)),
        ]
        encoded = DERBytes.set(attributes.sorted { $0.lexicographicallyPrecedes($1) })
        self.contentType = contentType
        // What is kept is what was written: whole seconds.
        self.signingTime = Timestamp(milliseconds: signingTime.seconds * 1000) ?? signingTime
        self.messageDigest = messageDigest
    }

    private static func digest(_ value: ASN1Node) throws(EnvelopeError) -> Digest {
        guard value.identifier == .octetString, case .primitive(let content) = value.content,
            let digest = Digest(content)
        else { throw EnvelopeError(.malformed, "the message digest is not 32 bytes", at: value.offset) }
        return digest
    }
}
