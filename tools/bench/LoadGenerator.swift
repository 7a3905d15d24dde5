import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// Sends requests that were made before over kept HTTPS connections, one under way on each, as fast as the answers come.
///
/// One event loop, bytes in and bytes out: it should cost little, because it shares the cores with the server.
struct LoadGenerator: Sendable {
    struct Result: Sendable {
        let perSecond: Double
        /// One for each request.
        let latencyMicroseconds: [Double]
        /// The bodies of the answers in turn, where they were to be kept.
        var answers: [[UInt8]] = []
    }

    private let ports: [Int]
    private let tls: NIOSSLContext
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    init(port: Int) throws { try self.init(ports: [port]) }

    /// Connections are spread over the servers.
    init(ports: [Int]) throws {
        self.ports = ports
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        // The server is our own child on the loopback; what is measured does not depend on who vouches for it.
        configuration.certificateVerification = .none
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// Submits entries.
    ///
    /// - Throws: `BenchFailure` unless every request is answered with a status of success.
    func send(_ bodies: [[UInt8]], connections: Int) async throws -> Result {
        let requests = bodies.map { Self.post("/v1/entries", type: "application/cms", body: $0) }
        return try await exchange(requests, connections: connections)
    }

    /// - Throws: `BenchFailure` unless every request is answered with a status of success.
    func exchange(
        _ requests: [ByteBuffer], connections: Int, keepsAnswers: Bool = false
    ) async throws -> Result {
        let loop = Self.group.next()
        let run = LoadRun(
            requests: requests, connections: connections, keepsAnswers: keepsAnswers,
            done: loop.makePromise())
        let tls = tls
        for connection in 0..<connections {
            _ = try await ClientBootstrap(group: loop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers(
                            NIOSSLClientHandler(context: tls, serverHostname: nil), LoadConnection(run))
                    }
                }
                .connect(host: "127.0.0.1", port: ports[connection % ports.count]).get()
        }
        return try await run.done.futureResult.get()
    }

    /// A request, as bytes.
    ///
    /// - Parameter fields: more lines of the head, each with its end.
    static func post(_ path: String, type: String, fields: String = "", body: [UInt8]) -> ByteBuffer {
        let head =
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\n\(fields)"
            + "Content-Length: \(body.count)\r\n\r\n"
        var buffer = ByteBuffer(string: head)
        buffer.writeBytes(body)
        return buffer
    }
}

/// What the connections of one run share.
///
/// `@unchecked Sendable` by this rule: after `init` only handlers on its one event loop touch it.
private final class LoadRun: @unchecked Sendable {
    let requests: [ByteBuffer]
    let done: EventLoopPromise<LoadGenerator.Result>
    private var waiting: [(LoadConnection, ChannelHandlerContext)] = []
    private let connections: Int
    private let keepsAnswers: Bool
    private var next = 0
    private var answers: [[UInt8]] = []
    private var latencies: [Double] = []
    private var start = NIODeadline.now()

    init(
        requests: [ByteBuffer], connections: Int, keepsAnswers: Bool,
        done: EventLoopPromise<LoadGenerator.Result>
    ) {
        self.keepsAnswers = keepsAnswers
        self.requests = requests
        self.connections = connections
        self.done = done
        latencies.reserveCapacity(requests.count)
    }

    /// All begin when the last has shaken hands.
    func ready(_ connection: LoadConnection, _ context: ChannelHandlerContext) {
        waiting.append((connection, context))
        guard waiting.count == connections else { return }
        start = .now()
        for (connection, context) in waiting { connection.sendNext(context) }
        waiting = []
    }

    func nextRequest() -> ByteBuffer? {
        guard next < requests.count else { return nil }
        defer { next += 1 }
        return requests[next]
    }

    /// - Parameter body: of the answer.
    func answered(after time: TimeAmount, _ body: ByteBuffer) {
        if keepsAnswers { answers.append(Array(body.readableBytesView)) }
        latencies.append(Double(time.nanoseconds) / 1000)
        guard latencies.count == requests.count else { return }
        let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
        done.succeed(
            .init(
                perSecond: Double(requests.count) / seconds, latencyMicroseconds: latencies, answers: answers)
        )
    }

    func failed(_ reason: String) { done.fail(BenchFailure(reason)) }
}

/// One connection: writes a request, reads the answer to its end, takes the next.
private final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let run: LoadRun
    private var received = ByteBuffer()
    private var sent = NIODeadline.now()

    init(_ run: LoadRun) { self.run = run }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { run.ready(self, context) }
        context.fireUserInboundEventTriggered(event)
    }

    func sendNext(_ context: ChannelHandlerContext) {
        guard let request = run.nextRequest() else {
            context.close(promise: nil)
            return
        }
        sent = .now()
        context.writeAndFlush(wrapOutboundOut(request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard let (head, length) = answerSize(), received.readableBytes >= head + length else { return }
        let time = .now() - sent
        let status = received.getString(at: received.readerIndex + 9, length: 3) ?? ""
        guard status.hasPrefix("2") else {
            run.failed(
                "an answer is not a success: \(received.readString(length: head + length) ?? "")"
            )
            return
        }
        received.moveReaderIndex(forwardBy: head)
        run.answered(after: time, received)
        received.clear()
        sendNext(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        run.failed("a connection failed: \(error)")
        context.close(promise: nil)
    }

    /// Head and body of the answer, once the head is here.
    private func answerSize() -> (head: Int, length: Int)? {
        received.withUnsafeReadableBytes { bytes in
            let end = Array("\r\n\r\n".utf8)
            let name = Array("content-length:".utf8)
            var length = 0
            var line = 0
            var position = 0
            while position + 3 < bytes.count {
                if bytes[position] == 13, bytes[position..<position + 4].elementsEqual(end) {
                    return (position + 4, length)
                }
                if bytes[position] == 10 {
                    line = position + 1
                    let isLength = bytes[line...].prefix(name.count).lazy.map { $0 | 0x20 }.elementsEqual(
                        name.lazy.map { $0 | 0x20 })
                    if isLength {
                        length = bytes[(line + name.count)...].drop { $0 == 32 }
                            .prefix { (48...57).contains($0) }.reduce(0) { $0 * 10 + Int($1) - 48 }
                    }
                }
                position += 1
            }
            return nil
        }
    }
}
