import SwiftASN1

/// The parts of a CMS SignedData that matter, read from any DER that holds them and written in one form.
///
/// - Source: RFC 5652 §5.1; the one form is formats.md 2.2.
struct SignedData {
    let contentType: Statement.ContentType
    /// The octets of the encapsulated content; `nil` where it is detached.
    let content: [UInt8]?
    /// One for sealed content, up to `Limits.governanceSigners` for governance, in the order of a DER `SET OF`,
    /// of distinct keys, all over one digest.
    let signers: [SignerInfo]

    let messageDigest: Digest

    /// - Throws: also where the content is there but not what was signed.
    init(_ bytes: [UInt8]) throws(EnvelopeError) {
        let root = try DERDocument.parse(bytes, "the SignedData")
        var outer = try DERFields(root, .sequence, "the ContentInfo")
        try outer.nextOID(.signedData, "the type of the outermost message")
        var tagged = try outer.nextFields("the content of the ContentInfo", .context(0))
        try outer.finish()
        var fields = try tagged.nextFields("the SignedData")
        try tagged.finish()

        try fields.nextVersion(3, "the version of the SignedData")
        var algorithms = try fields.nextFields("the digest algorithms", .set)
        try AlgorithmIdentifier.requireSHA256(try algorithms.next("algorithm"), "the digest algorithm")
        try algorithms.finish()

        var encapsulated = try fields.nextFields("the encapsulated content")
        let contentType = try Statement.ContentType(try encapsulated.next("type"))
        var content: [UInt8]?
        if !encapsulated.isAtEnd {
            var explicit = try encapsulated.nextFields("the encapsulated content", .context(0))
            content = Array(try explicit.nextBytes("the encapsulated content"))
            try explicit.finish()
        }
        try encapsulated.finish()

        // Certificates and revocation lists: anybody can add them, and keys come from the log alone.
        _ = fields.next(ifTagged: .context(0))
        _ = fields.next(ifTagged: .context(1))
        var set = try fields.nextFields("the signer infos", .set)
        try fields.finish()
        var signers: [SignerInfo] = []
        while !set.isAtEnd {
            let node = try set.next("signer info")
            guard signers.count < contentType.signerLimit else {
                throw EnvelopeError(
                    .unsupported, "there are more than \(contentType.signerLimit) signers", at: node.offset)
            }
            signers.append(try SignerInfo(node))
        }
        try self.init(contentType: contentType, content: content, signers: signers)
    }

    /// Puts the signers in order and checks what holds them together.
    init(
        contentType: Statement.ContentType, content: [UInt8]?, signers unordered: [SignerInfo]
    ) throws(EnvelopeError) {
        guard let first = unordered.first else {
            throw EnvelopeError(.unsupported, "there is no signer")
        }
        guard unordered.count <= contentType.signerLimit else {
            throw EnvelopeError(.unsupported, "there are more than \(contentType.signerLimit) signers")
        }
        guard Set(unordered.map(\.keyIdentifier)).count == unordered.count else {
            throw EnvelopeError(.unsupported, "a key signs twice")
        }
        let digest = first.attributes.messageDigest
        for signer in unordered {
            guard signer.attributes.contentType == contentType else {
                throw EnvelopeError(.unsupported, "the signed content type is not the message's")
            }
            guard signer.attributes.messageDigest == digest else {
                throw EnvelopeError(.digestMismatch, "two signers signed different content")
            }
        }
        if let content, Digest.sha256(content) != digest {
            throw EnvelopeError(.digestMismatch, "the signed digest is not the digest of the content")
        }
        self.contentType = contentType
        self.content = content
        messageDigest = digest
        signers =
            unordered.count == 1
            ? unordered
            : unordered.map { ($0, $0.encoded) }.sorted { $0.1.lexicographicallyPrecedes($1.1) }.map(\.0)
    }

    /// The one form, with the content or without.
    func encoded(withContent content: [UInt8]?) -> [UInt8] {
        let attached = content.map { DERBytes.context(0, DERBytes.octets($0)) } ?? []
        let fields = DERBytes.sequence(
            DERBytes.integer(3), DERBytes.set([DERBytes.algorithm(.sha256)]),
            DERBytes.sequence(contentType.oid.der, attached), DERBytes.set(signers.map(\.encoded)))
        return DERBytes.sequence(OID.signedData.der, DERBytes.context(0, fields))
    }
}
