import SwiftASN1

/// Who signed what: the leaf of the log, in the only form that a leaf may have.
///
/// Shape: CMS SignedData v3, DER, as formats.md 2.2 lays down. Of an entry it holds the digest of the payload, which
/// is kept beside the log and can be erased; of a governance record the record itself. Two statements are equal when
/// their bytes are. A value says nothing about its signatures: ask `isSigned`.
public struct Statement: Hashable, Sendable {
    /// What was signed.
    public enum ContentType: CaseIterable, Hashable, Sendable {
        /// A document sealed to the nodes or to a session: id-ct-authEnvelopedData, 1.2.840.113549.1.9.16.1.23.
        case sealed
        /// A public record about the ledger: 2.25.147613410824489915555898368594167689078, a UUID-based OID.
        case governance
    }

    /// At most `Limits.leafBytes`.
    public let bytes: [UInt8]
    public let contentType: ContentType
    /// One, or for governance up to `Limits.governanceSigners` of distinct keys, in the order of a DER `SET OF`.
    ///
    /// Whoever holds a statement of several signers can make one of fewer; so the rules ask for enough signers, and
    /// the sequence number keeps the second of two such records out.
    public let signers: [SignerInfo]
    /// SHA-256 of the content that was signed, as the signers state it.
    public let payloadDigest: Digest
    /// The record of a governance statement; `nil` where the content lies beside the log.
    public let content: [UInt8]?
    /// SHA-256 of the bytes. (The leaf's hash in the tree has a zero byte in front.)
    public let digest: Digest

    /// Reads a leaf.
    ///
    /// - Throws: `.tooLarge`, `.notCanonical` for every form but the one, or what is wrong with the structure.
    public init(canonical bytes: [UInt8]) throws(EnvelopeError) {
        guard bytes.count <= Limits.leafBytes else { throw Self.tooLarge(bytes.count) }
        let parts = try SignedData(bytes)
        let statement = try Statement(parts)
        guard (parts.content != nil) == (statement.content != nil), statement.bytes == bytes else {
            throw EnvelopeError(.notCanonical, "the statement is not in its one form")
        }
        self = statement
    }

    /// Builds the one form.
    ///
    /// - Throws: `.tooLarge`; `.unsupported` for governance without its content.
    init(_ parts: SignedData) throws(EnvelopeError) {
        contentType = parts.contentType
        signers = parts.signers
        payloadDigest = parts.messageDigest
        switch parts.contentType {
        case .sealed:
            content = nil
        case .governance:
            guard let record = parts.content else {
                throw EnvelopeError(.unsupported, "a governance record is not in its statement")
            }
            content = record
        }
        bytes = parts.encoded(withContent: content)
        digest = .sha256(bytes)
        guard bytes.count <= Limits.leafBytes else { throw Self.tooLarge(bytes.count) }
    }

    /// Any bytes in the place of a statement, as if signed like `model`: for a measurement of the ordering alone.
    /// Nothing that reads a log accepts them.
    package init(opaque bytes: [UInt8], like model: Statement) {
        self.bytes = bytes
        contentType = model.contentType
        signers = model.signers
        payloadDigest = model.payloadDigest
        content = model.content
        digest = .sha256(bytes)
    }

    /// Whether the signature at `signer`, an index into `signers`, is the one that this certificate's key made.
    ///
    /// Cryptography only: whether the key was enrolled, and valid at the block's time, is asked elsewhere.
    public func isSigned(by certificate: KeyCertificate, signer: Int = 0) -> Bool {
        guard signers.indices.contains(signer) else { return false }
        return certificate.verifies(signers[signer])
    }

    public static func == (left: Self, right: Self) -> Bool { left.bytes == right.bytes }

    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }

    private static func tooLarge(_ count: Int) -> EnvelopeError {
        EnvelopeError(.tooLarge, "a statement of \(count) bytes is over the limit of \(Limits.leafBytes)")
    }
}

extension Statement.ContentType {
    init(_ node: ASN1Node) throws(EnvelopeError) {
        guard let type = Self.allCases.first(where: { $0.oid.matches(node) }) else {
            throw EnvelopeError(
                .unsupported, "the content type is neither authEnvelopedData nor a governance record",
                at: node.offset)
        }
        self = type
    }

    var oid: OID {
        switch self {
        case .sealed: .authEnvelopedData
        case .governance: .governanceRecord
        }
    }

    var signerLimit: Int {
        switch self {
        case .sealed: 1
        case .governance: Limits.governanceSigners
        }
    }
}
