import NIOCore
import NIOPosix
import Synchronization

/// Takes the connections that one node dials to another, and passes their bytes on as the two links between them
/// allow: a TCP forwarder in user space, since the kernels that tests run on may lack `tc netem`.
final class LinkForwarder: Sendable {
    private struct State: Sendable {
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isStopped = false
    }

    private let there: Link
    private let back: Link
    private let target: Int
    private let group = MultiThreadedEventLoopGroup.singleton
    private let state = Mutex(State())

    /// - Parameters:
    ///   - there: from the one who dials to the one who is dialled.
    ///   - back: the other direction.
    ///   - target: the port of the one who is dialled, on the loopback.
    init(there: Link, back: Link, target: Int) {
        self.there = there
        self.back = back
        self.target = target
    }

    /// - Returns: The port, on the loopback.
    func listen() async throws -> Int {
        let channel = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in accept(channel) }
            .bind(host: "127.0.0.1", port: 0).get()
        state.withLock { $0.listener = channel }
        there.watch(ObjectIdentifier(self)) { [weak self] in self?.closeIfCut() }
        guard let port = channel.localAddress?.port else { throw ChannelError.unknownLocalAddress }
        return port
    }

    func stop() async {
        there.forget(ObjectIdentifier(self))
        let (listener, connections) = state.withLock { state in
            state.isStopped = true
            return (state.listener, Array(state.connections.values))
        }
        try? await listener?.close()
        for connection in connections { try? await connection.close() }
    }

    private func closeIfCut() {
        guard there.condition.cut == .closed else { return }
        for connection in state.withLock({ Array($0.connections.values) }) { connection.close(promise: nil) }
    }

    private func accept(_ near: any Channel) -> EventLoopFuture<Void> {
        let isWelcome = state.withLock { state in
            guard !state.isStopped, there.condition.cut != .closed else { return false }
            state.connections[ObjectIdentifier(near)] = near
            return true
        }
        guard isWelcome else { return near.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        near.closeFuture.whenComplete { [self] _ in
            state.withLock { $0.connections[ObjectIdentifier(near)] = nil }
        }
        return near.eventLoop.makeCompletedFuture {
            try near.pipeline.syncOperations.addHandler(ActiveHandler { [self] in connect(near) })
        }
    }

    private func connect(_ near: any Channel) {
        ClientBootstrap(group: near.eventLoop)
            // Busy machines take their time, even on the loopback.
            .connectTimeout(.seconds(60))
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: target)
            .whenComplete { [there, back] result in
                guard case .success(let far) = result, near.isActive else {
                    if case .success(let far) = result { far.close(promise: nil) }
                    return near.close(promise: nil)
                }
                let (outward, homeward) = (
                    LinkPipe(there, from: near, to: far), LinkPipe(back, from: far, to: near)
                )
                do {
                    try near.pipeline.syncOperations.addHandler(
                        LinkEnd(outgoing: outward, incoming: homeward))
                    try far.pipeline.syncOperations.addHandler(
                        LinkEnd(outgoing: homeward, incoming: outward))
                } catch {
                    near.close(promise: nil)
                    return far.close(promise: nil)
                }
                outward.start()
                homeward.start()
            }
    }
}

/// Says when an accepted connection is open: its initializer runs some hops before that, and on a busy machine a
/// connection onward can be faster.
private final class ActiveHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onActive: () -> Void

    init(_ onActive: @escaping () -> Void) { self.onActive = onActive }

    func channelActive(context: ChannelHandlerContext) {
        onActive()
        context.fireChannelActive()
    }
}
