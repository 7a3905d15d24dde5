import Ledger
import NIOCore
import NIOPosix
import Synchronization

/// The connection on which this node speaks to one other: dialled again and again until it is told to stop. While the
/// peer is away nothing is kept for it; what matters is said again.
final class OutgoingPeer: Sendable {
    struct State: Sendable {
        var isConnected = false
        var dropCount: UInt64 = 0
        var waitingCount = 0
    }

    private struct Line: Sendable {
        var channel: (any Channel)?
        /// The peer has said hello.
        var isOpen = false
        var frames: [ByteBuffer] = []
        var byteCount = 0
        var isScheduled = false
        var lazy = LazyFrame()
        /// What is lazy leaves in a moment at the latest.
        var isLazyScheduled = false
        var isStopped = false
        var attempts = 0
        /// What went wrong first in this attempt.
        var cause: String?
        /// When it is dialled again. Taken away by whoever dials.
        var pause: Scheduled<Void>?
        /// Which attempt this is. There is one at a time: what becomes of an earlier one concerns nobody, or each
        /// connection would be cut by the end of the one before it, for ever.
        var number: UInt64 = 0
        var dropCount: UInt64 = 0
        /// The operators know.
        var isInTrouble = false

        /// Puts frames behind those that wait. The oldest make room.
        ///
        /// - Returns: Whether somebody must be told to write them.
        mutating func add(_ new: [ByteBuffer]) -> Bool {
            guard isOpen else {
                dropCount += UInt64(new.count)
                return false
            }
            frames += new
            byteCount += new.reduce(0) { $0 + $1.readableBytes }
            var dropped = 0
            while frames.count - dropped > 1,
                frames.count - dropped > Limits.outgoingFrames || byteCount > Limits.outgoingBytes
            {
                byteCount -= frames[dropped].readableBytes
                dropped += 1
            }
            frames.removeFirst(dropped)
            dropCount += UInt64(dropped)
            guard !frames.isEmpty, !isScheduled else { return false }
            isScheduled = true
            return true
        }

        /// Takes what leaves together: votes are small, and a handful becomes one write.
        mutating func takeFirst() -> [ByteBuffer] {
            let small = frames.prefix(16).prefix { $0.readableBytes <= Limits.mergedFrameBytes }
            let taken = Array(frames.prefix(max(small.count, 1)))
            frames.removeFirst(taken.count)
            byteCount -= taken.reduce(0) { $0 + $1.readableBytes }
            return taken
        }
    }

    let id: ReplicaID
    private let name: String
    private let own: Hello
    private let tls: PeerTLS
    private let loop: any EventLoop
    private let address: @Sendable (ReplicaID) -> PeerAddress?
    private let report: @Sendable (String) -> Void
    private let line = Mutex(Line())

    init(
        _ id: ReplicaID, name: String, own: Hello, tls: PeerTLS, loop: any EventLoop,
        address: @escaping @Sendable (ReplicaID) -> PeerAddress?, report: @escaping @Sendable (String) -> Void
    ) {
        self.id = id
        self.name = name
        self.own = own
        self.tls = tls
        self.loop = loop
        self.address = address
        self.report = report
    }

    var state: State {
        line.withLock {
            State(isConnected: $0.isOpen, dropCount: $0.dropCount, waitingCount: $0.frames.count)
        }
    }

    // MARK: Sending

    /// Returns at once.
    func send(_ bytes: ByteBuffer) {
        let wakes = line.withLock { $0.add([bytes]) }
        if wakes { loop.execute { self.flush() } }
    }

    /// Sends what settles a block: at once if it is pressing or clients of the peer wait for it, else a little later. A
    /// later block's settles this one too, and takes its place.
    func settle(_ place: LazyFrame.Place, with bytes: ByteBuffer, isPressing: Bool) {
        let (wakes, waits) = line.withLock { line in
            guard line.isOpen else { return (line.add([bytes]), false) }
            let wakes = line.add(line.lazy.settle(place, with: bytes, isPressing: isPressing))
            guard !line.lazy.isEmpty, !line.isLazyScheduled else { return (wakes, false) }
            line.isLazyScheduled = true
            return (wakes, true)
        }
        if wakes { loop.execute { self.flush() } }
        if waits { loop.scheduleTask(in: .milliseconds(Limits.lazyMilliseconds)) { self.sendLazy() } }
    }

    private func sendLazy() {
        let wakes = line.withLock { line in
            line.isLazyScheduled = false
            return line.add(line.lazy.release())
        }
        if wakes { flush() }
    }

    /// The peer says for what its clients wait. On the event loop.
    func note(_ awaited: Awaited) {
        let wakes = line.withLock { $0.add($0.lazy.note(awaited)) }
        if wakes { flush() }
    }

    /// Writes while the connection takes it; the rest waits here, where it is bounded. On the event loop.
    func flush() {
        var hasWritten = false
        while true {
            let next = line.withLock { line -> ((any Channel), [ByteBuffer])? in
                guard let channel = line.channel, line.isOpen, channel.isWritable, !line.frames.isEmpty else {
                    line.isScheduled = false
                    return nil
                }
                return (channel, line.takeFirst())
            }
            guard let (channel, frames) = next, var buffer = frames.first else { break }
            for frame in frames.dropFirst() { buffer.writeImmutableBuffer(frame) }
            channel.write(buffer, promise: nil)
            hasWritten = true
        }
        if hasWritten { line.withLock { $0.channel }?.flush() }
    }

