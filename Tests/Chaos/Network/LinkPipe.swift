import NIOCore

/// One direction of one connection: takes what one end sends, and gives it to the other when the link lets it arrive.
///
/// Lives on the event loop that both ends share.
final class LinkPipe {
    private let link: Link
    private let source: any Channel
    private let target: any Channel
    private var waiting = CircularBuffer<(arrival: NIODeadline, bytes: ByteBuffer)>()
    private var waitingBytes = 0
    private var lastArrival = NIODeadline.uptimeNanoseconds(0)
    private var alarm: Scheduled<Void>?
    /// The source has closed; the target is told when all before it has arrived.
    private var hasEnded = false

    /// What the sockets of a sender hold before it has to wait.
    private static let limitBytes = 1 << 20

    init(_ link: Link, from source: any Channel, to target: any Channel) {
        self.link = link
        self.source = source
        self.target = target
    }

    func start() {
        let loop = source.eventLoop
        let bound = NIOLoopBound(self, eventLoop: loop)
        link.watch(ObjectIdentifier(self)) { loop.execute { bound.value.pump() } }
        target.closeFuture.whenComplete { [link, key = ObjectIdentifier(self)] _ in link.forget(key) }
        source.read()
    }

    func take(_ bytes: ByteBuffer) {
        lastArrival = link.arrival(now: .now(), after: lastArrival)
        waiting.append((lastArrival, bytes))
        waitingBytes += bytes.readableBytes
        pump()
    }

    /// The source's burst is over.
    func readMore() {
        if waitingBytes < Self.limitBytes { source.read() }
    }

    func end() {
        hasEnded = true
        pump()
    }

    /// Delivers what has arrived.
    func pump() {
        guard link.condition.cut != .silent else { return }
        let now = NIODeadline.now()
        let wasFull = waitingBytes >= Self.limitBytes
        var hasWritten = false
        while let first = waiting.first, first.arrival <= now, target.isWritable {
            waiting.removeFirst()
            waitingBytes -= first.bytes.readableBytes
            target.write(first.bytes, promise: nil)
            hasWritten = true
        }
        if hasWritten { target.flush() }
        if wasFull { readMore() }
        if let first = waiting.first {
            guard first.arrival > now, alarm == nil else { return }
            let bound = NIOLoopBound(self, eventLoop: source.eventLoop)
            alarm = source.eventLoop.scheduleTask(deadline: first.arrival) {
                bound.value.alarm = nil
                bound.value.pump()
            }
        } else if hasEnded {
            target.close(promise: nil)
        }
    }
}

/// One end of a forwarded connection.
final class LinkEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let outgoing: LinkPipe
    private let incoming: LinkPipe

    /// - Parameters:
    ///   - outgoing: takes what this end sends.
    ///   - incoming: gives this end what the other sends.
    init(outgoing: LinkPipe, incoming: LinkPipe) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { outgoing.take(unwrapInboundIn(data)) }
    func channelReadComplete(context: ChannelHandlerContext) { outgoing.readMore() }
    func channelInactive(context: ChannelHandlerContext) { outgoing.end() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { incoming.pump() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
