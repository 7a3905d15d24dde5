import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Ledger
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Replication
import ServiceLifecycle
import UnixSignals

/// Serves a node over HTTPS until it is told to stop, then ends in order: no new requests, what waits is answered, the
/// last block is on the disk.
struct NodeServer: Sendable {
    private let node: Node
    private let deadlines: Deadlines
    private let stopSignals: [UnixSignal]
    /// Told the port once connections are taken.
    private let onServing: @Sendable (Int) -> Void

    /// - Parameter stopSignals: what ends it; cancellation does where there is none.
    init(
        _ node: Node, deadlines: Deadlines = Deadlines(), stopSignals: [UnixSignal] = [.sigterm, .sigint],
        onServing: (@Sendable (Int) -> Void)? = nil
    ) {
        self.node = node
        self.deadlines = deadlines
        self.stopSignals = stopSignals
        let listener = node.directory.configuration.https
        let name = node.directory.configuration.node
        self.onServing =
            onServing ?? { port in
                // Someone waits for this line: standard output into a pipe is buffered otherwise.
                FileHandle.standardOutput.write(
                    Data("\(name) serves https://\(listener.host):\(port)\n".utf8))
            }
    }

    /// - Throws: `CommandFailure` where the address or the certificate cannot be used.
    func run() async throws {
        let listener = node.directory.configuration.https
        let tls = try Self.tls(node.directory)
        let application = Application(
            router: Routes.router(node, deadlines),
            server: server(tls),
            configuration: .init(
                address: .hostname(listener.host, port: Int(listener.port)), serverName: nil,
                availableConnectionsDelegate: .maximum(Limits.connections, logger: node.logger)),
            onServerRunning: { [onServing] channel in
                onServing(channel.localAddress?.port ?? Int(listener.port))
            },
            logger: node.logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: NodeService(node: node)), .init(service: application)],
                gracefulShutdownSignals: stopSignals, logger: node.logger))
        func cannotServe(_ reason: String) -> CommandFailure {
            CommandFailure(
                .unreachable, "\(listener.host):\(listener.port) cannot be served: \(reason)",
                remedy: "End what uses the port, or change “https” in \(node.directory.path)/config.json.")
        }
        do { try await group.run() } catch let error as IOError {
            throw cannotServe(String(cString: strerror(error.errnoCode)))
        } catch is SocketAddressError.UnknownHost { throw cannotServe("there is no such host") }
    }

    private func server(
        _ tls: HummingbirdHTTP2.TLSChannelConfiguration
    ) -> HTTPServerBuilder {
        let deadlines = deadlines
        let underWay = node.metrics.requestsUnderWay
        let shownCertificates = node.shownCertificates
        return HTTPServerBuilder { responder in
            let streams = HTTP1Channel.Configuration(
                additionalChannelHandlers: [
                    RequestDeadline(limit: deadlines.body, underWay: underWay), shownCertificates.recorder(),
                ],
                idleTimeout: TimeAmount(deadlines.idle))
            let base = try HTTP2UpgradeChannel(
                tlsChannelConfiguration: tls,
                configuration: .init(idleTimeout: deadlines.idle, streamConfiguration: streams),
                responder: responder)
            return GuardedChannel(base: base, deadlines: deadlines)
        }
    }

    /// TLS 1.3 only. A client may show a certificate; whose it is, `AccessMiddleware` asks. No authority vouches for
    /// client certificates: the enrolment in the log does, so the handshake itself accepts any.
    private static func tls(_ directory: NodeDirectory) throws -> HummingbirdHTTP2.TLSChannelConfiguration {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(directory.tlsCertificatePath)
            let key = try NIOSSLPrivateKey(file: directory.tlsKeyPath, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv13
            configuration.certificateVerification = .optionalVerification
            // A key that is not the certificate's is found out here, not by the first client.
            _ = try NIOSSLContext(configuration: configuration)
            return HummingbirdHTTP2.TLSChannelConfiguration(
                tlsConfiguration: configuration,
                customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) })
        } catch {
            throw CommandFailure(
                .unreachable, "tls.key and tls.crt in \(directory.path) cannot be used together: \(error)",
                remedy: "Put back tls.key and tls.crt, which `ledgerd init` made.")
        }
    }
}

/// The part of a node that outlives its last request.
private struct NodeService: Service {
    let node: Node

    func run() async throws {
        // What was final before the start; a query store that is made anew follows beside the first requests.
        node.follower.follow(to: node.driver.published.size)
        // Services end in the reverse order of their start: the server has answered its last request by now.
        try? await gracefulShutdown()
        await node.driver.stop()
        await node.follower.stop()
    }
}
