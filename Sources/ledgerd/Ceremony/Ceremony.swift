import Crypto
import CryptoExtras
import Ledger
import X509

/// Every key and certificate of a new ledger: made, but not written anywhere.
struct Ceremony: Sendable {
    /// What one node holds, beside the ledger key that all of them share.
    struct Node: Sendable {
        let plan: LedgerPlan.Node
        /// Signs its votes.
        let vote: Curve25519.Signing.PrivateKey
        /// Documents are sealed to it; it decrypts only.
        let sealing: CertifiedKey
        /// Serves HTTPS and speaks to peers.
        let tls: CertifiedKey
        /// SHA-256 of the SubjectPublicKeyInfo of `tls`.
        let tlsKeyDigest: Ledger.Digest
    }

    struct Client: Sendable {
        let plan: LedgerPlan.Client
        let identity: CertifiedKey
    }

    let plan: LedgerPlan
    /// Signs the TLS certificates of the nodes, and nothing else.
    let authority: CertifiedKey
    let ledgerKey: Curve25519.Signing.PrivateKey
    /// Signs access tokens.
    let tokenKey: P256.Signing.PrivateKey
    let nodes: [Node]
    let clients: [Client]

    /// Draws all keys, RSA on every core since each takes up to a second, and certifies them.
    static func perform(_ plan: LedgerPlan) async throws -> Ceremony {
        let recipe = CertificateRecipe(plan)
        let rsaKeys = try await drawRSAKeys(plan.nodes.count + LedgerPlan.clients.count)

        let authorityKey = P256.Signing.PrivateKey()
        let authority = try recipe.authority(authorityKey)
        let nodes = try zip(plan.nodes, rsaKeys).map { node, sealingKey in
            let tlsKey = P256.Signing.PrivateKey()
            return Node(
                plan: node,
                vote: Curve25519.Signing.PrivateKey(),
                sealing: try recipe.sealing(sealingKey, node: node.name),
                tls: try recipe.server(tlsKey, node: node.name, issuer: authority, issuerKey: authorityKey),
                tlsKeyDigest: Ledger.Digest.sha256(Array(tlsKey.publicKey.derRepresentation)))
        }
        let clients = try zip(LedgerPlan.clients, rsaKeys.dropFirst(plan.nodes.count)).map { client, key in
            Client(plan: client, identity: try recipe.identity(key, name: client.name))
        }
        return Ceremony(
            plan: plan, authority: authority, ledgerKey: Curve25519.Signing.PrivateKey(),
            tokenKey: P256.Signing.PrivateKey(), nodes: nodes, clients: clients)
    }

    private static func drawRSAKeys(_ count: Int) async throws -> [_RSA.Signing.PrivateKey] {
        try await withThrowingTaskGroup(of: _RSA.Signing.PrivateKey.self) { group in
            for _ in 0..<count { group.addTask { try _RSA.Signing.PrivateKey(keySize: .bits3072) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// The document that the ledger begins with.
    var genesis: Genesis {
        Genesis(
            origin: plan.origin,
            created: plan.created,
            ledgerKey: Array(ledgerKey.publicKey.rawRepresentation),
            tokenKey: Array(tokenKey.publicKey.derRepresentation),
            members: nodes.map { node in
                Member(
                    name: node.plan.name, url: node.plan.url, peerAddress: node.plan.peerAddress,
                    voteKey: Array(node.vote.publicKey.rawRepresentation),
                    sealingCertificate: node.sealing.certificateDER,
                    tlsKeyDigest: node.tlsKeyDigest.bytes)
            },
            identities: clients.map { client in
                Enrolment(
                    identity: client.plan.name, roles: client.plan.roles,
                    certificate: client.identity.certificateDER)
            })
    }
}
