import SwiftASN1

/// One signature of a statement: by which key, over which attributes.
///
/// Shape: SignerInfo v3 (RFC 5652 §5.3) with a subject key identifier and SHA-256, without unsigned attributes.
public struct SignerInfo: Hashable, Sendable {
    /// The subject key identifier of the signer's certificate, 1 to 64 bytes.
    public let keyIdentifier: [UInt8]
    /// The signer's own clock, to the second: information only, no rule depends on it.
    public var signingTime: Timestamp { attributes.signingTime }

    let attributes: SignedAttributes
    let signature: Signature

    enum Signature: Hashable, Sendable {
        /// RSASSA-PKCS1-v1_5; as long as the modulus.
        case rsa([UInt8])
        case ecdsa(ECDSASignature)
    }

    init(keyIdentifier: [UInt8], attributes: SignedAttributes, signature: Signature) {
        self.keyIdentifier = keyIdentifier
        self.attributes = attributes
        self.signature = signature
    }

    /// Reads the parts that matter; unsigned attributes are dropped, names of algorithms take their one form.
    init(_ node: ASN1Node) throws(EnvelopeError) {
        var fields = try DERFields(node, .sequence, "the signer info")
        let version = try fields.nextBytes("the version of the signer info", .integer)
        guard version.elementsEqual([3]) else {
            throw EnvelopeError(
                .unsupported, "the signer is not named by its subject key identifier (signer info version 3)",
                at: version.startIndex)
        }
        keyIdentifier = Array(try fields.nextBytes("the subject key identifier", .context(0)))
        guard (1...Limits.keyIdentifierBytes).contains(keyIdentifier.count) else {
            throw EnvelopeError(
                .unsupported,
                "the subject key identifier is not 1 to \(Limits.keyIdentifierBytes) bytes long",
                at: node.offset)
        }
        try AlgorithmIdentifier.requireSHA256(
            try fields.next("digest algorithm"), "the digest algorithm of the signer")
        guard let signedAttributes = fields.next(ifTagged: .context(0)) else {
            throw EnvelopeError(.unsupported, "the signer info has no signed attributes", at: node.offset)
        }
        attributes = try SignedAttributes(signedAttributes)
        let algorithm = try fields.next("signature algorithm")
        let bytes = Array(try fields.nextBytes("the signature"))
        signature = try Self.signature(bytes, algorithm)
        // Unsigned attributes: anybody can add them, nothing may depend on them.
        _ = fields.next(ifTagged: .context(1))
        try fields.finish()
    }

    private static func signature(
        _ bytes: [UInt8], _ node: ASN1Node
    ) throws(EnvelopeError) -> Signature {
        let algorithm = try AlgorithmIdentifier(node, "the signature algorithm")
        if algorithm.isPlain(.rsaEncryption) || algorithm.isPlain(.sha256WithRSAEncryption) {
            let sizes = Limits.rsaBits.lowerBound / 8...Limits.rsaBits.upperBound / 8
            guard sizes.contains(bytes.count) else {
                throw EnvelopeError(
                    .unsupported,
                    "an RSA signature is not \(sizes.lowerBound) to \(sizes.upperBound) bytes long",
                    at: node.offset)
            }
            return .rsa(bytes)
        }
        if algorithm.isPlain(.ecdsaWithSHA256) { return .ecdsa(try ECDSASignature(der: bytes)) }
        throw EnvelopeError(
            .unsupported, "the signature algorithm is neither RSA PKCS #1 v1.5 nor ECDSA with SHA-256",
            at: node.offset)
    }

    /// The one form.
    var encoded: [UInt8] {
        let (algorithm, bytes) =
            switch signature {
            case .rsa(let bytes): (DERBytes.algorithm(.rsaEncryption, DERBytes.null), bytes)
            case .ecdsa(let scalars): (DERBytes.algorithm(.ecdsaWithSHA256), scalars.der)
            }
        return DERBytes.sequence(
            DERBytes.integer(3), DERBytes.contextOctets(0, keyIdentifier), DERBytes.algorithm(.sha256),
            [SignedAttributes.tagInMessage] + attributes.encoded.dropFirst(), algorithm,
            DERBytes.octets(bytes))
    }
}
