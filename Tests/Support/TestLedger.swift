public import Ledger

/// A ledger of a test's own: its genesis, every private key, and whoever writes to it.
///
/// It costs next to nothing once `Identities.shared()` is made; two with the same arguments are the same ledger.
public struct TestLedger: Sendable {
    public let identities: Identities
    /// One for each member, in their order.
    public let nodeKeys: [NodeKeys]
    public let genesis: Genesis
    /// The document whose SHA-256 is the ledger id.
    public let genesisXML: [UInt8]
    public let ledgerID: Digest
    /// One for each member, in their order.
    public let voteKeys: [SigningKey]
    public let ledgerKey: SigningKey
    public let electorate: Electorate
    /// An hour after the certificates begin to be valid.
    public let start: Timestamp

    public var origin: String { genesis.origin }
    public var voteKey: SigningKey { voteKeys[0] }
    /// The genesis block's header.
    public var genesisHeader: BlockHeader { ChainTip(genesis: genesis, id: ledgerID).header }

    /// - Parameters:
    ///   - seed: another seed makes other vote and ledger keys.
    ///   - members: each has a sealing and a TLS key of its own, which take a while to make the first time.
    public init(origin: String = "example.com/kpi", members: Int = 1, seed: UInt8 = 1) throws {
        let identities = try Identities.shared()
        self.identities = identities
        let enrolled: [(Identity, Role)] = [
            (identities.ci, .submitter), (identities.ci2, .submitter), (identities.operator, .operator),
            (identities.dpo, .dpo), (identities.auditor, .auditor), (identities.analyst, .analyst),
        ]
        let nodeKeys =
            [NodeKeys(sealing: identities.node, tls: identities.tls)]
            + (try Identities.furtherNodes(members - 1))
        self.nodeKeys = nodeKeys
        // The last of them all was made last.
        let newest = max(
            identities.token.certificate.notBefore, nodeKeys[nodeKeys.count - 1].tls.certificate.notBefore)
        start = newest.advanced(byMilliseconds: 3_600_000)
        voteKeys = try (0..<members).map { try Self.key([seed, UInt8($0)]) }
        ledgerKey = try Self.key([seed, 0xFF])
        genesis = Genesis(
            origin: origin, created: newest, ledgerKey: ledgerKey.verificationKey.bytes,
            tokenKey: identities.token.certificate.publicKeyInfo,
            members: voteKeys.enumerated().map { position, key in
                Member(
                    name: "node\(position + 1)", url: "https://127.0.0.1:\(7401 + position)",
                    peerAddress: "127.0.0.1:\(7501 + position)", voteKey: key.verificationKey.bytes,
                    sealingCertificate: nodeKeys[position].sealing.certificate.der,
                    tlsKeyDigest: Digest.sha256(nodeKeys[position].tls.certificate.publicKeyInfo).bytes)
            },
            identities: enrolled.map { identity, role in
                Enrolment(identity: identity.name, roles: [role], certificate: identity.certificate.der)
            })
        genesisXML = Array(genesis.xml.utf8)
        ledgerID = Digest.sha256(genesisXML)
        electorate = try Electorate(origin: origin, members: genesis.members)
    }

    private static func key(_ seed: [UInt8]) throws -> SigningKey {
        guard let key = SigningKey(seed: Digest.sha256(seed).bytes) else { throw CannotHappen() }
        return key
    }

    struct CannotHappen: Error {}

    /// Opens submissions as node 1 does.
    public var checker: EntryChecker { get throws { try checker(of: 0) } }

    /// Opens submissions as the node at a position does.
    public func checker(of position: Int) throws -> EntryChecker {
        let sealing = nodeKeys[position].sealing
        return EntryChecker(
            .init(key: try DecryptionKey(pem: sealing.keyPEM), certificate: sealing.certificate))
    }

    /// The rules before the first entry.
    public var initialState: LedgerState {
        get throws { try LedgerState(genesis: genesis, ledgerID: ledgerID) }
    }

    /// The trust policy: the ledger key as log, the nodes as witnesses.
    public var policy: Policy {
        get throws {
            try Policy(
                electorate: electorate, members: genesis.members, ledgerKey: ledgerKey.verificationKey)
        }
    }

    /// The ledger key as the signer of checkpoints.
    public var noteKey: NoteSigningKey {
        NoteSigningKey(name: electorate.origin, kind: .note, key: ledgerKey)
    }
}
