import HTTPTypes
import Ledger
import NIOCore
import NIOHTTPTypes

/// Ends a request whose body does not arrive in time, and refuses those that are too many.
///
/// It stands before the router, so it holds for every address, and for what is sent after the answer too: a body
/// without an end, say, to an address that reads none.
///
/// Safe to share: NIO calls a handler on its channel's event loop only.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler, @unchecked Sendable {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limit: Duration
    private let underWay: Gauge
    private var deadline: Scheduled<Void>?
    /// Requests of this channel that have no complete answer yet: more than one only where a client pipelines.
    private var unanswered = 0
    private var hasBegunAnswer = false
    private var isRefused = false

    init(limit: Duration, underWay: Gauge) {
        self.limit = limit
        self.underWay = underWay
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            guard underWay.enter() <= Limits.requestsAtOnce else {
                return refuse(.tooManyRequests, "busy", "too many requests are under way", context)
            }
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            deadline?.cancel()
            deadline = context.eventLoop.scheduleTask(in: TimeAmount(limit)) {
                let (handler, context) = bound.value
                handler.expire(context)
            }
        case .body: break
        case .end:
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isRefused else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head: hasBegunAnswer = true
        case .body: break
        case .end:
            hasBegunAnswer = false
            leave()
        }
        context.write(data, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        forgetAll()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { forgetAll() }

    private func leave() {
        guard unanswered > 0 else { return }
        unanswered -= 1
        underWay.leave()
    }

    private func forgetAll() {
        deadline?.cancel()
        deadline = nil
        while unanswered > 0 { leave() }
    }

    private func expire(_ context: ChannelHandlerContext) {
        deadline = nil
        // After an answer the connection is only kept to be used again, which this client does not want.
        guard unanswered > 0, !hasBegunAnswer else { return context.close(promise: nil) }
        refuse(.requestTimeout, "too-slow", "the body did not arrive within \(limit)", context)
    }

    private func refuse(
        _ status: HTTPResponse.Status, _ name: String, _ detail: String, _ context: ChannelHandlerContext
    ) {
        isRefused = true
        let problem = Problem(name, status, detail).with(.connection, "close").with(.retryAfter, "1")
        guard let (head, body) = try? problem.parts() else { return context.close(promise: nil) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in bound.value.close(promise: nil)
        }
    }
}
