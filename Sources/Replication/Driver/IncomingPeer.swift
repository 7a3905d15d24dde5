import Ledger
import NIOCore
import Synchronization

/// The accepting end of a connection: finds out who is there, says hello back, then only listens.
///
/// Lives on one event loop.
final class IncomingPeer: ChannelInboundHandler {
    typealias InboundIn = Frame
    typealias OutboundOut = ByteBuffer

    /// What the handshake found out.
    private let member: MemberBox
    private let names: [String]
    private let own: Hello
    private let onGreeted: (ReplicaID, any Channel) -> Void
    private let onAwaited: (ReplicaID, Awaited) -> Void
    private let receive: PeerNetwork.Receive
    private let report: @Sendable (String) -> Void
    private var deadline: Scheduled<Void>?
    private(set) var greeted: ReplicaID?

    init(
        _ member: MemberBox, names: [String], own: Hello, report: @escaping @Sendable (String) -> Void,
        onGreeted: @escaping (ReplicaID, any Channel) -> Void,
        onAwaited: @escaping (ReplicaID, Awaited) -> Void, receive: @escaping PeerNetwork.Receive
    ) {
        self.member = member
        self.names = names
        self.own = own
        self.report = report
        self.onGreeted = onGreeted
        self.onAwaited = onAwaited
        self.receive = receive
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: .milliseconds(Limits.greetingMilliseconds)) {
            channel.close(promise: nil)
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        guard let peer = greeted else { return greet(frame, context) }
        if frame.kind == .awaited { return note(frame, of: peer, context) }
        let channel = context.channel
        let isRoomy = receive(frame, peer) {
            guard channel.isActive else { return }
            channel.eventLoop.execute {
                channel.setOption(.autoRead, value: true).whenSuccess { channel.read() }
            }
        }
        // The peer feels it: its own queue fills, and drops what is oldest.
        if !isRoomy { channel.setOption(.autoRead, value: false).whenFailure { _ in } }
    }

    private func greet(_ frame: Frame, _ context: ChannelHandlerContext) {
        let hello: Hello
        do throws(DecodingFailure) { hello = try Hello(frame) } catch {
            report("the greeting of a connection is not understood: \(error)")
            return context.close(promise: nil)
        }
        guard hello.ledgerID == own.ledgerID, let member = member.value, hello.node == member,
            member != own.node
        else {
            report("a connection says it is node \(hello.node) of \(hello.ledgerID), and is not")
            return context.close(promise: nil)
        }
        deadline?.cancel()
        greeted = member
        onGreeted(member, context.channel)
        context.writeAndFlush(
            wrapOutboundOut(own.frame.buffer), promise: nil)
    }

    private func note(_ hint: Frame, of peer: ReplicaID, _ context: ChannelHandlerContext) {
        do throws(DecodingFailure) { onAwaited(peer, try Awaited(hint)) } catch {
            report("a hint of \(names[Int(peer.value)]) is not understood: \(error)")
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let name = (greeted ?? member.value).map { names[Int($0.value)] } ?? "a stranger"
        report("a connection of \(name) ends: \(ConnectionTrouble.text(error))")
        context.close(promise: nil)
    }
}

/// Carries whom a handshake has found to the handler behind it.
final class MemberBox: Sendable {
    private let member = Mutex<ReplicaID?>(nil)

    var value: ReplicaID? { member.withLock { $0 } }
    func set(_ member: ReplicaID) { self.member.withLock { $0 = member } }
}
