public import Ledger
import NIOCore
import NIOPosix
import Synchronization

/// Where a peer listens.
public struct PeerAddress: Hashable, Sendable {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `127.0.0.1:7501`, `[::1]:7501`, as the genesis has it.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }
}

/// The connections of a node with its peers. Each node dials every other and speaks on that connection; it listens on
/// those that others have dialled.
public final class PeerNetwork: Sendable {
    /// Takes a frame of a peer. Where it returns `false`, the connection is not read until `resume` is called.
    typealias Receive =
        @Sendable (_ frame: Frame, _ peer: ReplicaID, _ resume: @escaping @Sendable () -> Void) -> Bool

    public struct Settings: Sendable {
        public var id: ReplicaID
        public var ledgerID: Digest
        /// The configuration in force.
        public var members: [Member]
        /// This node's `tls.crt` and `tls.key`.
        public var certificatePEM: [UInt8]
        public var keyPEM: [UInt8]
        /// Where this node listens; port 0 is any that is free.
        public var listener: PeerAddress
        /// Where a member listens, asked before each attempt; the genesis says it without one.
        public var address: (@Sendable (ReplicaID) -> PeerAddress?)?
        public var report: @Sendable (String) -> Void

        public init(
            id: ReplicaID, ledgerID: Digest, members: [Member], certificatePEM: [UInt8], keyPEM: [UInt8],
            listener: PeerAddress, address: (@Sendable (ReplicaID) -> PeerAddress?)? = nil,
            report: @escaping @Sendable (String) -> Void = { _ in }
        ) {
            self.id = id
            self.ledgerID = ledgerID
            self.members = members
            self.certificatePEM = certificatePEM
            self.keyPEM = keyPEM
            self.listener = listener
            self.address = address
            self.report = report
        }
    }

    private struct Hooks: Sendable {
        let receive: Receive
        let isAwaitingBlocks: @Sendable (ReplicaID) -> Bool
    }

    private struct State: Sendable {
        var hooks: Hooks?
        var listener: (any Channel)?
        /// The newest connection of each peer; an older one of the same is half dead.
        var incoming: [ReplicaID: any Channel] = [:]
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isStopped = false
        var strangers = StrangerLog()
    }

    public let id: ReplicaID
    private let settings: Settings
    private let tls: PeerTLS
    private let own: Hello
    private let peers: [OutgoingPeer?]
    /// All connections of a node live on one loop: what is sent to all peers, and what comes from them at once, wakes one
    /// thread. It has this thread to itself: votes wait neither for the RSA of HTTPS nor for questions.
    private let thread: MultiThreadedEventLoopGroup
    private let state = Mutex(State())

    /// - Throws: where the key or the certificate cannot be used.
    public init(_ settings: Settings) throws {
        self.settings = settings
        id = settings.id
        let tls = try PeerTLS(
            certificatePEM: settings.certificatePEM, keyPEM: settings.keyPEM,
            keyDigests: settings.members.map(\.tlsKeyDigest))
        let own = Hello(ledgerID: settings.ledgerID, node: settings.id)
        self.tls = tls
        self.own = own
        let members = settings.members
        let address =
            settings.address ?? { id in
                Int(id.value) < members.count ? PeerAddress(members[Int(id.value)].peerAddress) : nil
            }
        thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = thread.next()
        peers = members.indices.map { index in
            let id = ReplicaID(UInt16(index))
            guard id != settings.id else { return nil }
            return OutgoingPeer(
                id, name: members[index].name, own: own, tls: tls, loop: loop, address: address,
                report: settings.report)
        }
    }

