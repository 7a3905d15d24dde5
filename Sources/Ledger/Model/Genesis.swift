/// The document that a ledger begins with: who it is, its first configuration, its first identities.
///
/// Shape: XML, `genesis.xsd`. The SHA-256 of its exact bytes is the ledger id.
public struct Genesis: Hashable, Sendable {
    /// The name of the ledger, as checkpoints show it: a schema-less URL such as `example.com/kpi`.
    public let origin: String
    public let created: Timestamp
    /// The ledger key: Ed25519, 32 bytes, note type 01. Held by every node, worthless alone.
    public let ledgerKey: [UInt8]
    /// Signs access tokens: P-256, SubjectPublicKeyInfo, DER.
    public let tokenKey: [UInt8]
    public let members: [Member]
    public let identities: [Enrolment]

    public init(
        origin: String, created: Timestamp, ledgerKey: [UInt8], tokenKey: [UInt8], members: [Member],
        identities: [Enrolment]
    ) {
        self.origin = origin
        self.created = created
        self.ledgerKey = ledgerKey
        self.tokenKey = tokenKey
        self.members = members
        self.identities = identities
    }
}

/// A node as the configuration knows it.
public struct Member: Hashable, Sendable {
    /// Unique in the configuration; `<origin>/<name>` signs its votes.
    public let name: String
    /// Where it serves HTTPS, `https://127.0.0.1:7401`.
    public let url: String
    /// Where its peers reach it, `127.0.0.1:7501`.
    public let peerAddress: String
    /// Ed25519, 32 bytes, note type 04.
    public let voteKey: [UInt8]
    /// RSA-3072, X.509 DER: documents are sealed to it.
    public let sealingCertificate: [UInt8]
    /// SHA-256 of the SubjectPublicKeyInfo of its TLS key: what peers pin.
    public let tlsKeyDigest: [UInt8]

    public init(
        name: String, url: String, peerAddress: String, voteKey: [UInt8], sealingCertificate: [UInt8],
        tlsKeyDigest: [UInt8]
    ) {
        self.name = name
        self.url = url
        self.peerAddress = peerAddress
        self.voteKey = voteKey
        self.sealingCertificate = sealingCertificate
        self.tlsKeyDigest = tlsKeyDigest
    }
}

/// The sizes that make a committee safe.
///
/// - Source: docs/protocol.md, Terms. Two quorums share at least `faultsTolerated + 1` nodes.
public struct Committee: Hashable, Sendable {
    public let size: Int

    /// - Precondition: at least one member.
    public init(size: Int) {
        precondition(size >= 1, "a committee has at least one member")
        self.size = size
    }

    /// `f`: how many members may lie or be gone.
    public var faultsTolerated: Int { (size - 1) / 3 }
    /// `q`: how many votes settle a block.
    public var quorum: Int { size - faultsTolerated }
}
