import SwiftASN1

/// The content key, encrypted to one node's RSA key.
///
/// Shape: KeyTransRecipientInfo (RFC 5652 §6.2.1) with RSAES-OAEP, SHA-256, MGF1 with SHA-256, no label (RFC 4055 §4.1).
struct NodeRecipient: Hashable, Sendable {
    enum Name: Hashable, Sendable {
        /// DER of the issuer's name and of the serial number.
        case issuerAndSerialNumber(issuer: [UInt8], serialNumber: [UInt8])
        case keyIdentifier([UInt8])
    }

    let name: Name
    let encryptedKey: [UInt8]

    init(_ node: ASN1Node) throws(EnvelopeError) {
        var fields = try DERFields(node, .sequence, "a recipient")
        let version = try fields.nextBytes("the version of a recipient", .integer)
        if let identifier = fields.next(ifTagged: .context(0)) {
            guard case .primitive(let content) = identifier.content, version.elementsEqual([2]) else {
                throw EnvelopeError(.malformed, "a recipient is named in no known way", at: node.offset)
            }
            name = .keyIdentifier(Array(content))
        } else {
            var parts = try fields.nextFields("the issuer and serial number")
            guard version.elementsEqual([0]) else {
                throw EnvelopeError(.unsupported, "the version of a recipient is not 0", at: node.offset)
            }
            name = .issuerAndSerialNumber(
                issuer: Array(try parts.next("issuer").encodedBytes),
                serialNumber: Array(try parts.next("serial number").encodedBytes))
            try parts.finish()
        }
        try Self.requireOAEP(try fields.next("key encryption algorithm"))
        encryptedKey = Array(try fields.nextBytes("an encrypted key"))
        try fields.finish()
    }

    /// Encrypts to a certificate and names it by its key identifier, which a renewal keeps.
    init(encrypting contentKey: [UInt8], to certificate: KeyCertificate) throws(EnvelopeError) {
        guard case .rsa = certificate.kind else {
            throw EnvelopeError(.badCertificate, "payloads are sealed to RSA keys only")
        }
        name = .keyIdentifier(certificate.keyIdentifier)
        encryptedKey = try certificate.key.encrypt(contentKey)
    }

    func isFor(_ certificate: KeyCertificate) -> Bool {
        switch name {
        case .issuerAndSerialNumber(let issuer, let serialNumber):
            serialNumber == certificate.serialNumber && issuer == certificate.issuer
        case .keyIdentifier(let identifier):
            identifier == certificate.keyIdentifier
        }
    }

    var encoded: [UInt8] {
        let (version, identifier): (UInt8, [UInt8]) =
            switch name {
            case .issuerAndSerialNumber(let issuer, let serialNumber):
                (0, DERBytes.sequence(issuer, serialNumber))
            case .keyIdentifier(let identifier):
                (2, DERBytes.contextOctets(0, identifier))
            }
        let mask = DERBytes.algorithm(.mgf1, DERBytes.algorithm(.sha256))
        let parameters = DERBytes.sequence(
            DERBytes.context(0, DERBytes.algorithm(.sha256)), DERBytes.context(1, mask))
        return DERBytes.sequence(
            DERBytes.integer(version), identifier, DERBytes.algorithm(.rsaOAEP, parameters),
            DERBytes.octets(encryptedKey))
    }

    /// Absent fields mean SHA-1 here, so both must stand there; a label must not.
    private static func requireOAEP(_ node: ASN1Node) throws(EnvelopeError) {
        let algorithm = try AlgorithmIdentifier(node, "the key encryption algorithm")
        guard OID.rsaOAEP.matches(algorithm.algorithm), let parameters = algorithm.parameters else {
            throw EnvelopeError(
                .unsupported, "a key is not encrypted with RSA-OAEP (rsa_padding_mode:oaep)", at: node.offset)
        }
        var fields = try DERFields(parameters, .sequence, "the parameters of RSA-OAEP")
        var hash = try fields.nextFields("the hash of RSA-OAEP", .context(0))
        try AlgorithmIdentifier.requireSHA256(try hash.next("algorithm"), "the hash of RSA-OAEP")
        try hash.finish()
        var mask = try fields.nextFields("the mask of RSA-OAEP", .context(1))
        let generator = try AlgorithmIdentifier(try mask.next("algorithm"), "the mask of RSA-OAEP")
        try mask.finish()
        guard OID.mgf1.matches(generator.algorithm), let hashOfMask = generator.parameters else {
            throw EnvelopeError(.unsupported, "the mask of RSA-OAEP is not MGF1", at: node.offset)
        }
        try AlgorithmIdentifier.requireSHA256(hashOfMask, "the hash of MGF1")
        try fields.finish()
    }
}

/// The content key, wrapped under the key of a session.
///
/// Shape: KEKRecipientInfo (RFC 5652 §6.2.3) with id-aes256-wrap, a key id of 16 bytes, no date, nothing else.
struct SessionRecipient: Hashable, Sendable {
    static let tag = ASN1Identifier.context(2)

    let keyID: SessionKeyID
    let wrappedKey: [UInt8]

    init(keyID: SessionKeyID, wrappedKey: [UInt8]) {
        self.keyID = keyID
        self.wrappedKey = wrappedKey
    }

    init(_ node: ASN1Node) throws(EnvelopeError) {
        var fields = try DERFields(node, Self.tag, "the session's recipient")
        try fields.nextVersion(4, "the version of the session's recipient")
        var identifier = try fields.nextFields("the identifier of the session key")
        let bytes = try identifier.nextBytes("the identifier of the session key")
        try identifier.finish()
        guard let keyID = SessionKeyID(bytes) else {
            throw EnvelopeError(
                .unsupported, "the identifier of a session key is not 16 bytes long", at: bytes.startIndex)
        }
        self.keyID = keyID
        let algorithm = try AlgorithmIdentifier(try fields.next("algorithm"), "the key wrap algorithm")
        guard OID.aes256Wrap.matches(algorithm.algorithm), algorithm.parameters == nil else {
            throw EnvelopeError(.unsupported, "the session key is not of AES-256", at: node.offset)
        }
        wrappedKey = Array(try fields.nextBytes("the wrapped key"))
        guard wrappedKey.count == AESKeyWrap.wrappedBytes else {
            throw EnvelopeError(.malformed, "the wrapped key is not 40 bytes long", at: node.offset)
        }
        try fields.finish()
    }

    var encoded: [UInt8] {
        DERBytes.context(
            2, DERBytes.integer(4), DERBytes.sequence(DERBytes.octets(keyID.bytes)),
            DERBytes.algorithm(.aes256Wrap), DERBytes.octets(wrappedKey))
    }
}