    /// Opens the port. Connections are refused until a driver takes part.
    ///
    /// - Returns: The port.
    public func listen() async throws -> Int {
        let bootstrap = ServerBootstrap(group: thread)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [weak self] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let self else { throw ChannelError.ioOnClosedChannel }
                    try self.accept(channel)
                }
            }
        let channel = try await bootstrap.bind(host: settings.listener.host, port: settings.listener.port)
            .get()
        state.withLock { $0.listener = channel }
        return channel.localAddress?.port ?? settings.listener.port
    }

    /// Begins to speak and to listen.
    func start(
        receive: @escaping Receive, isAwaitingBlocks: @escaping @Sendable (ReplicaID) -> Bool
    ) {
        state.withLock { $0.hooks = Hooks(receive: receive, isAwaitingBlocks: isAwaitingBlocks) }
        for peer in peers { peer?.dial() }
    }

    /// Sends a frame, or drops it: whatever matters is said again.
    func send(_ frame: Frame, to peer: ReplicaID) { send(frame, to: [peer]) }

    /// The same to several, who share the bytes: a proposal may have megabytes.
    func send(_ frame: Frame, to peers: some Sequence<ReplicaID>) {
        let bytes = frame.buffer
        for peer in peers where Int(peer.value) < self.peers.count {
            self.peers[Int(peer.value)]?.send(bytes)
        }
    }

    /// Sends a vote or a certificate that settles a block.
    ///
    /// - Parameter isPressing: whether it leaves at once, though no clients of the peer wait for the block.
    func settle(_ place: LazyFrame.Place, with bytes: ByteBuffer, isPressing: Bool, at peer: ReplicaID) {
        guard Int(peer.value) < peers.count else { return }
        peers[Int(peer.value)]?.settle(place, with: bytes, isPressing: isPressing)
    }

    func state(of peer: ReplicaID) -> OutgoingPeer.State {
        guard Int(peer.value) < peers.count else { return .init() }
        return peers[Int(peer.value)]?.state ?? .init()
    }

    /// Incoming connections that failed: of strangers, nearly always.
    var failedConnections: UInt64 { state.withLock { $0.strangers.count } }

    /// Closes every connection, for good.
    public func stop() async {
        let (listener, connections) = state.withLock { state in
            state.isStopped = true
            return (state.listener, Array(state.connections.values))
        }
        try? await listener?.close()
        for peer in peers { await peer?.stop() }
        for connection in connections { try? await connection.close() }
        try? await thread.shutdownGracefully()
    }

    // MARK: Accepting

    private func accept(_ channel: any Channel) throws {
        let limit = Limits.incomingPerMember * settings.members.count
        let hooks: Hooks? = state.withLock { state in
            guard !state.isStopped, state.connections.count < limit else { return nil }
            state.connections[ObjectIdentifier(channel)] = channel
            return state.hooks
        }
        channel.closeFuture.whenComplete { [weak self] _ in self?.closed(channel) }
        guard let hooks else { throw ChannelError.ioOnClosedChannel }
        let member = MemberBox()
        try channel.pipeline.syncOperations.addHandlers(
            IdleStateHandler(readTimeout: .milliseconds(Limits.silenceMilliseconds)),
            tls.server(onMember: { member.set($0) }),
            FrameReader(admits: { head in
                guard head.kind == .fetched, head.bodyBytes > Limits.smallFrameBytes else { return true }
                return member.value.map(hooks.isAwaitingBlocks) ?? false
            }),
            IncomingPeer(
                member, names: settings.members.map(\.name), own: own,
                report: { [weak self] in self?.noteStranger($0) },
                onGreeted: { [weak self] peer, channel in self?.greeted(peer, channel) },
                onAwaited: { [weak self] peer, awaited in self?.peers[Int(peer.value)]?.note(awaited) },
                receive: hooks.receive))
    }

    private func noteStranger(_ line: String) {
        if let line = state.withLock({ $0.strangers.note(line) }) { settings.report(line) }
    }

    private func greeted(_ peer: ReplicaID, _ channel: any Channel) {
        let older = state.withLock { state in
            defer { state.incoming[peer] = channel }
            return state.incoming[peer]
        }
        older?.close(promise: nil)
        peers[Int(peer.value)]?.hasComeBack()
    }

    private func closed(_ channel: any Channel) {
        state.withLock { state in
            state.connections[ObjectIdentifier(channel)] = nil
            for (peer, known) in state.incoming where known === channel { state.incoming[peer] = nil }
        }
    }
}
