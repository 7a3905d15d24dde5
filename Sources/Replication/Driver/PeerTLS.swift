import Ledger
import NIOCore
import NIOSSL

/// Who a node is on the wire, and whom it expects there: TLS 1.3, both ends pinned by the digest of their public keys.
/// No authority vouches for anybody; the configuration does.
struct PeerTLS: Sendable {
    private let context: NIOSSLContext
    private let serverContext: NIOSSLContext
    private let keyDigests: [[UInt8]]

    /// - Parameters:
    ///   - certificatePEM, keyPEM: this node's `tls.crt` and `tls.key`.
    ///   - keyDigests: `Member.tlsKeyDigest` of each member, in their order.
    init(certificatePEM: [UInt8], keyPEM: [UInt8], keyDigests: [[UInt8]]) throws {
        self.keyDigests = keyDigests
        let chain = try NIOSSLCertificate.fromPEMBytes(certificatePEM).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = NIOSSLPrivateKeySource.privateKey(try NIOSSLPrivateKey(bytes: keyPEM, format: .pem))
        var client = TLSConfiguration.makeClientConfiguration()
        client.certificateChain = chain
        client.privateKey = key
        var server = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        client.minimumTLSVersion = .tlsv13
        server.minimumTLSVersion = .tlsv13
        // Both ends must show a certificate; what it says is asked of the callbacks below.
        client.certificateVerification = .noHostnameVerification
        client.trustRoots = .certificates([])
        server.certificateVerification = .noHostnameVerification
        server.trustRoots = .certificates([])
        context = try NIOSSLContext(configuration: client)
        serverContext = try NIOSSLContext(configuration: server)
    }

    /// The dialling end: exactly this member answers, or the handshake fails.
    func client(expecting member: ReplicaID) throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(
            context: context, serverHostname: nil,
            customVerificationCallback: { [self] certificates, promise in
                promise.succeed(self.member(certificates) == member ? .certificateVerified : .failed)
            })
    }

    /// The accepting end: a member, whichever, or the handshake fails.
    ///
    /// - Parameter onMember: told who it is, on the connection's event loop.
    func server(onMember: @escaping @Sendable (ReplicaID) -> Void) -> NIOSSLServerHandler {
        NIOSSLServerHandler(
            context: serverContext,
            customVerificationCallback: { [self] certificates, promise in
                guard let member = self.member(certificates) else { return promise.succeed(.failed) }
                onMember(member)
                promise.succeed(.certificateVerified)
            })
    }

    /// Whose key the certificate is of.
    private func member(_ certificates: [NIOSSLCertificate]) -> ReplicaID? {
        guard let certificate = certificates.first,
            let info = try? certificate.extractPublicKey().toSPKIBytes()
        else { return nil }
        let digest = Digest.sha256(info).bytes
        return keyDigests.firstIndex(of: digest).map { ReplicaID(UInt16($0)) }
    }
}
