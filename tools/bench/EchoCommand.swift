import ArgumentParser
import Hummingbird
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL

/// The floor of everything over HTTPS: a server with a node's TLS and HTTP that answers with what it was sent.
struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "Serve the echo that `documents` compares with.", shouldDisplay: false)

    @Argument(help: "A node's directory, for tls.crt and tls.key.")
    var directory: String

    func run() async throws {
        let chain = try NIOSSLCertificate.fromPEMFile(directory + "/tls.crt")
        let key = try NIOSSLPrivateKey(file: directory + "/tls.key", format: .pem)
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv13

        var logger = Logger(label: "echo")
        logger.logLevel = .notice
        let router = Router()
        router.post("/v1/entries") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            return Response(status: .ok, body: .init(byteBuffer: body))
        }
        let application = Application(
            router: router,
            server: try .http2Upgrade(
                tlsChannelConfiguration: HummingbirdHTTP2.TLSChannelConfiguration(tlsConfiguration: tls)),
            configuration: .init(address: .hostname("127.0.0.1", port: 0), serverName: nil),
            onServerRunning: { channel in
                say("echo serves https://127.0.0.1:\(channel.localAddress?.port ?? 0)")
            },
            logger: logger)
        try await application.runService()
    }
}
