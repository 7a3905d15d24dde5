import NIOCore
import NIOPosix
import NIOSSL

/// A connection that sends whatever bytes a test likes.
struct RawConnection: Sendable {
    private let channel: any Channel
    private let received: Received

    /// Safe to share: its fields are touched on the channel's event loop only.
    private final class Received: ChannelInboundHandler, @unchecked Sendable {
        typealias InboundIn = ByteBuffer
        var bytes = ByteBuffer()

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var part = unwrapInboundIn(data)
            bytes.writeBuffer(&part)
        }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// - Parameters:
    ///   - tls: whom to trust; none for a bare socket.
    ///   - receiveBytes: how much the system takes for a client that does not read.
    static func open(
        port: Int, tls: NIOSSLCertificate?, protocols: [String] = ["http/1.1"], receiveBytes: Int? = nil
    ) async throws -> RawConnection {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let received = Received()
        var bootstrap = ClientBootstrap(group: loop)
        if let receiveBytes {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBytes)
        }
        let channel =
            try await bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        var configuration = TLSConfiguration.makeClientConfiguration()
                        configuration.trustRoots = .certificates([tls])
                        configuration.applicationProtocols = protocols
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(
                                context: NIOSSLContext(configuration: configuration), serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(received)
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawConnection(channel: channel, received: received)
    }

    func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Waits until the other side has ended, and returns all it said.
    func end() async throws -> String {
        try await channel.closeFuture.get()
        let received = received
        return try await channel.eventLoop.submit { String(buffer: received.bytes) }.get()
    }

    /// Whether bytes that arrive are taken.
    func setReading(_ isReading: Bool) async throws {
        try await channel.setOption(.autoRead, value: isReading).get()
    }

    /// What was received by now.
    var text: String {
        get async throws {
            let received = received
            return try await channel.eventLoop.submit { String(buffer: received.bytes) }.get()
        }
    }

    func close() async throws { try? await channel.close().get() }
}
