import NIOCore
import NIOSSL
import Synchronization

/// The certificates that clients have shown, by their connection or stream.
///
/// Noted when a connection is set up, because asking it later costs two round trips to its event loop, for every
/// request, most of which come without a certificate.
final class ShownCertificates: Sendable {
    private let certificates = Mutex<[ObjectIdentifier: NIOSSLCertificate]>([:])

    /// The handshake has proved that the client holds the key.
    func certificate(of channel: any Channel) -> NIOSSLCertificate? {
        certificates.withLock { $0[ObjectIdentifier(channel)] }
    }

    /// To be added to each connection of HTTP/1.1 and each stream of HTTP/2, after the handshake.
    func recorder() -> any RemovableChannelHandler { Recorder(shown: self) }

    fileprivate func set(_ certificate: NIOSSLCertificate?, of channel: any Channel) {
        certificates.withLock { $0[ObjectIdentifier(channel)] = certificate }
    }

    /// Lives as long as its channel, so no later channel is taken for it.
    private final class Recorder: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = Never

        private let shown: ShownCertificates
        private var hasCertificate = false

        init(shown: ShownCertificates) { self.shown = shown }

        func handlerAdded(context: ChannelHandlerContext) {
            guard let certificate = Self.certificate(context.channel) else { return }
            hasCertificate = true
            shown.set(certificate, of: context.channel)
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            if hasCertificate { shown.set(nil, of: context.channel) }
        }

        /// A stream of HTTP/2 is a child of the connection that made the handshake, on its event loop; a connection of
        /// HTTP/1.1 is a child of the listener, which made none.
        private static func certificate(_ channel: any Channel) -> NIOSSLCertificate? {
            for candidate in [channel, channel.parent].compactMap({ $0 })
            where candidate.eventLoop.inEventLoop {
                if let certificate = try? candidate.pipeline.syncOperations.nioSSL_peerCertificate() {
                    return certificate
                }
            }
            return nil
        }
    }
}