    // MARK: Dialling

    /// Begins. From here on the event loop dials, and nobody else.
    func dial() { loop.execute { self.attempt() } }

    private func attempt() {
        let started: UInt64? = line.withLock { line in
            line.pause?.cancel()
            line.pause = nil
            line.number += 1
            return line.isStopped ? nil : line.number
        }
        guard let number = started else { return }
        guard let address = address(id) else { return dialAgain(after: number, "its address is not known") }
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A peer whose machine vanished acknowledges nothing.
            .channelOption(
                ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: Self.userTimeout)),
                value: SocketOptionValue(Limits.silenceMilliseconds)
            )
            .channelOption(
                .writeBufferWaterMark, value: .init(low: 128 << 10, high: 512 << 10)
            )
            .connectTimeout(.milliseconds(Limits.greetingMilliseconds))
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        tls.client(expecting: id),
                        FrameReader(admits: { $0.kind == .hello }),
                        OutgoingHandler(self, number: number, own: own))
                }
            }
        bootstrap.connect(host: address.host, port: address.port).whenComplete { [self] result in
            switch result {
            case .failure(let error): dialAgain(after: number, ConnectionTrouble.text(error))
            case .success(let channel):
                let isWanted = line.withLock { line in
                    guard line.number == number, !line.isStopped else { return false }
                    line.channel = channel
                    return true
                }
                if !isWanted { channel.close(promise: nil) }
                channel.closeFuture.whenComplete { _ in self.lost(number) }
            }
        }
    }

    /// The peer has said hello.
    fileprivate func opened(_ number: UInt64, _ hello: Hello) -> Bool {
        guard hello.ledgerID == own.ledgerID, hello.node == id else { return false }
        let wasInTrouble = line.withLock { line in
            guard line.number == number else { return false }
            line.isOpen = true
            line.attempts = 0
            line.cause = nil
            defer { line.isInTrouble = false }
            return line.isInTrouble
        }
        if wasInTrouble { report("\(name) is connected") }
        return true
    }

    fileprivate func trouble(_ reason: String) { line.withLock { $0.cause = $0.cause ?? reason } }

    private func lost(_ number: UInt64) {
        let wasOpen: Bool? = line.withLock { line in
            guard line.number == number else { return nil }
            defer { line.isOpen = false }
            line.channel = nil
            line.dropCount += UInt64(line.frames.count)
            line.frames = []
            line.byteCount = 0
            line.isScheduled = false
            line.lazy = LazyFrame()
            return line.isOpen
        }
        guard let wasOpen else { return }
        dialAgain(after: number, wasOpen ? "the connection has ended" : "it lets nobody in")
    }

    /// Later and later, and never two nodes in step.
    private func dialAgain(after number: UInt64, _ reason: String) {
        let (attempts, news) = line.withLock { line -> (Int?, String?) in
            guard line.number == number, line.pause == nil, !line.isStopped else { return (nil, nil) }
            line.attempts += 1
            let cause = line.cause ?? reason
            line.cause = nil
            // Nodes that start together do not find each other at once: nobody needs to hear of that.
            guard line.attempts >= Limits.attemptsBeforeTrouble, !line.isInTrouble else {
                return (line.attempts, nil)
            }
            line.isInTrouble = true
            return (line.attempts, cause)
        }
        guard let attempts else { return }
        if let news { report("\(name) is not reached: \(news)") }
        let limits = Limits.reconnectMilliseconds
        let longest = min(limits.first << Int64(min(attempts - 1, 16)), limits.most)
        let delay = Int64.random(in: longest / 2...longest)
        line.withLock { $0.pause = loop.scheduleTask(in: .milliseconds(delay)) { self.attempt() } }
    }

    /// The peer has dialled this node, so it is there: a pause ends now. A node that comes back is needed at once, perhaps
    /// for the quorum of a view.
    func hasComeBack() {
        loop.execute { [self] in
            if line.withLock({ $0.pause != nil }) { attempt() }
        }
    }

    func stop() async {
        let channel = line.withLock { line in
            line.isStopped = true
            return line.channel
        }
        try? await channel?.close()
    }

    /// TCP_USER_TIMEOUT of Linux.
    private static let userTimeout: CInt = 18
}

/// The dialling end: says hello, waits for the answer, then only speaks.
private final class OutgoingHandler: ChannelInboundHandler {
    typealias InboundIn = Frame
    typealias OutboundOut = ByteBuffer

    private let peer: OutgoingPeer
    /// Of the attempt.
    private let number: UInt64
    private let own: Hello
    private var deadline: Scheduled<Void>?

    init(_ peer: OutgoingPeer, number: UInt64, own: Hello) {
        self.peer = peer
        self.number = number
        self.own = own
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: .milliseconds(Limits.greetingMilliseconds)) {
            channel.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(own.frame.buffer), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let hello = try? Hello(unwrapInboundIn(data)), peer.opened(number, hello) else {
            peer.trouble("another node answers at its address")
            return context.close(promise: nil)
        }
        deadline?.cancel()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { peer.flush() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        peer.trouble(ConnectionTrouble.text(error))
        context.close(promise: nil)
    }
}
