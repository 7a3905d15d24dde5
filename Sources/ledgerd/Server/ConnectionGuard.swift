import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Ends connections that would otherwise stay for ever: those that never finish their handshake, fall silent behind
/// an open stream, or do not heed the request to end.
///
/// It stands behind TLS and before HTTP. Without it, 1024 sockets that say nothing at all would keep everybody else
/// out, and one of them would keep a node from stopping.
///
/// Safe to share: NIO calls a handler on its channel's event loop only.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = IOData

    private let deadlines: Deadlines
    private var handshake: Scheduled<Void>?
    private var silence: Scheduled<Void>?
    private var age: Scheduled<Void>?
    private var end: Scheduled<Void>?
    private var lastMoved: NIODeadline = .now()
    /// When the connection is told to end.
    private var endsAt: NIODeadline?

    init(_ deadlines: Deadlines) { self.deadlines = deadlines }

    func handlerAdded(context: ChannelHandlerContext) {
        handshake = schedule(deadlines.handshake, context) { _, context in context.close(promise: nil) }
        endsAt = .now() + TimeAmount(deadlines.age)
        age = schedule(deadlines.age, context) { handler, context in
            // HTTP/1.1 then closes after the answer, HTTP/2 says GOAWAY: nothing that is under way is lost.
            context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            handler.closeLater(handler.deadlines.silence, context)
        }
        watchSilence(context, deadlines.silence)
    }

    /// When the connection under a channel, itself or a stream of it, is told to end. What has no end of its own ends
    /// by then.
    static func end(of channel: any Channel) async -> NIODeadline? {
        try? await channel.eventLoop.submit {
            for candidate in [channel, channel.parent].compactMap({ $0 })
            where candidate.eventLoop.inEventLoop {
                let pipeline = candidate.pipeline.syncOperations
                if let connection = try? pipeline.handler(type: ConnectionGuard.self) {
                    return connection.endsAt
                }
            }
            return nil
        }.get()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancelAll() }

    func channelInactive(context: ChannelHandlerContext) {
        cancelAll()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastMoved = .now()
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        lastMoved = .now()
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            handshake?.cancel()
            handshake = nil
        } else if event is ChannelShouldQuiesceEvent {
            closeLater(deadlines.stop, context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func watchSilence(_ context: ChannelHandlerContext, _ wait: Duration) {
        silence = schedule(wait, context) { handler, context in
            let silent = Duration.nanoseconds((NIODeadline.now() - handler.lastMoved).nanoseconds)
            guard silent < handler.deadlines.silence else { return context.close(promise: nil) }
            handler.watchSilence(context, handler.deadlines.silence - silent)
        }
    }

    private func closeLater(_ wait: Duration, _ context: ChannelHandlerContext) {
        end?.cancel()
        end = schedule(wait, context) { _, context in context.close(promise: nil) }
    }

    private func schedule(
        _ wait: Duration, _ context: ChannelHandlerContext,
        _ body: @escaping @Sendable (ConnectionGuard, ChannelHandlerContext) -> Void
    ) -> Scheduled<Void> {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        return context.eventLoop.scheduleTask(in: TimeAmount(wait)) {
            let (handler, context) = bound.value
            body(handler, context)
        }
    }

    private func cancelAll() {
        for task in [handshake, silence, age, end] { task?.cancel() }
        (handshake, silence, age, end) = (nil, nil, nil, nil)
    }
}

/// HTTPS as Hummingbird sets it up, with a guard on every connection.
struct GuardedChannel: ServerChildChannel {
    let base: HTTP2UpgradeChannel
    let deadlines: Deadlines

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP2UpgradeChannel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let tls = try pipeline.handler(type: NIOSSLServerHandler.self)
            try pipeline.addHandler(ConnectionGuard(deadlines), position: .after(tls))
            return value
        }
    }

    func handle(value: HTTP2UpgradeChannel.Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}
