import Ledger
import NIOCore
import NIOEmbedded
import Synchronization
import TestSupport
import Testing

@testable import Replication

/// Who may connect, and what it costs.
@Suite(.serialized, .timeLimit(.minutes(20))) struct `Connections between nodes` {
    private let ledger: TestLedger

    init() throws { ledger = try TestLedger(members: 4) }

    /// Frames as they come, and lines that were reported.
    private final class Ear: Sendable {
        let frames = AsyncStream.makeStream(of: (ReplicaID, Frame).self)
        let lines = AsyncStream.makeStream(of: String.self)

        func nextFrame() async -> (ReplicaID, Frame)? {
            var iterator = frames.stream.makeAsyncIterator()
            return await iterator.next()
        }

        func nextLine() async -> String? {
            var iterator = lines.stream.makeAsyncIterator()
            return await iterator.next()
        }
    }

    private func network(
        _ node: Int, showing keys: NodeKeys? = nil, ledgerID: Digest? = nil, to ear: Ear,
        dialling address: @escaping @Sendable (ReplicaID) -> PeerAddress? = { _ in nil }
    ) throws -> PeerNetwork {
        let tls = (keys ?? ledger.nodeKeys[node]).tls
        return try PeerNetwork(
            .init(
                id: ReplicaID(UInt16(node)), ledgerID: ledgerID ?? ledger.ledgerID,
                members: ledger.genesis.members, certificatePEM: tls.certificatePEM, keyPEM: tls.keyPEM,
                listener: PeerAddress(host: "127.0.0.1", port: 0), address: address,
                report: { ear.lines.continuation.yield($0) }))
    }

    private func start(_ network: PeerNetwork, _ ear: Ear) {
        network.start(
            receive: { frame, peer, _ in
                ear.frames.continuation.yield((peer, frame))
                return true
            }, isAwaitingBlocks: { _ in false })
    }

    /// Node 0, which listens, and node 1, which dials it.
    private func pair(
        showing keys: NodeKeys? = nil, answering listenerKeys: NodeKeys? = nil, ledgerID: Digest? = nil,
        _ listening: Ear, _ dialling: Ear, dials: Int = 1
    ) async throws -> (listener: PeerNetwork, dialler: PeerNetwork) {
        let listener = try network(0, showing: listenerKeys, to: listening)
        let port = try await listener.listen()
        start(listener, listening)
        let dialler = try network(
            1, showing: keys, ledgerID: ledgerID, to: dialling,
            dialling: { $0 == ReplicaID(0) ? PeerAddress(host: "127.0.0.1", port: port) : nil })
        for _ in 0..<dials { start(dialler, dialling) }
        return (listener, dialler)
    }

    private func waitUntilConnected(_ dialler: PeerNetwork) async {
        while !dialler.state(of: ReplicaID(0)).isConnected { await Task.yield() }
    }

    /// Lets node 1 dial node 0 and show other keys than its own.
    private func dial(
        showing keys: NodeKeys? = nil, answering listenerKeys: NodeKeys? = nil, ledgerID: Digest? = nil
    ) async throws -> (refusal: String?, frame: Frame?) {
        let (listening, dialling) = (Ear(), Ear())
        let (listener, dialler) = try await pair(
            showing: keys, answering: listenerKeys, ledgerID: ledgerID, listening, dialling)
        let isRefused = keys != nil || listenerKeys != nil || ledgerID != nil
        var refusal: String?
        var frame: Frame?
        if isRefused {
            // Nodes 2 and 3 have no address here; that is said too.
            while let line = await dialling.nextLine() {
                if line.hasPrefix("node1") {
                    refusal = line
                    break
                }
            }
            #expect(!dialler.state(of: ReplicaID(0)).isConnected)
        } else {
            let status = Message.status(
                Status(
                    view: View(1), isChanging: false, asksFor: View(1), tip: .genesis, committed: .genesis))
            await waitUntilConnected(dialler)
            dialler.send(status.frame, to: ReplicaID(0))
            let heard = await listening.nextFrame()
            #expect(heard?.0 == ReplicaID(1))
            frame = heard?.1
        }
        await dialler.stop()
        await listener.stop()
        return (refusal, frame)
    }

    private var stranger: NodeKeys {
        get throws { NodeKeys(sealing: ledger.identities.node, tls: ledger.identities.newcomers[0]) }
    }

    @Test func `carry frames between members`() async throws {
        let heard = try await dial()
        #expect(heard.frame?.kind == .status)
    }

    /// The listener closes the older of two. Its end must not be taken for that of the newer, which would be dialled
    /// again, and cut off by the end of this one, and so on.
    @Test func `settle on one where two were begun`() async throws {
        let (listening, dialling) = (Ear(), Ear())
        let (listener, dialler) = try await pair(listening, dialling, dials: 3)
        await waitUntilConnected(dialler)
        for number in 0..<200 as Range<UInt64> {
            let status = Status(
                view: View(number), isChanging: false, asksFor: View(number), tip: .genesis,
                committed: .genesis)
            dialler.send(Message.status(status).frame, to: ReplicaID(0))
            #expect(await listening.nextFrame()?.1 == Message.status(status).frame)
        }
        #expect(dialler.state(of: ReplicaID(0)).dropCount == 0)
        await dialler.stop()
        await listener.stop()
    }

    /// Node 0 holds a COMMIT back from node 1, unless node 1 has said that its clients wait.
    @Test func `carry what a peer waits for at once`() async throws {
        let (one, other) = (Ear(), Ear())
        let ports = Mutex<[ReplicaID: PeerAddress]>([:])
        let networks = try [(0, one), (1, other)].map { node, ear in
            try network(node, to: ear, dialling: { id in ports.withLock { $0[id] } })
        }
        for (node, network) in networks.enumerated() {
            let port = try await network.listen()
            ports.withLock { $0[ReplicaID(UInt16(node))] = PeerAddress(host: "127.0.0.1", port: port) }
        }
        start(networks[0], one)
        start(networks[1], other)
        let (zeroth, first) = (ReplicaID(0), ReplicaID(1))
        while !networks[0].state(of: first).isConnected || !networks[1].state(of: zeroth).isConnected {
            await Task.yield()
        }
        // What comes behind the hint shows that it was heard.
        networks[1].send(Awaited(height: BlockHeight(5)).frame, to: zeroth)
        networks[1].send(Message.complaint(View(1)).frame, to: zeroth)
        #expect(await one.nextFrame()?.1.kind == .complaint)
        let frames = (1...6).map { Frame(kind: .commit, body: [UInt8($0)]) }
        for (position, frame) in frames.enumerated() {
            let place = LazyFrame.Place(view: View(0), height: BlockHeight(UInt64(position + 1)))
            networks[0].settle(place, with: frame.buffer, isPressing: false, at: first)
        }
        for frame in frames { #expect(await other.nextFrame()?.1 == frame) }
        // One that says nothing ends the connection.
        networks[1].send(Frame(kind: .awaited, body: [1]), to: zeroth)
        while let line = await one.nextLine(), !line.contains("a hint of") {}
        for network in networks { await network.stop() }
    }

    /// Small ones are sent together, large ones by themselves, and all in one order.
    @Test func `carry frames of all sizes as they were sent`() async throws {
        let (listening, dialling) = (Ear(), Ear())
        let (listener, dialler) = try await pair(listening, dialling)
        await waitUntilConnected(dialler)
        let sizes = [0, 1, 4090, 4091, 4092, 40_000, 3, 1_000_000, 2, 2, 2, 20_000, 20_000]
        let frames = sizes.enumerated().map { number, size in
            Frame(kind: .entries, body: [UInt8](repeating: UInt8(number), count: size))
        }
        for _ in 0..<3 { for frame in frames { dialler.send(frame, to: ReplicaID(0)) } }
        for _ in 0..<3 { for frame in frames { #expect(await listening.nextFrame()?.1 == frame) } }
        #expect(dialler.state(of: ReplicaID(0)).dropCount == 0)
        await dialler.stop()
        await listener.stop()
    }

    @Test func `are refused to a stranger who dials`() async throws {
        #expect(try await dial(showing: stranger).refusal != nil)
    }

    @Test func `are refused to a stranger who answers`() async throws {
        #expect(try await dial(answering: stranger).refusal != nil)
    }

    @Test func `are refused to another member at the address of the expected one`() async throws {
        #expect(try await dial(answering: ledger.nodeKeys[2]).refusal != nil)
    }

    @Test func `are refused to a member who says it is another`() async throws {
        #expect(try await dial(showing: ledger.nodeKeys[2]).refusal != nil)
    }

    @Test func `are refused to a node of another ledger`() async throws {
        #expect(try await dial(ledgerID: .sha256([1])).refusal != nil)
    }

    @Test func `read addresses as a genesis has them`() {
        #expect(PeerAddress("127.0.0.1:7501") == PeerAddress(host: "127.0.0.1", port: 7501))
        #expect(PeerAddress("[::1]:7501") == PeerAddress(host: "::1", port: 7501))
        #expect(PeerAddress("node.example:1") == PeerAddress(host: "node.example", port: 1))
        for text in ["", ":1", "a", "a:", "a:70000", "a:-1", "a:x"] { #expect(PeerAddress(text) == nil) }
    }

    @Test func `are dialled anew at once when the peer has dialled, and not twice`() throws {
        let loop = EmbeddedEventLoop()
        let dials = Mutex(0)
        let tls = ledger.nodeKeys[0].tls
        let peer = OutgoingPeer(
            ReplicaID(1), name: "node2", own: Hello(ledgerID: ledger.ledgerID, node: ReplicaID(0)),
            tls: try PeerTLS(
                certificatePEM: tls.certificatePEM, keyPEM: tls.keyPEM,
                keyDigests: ledger.genesis.members.map(\.tlsKeyDigest)),
            loop: loop,
            address: { _ in
                dials.withLock { $0 += 1 }
                return nil
            }, report: { _ in })
        peer.dial()
        loop.run()
        // Many failures later the pause is as long as it gets.
        loop.advanceTime(by: .seconds(60))
        let before = dials.withLock { $0 }
        #expect((30...70).contains(before))
        peer.hasComeBack()
        loop.run()
        #expect(dials.withLock { $0 } == before + 1)
        // The pause that was cut short does not end a second time.
        loop.advanceTime(by: .milliseconds(999))
        #expect(dials.withLock { $0 } == before + 1)
        loop.advanceTime(by: .milliseconds(1001))
        #expect(dials.withLock { $0 } == before + 2)
    }

    @Test func `keep what is sent to a peer bounded, away or not`() async throws {
        let ear = Ear()
        let network = try network(0, to: ear)
        start(network, ear)
        let frame = Frame(kind: .entries, body: [UInt8](repeating: 0, count: 1 << 20))
        for _ in 0..<200 { network.send(frame, to: ReplicaID(1)) }
        #expect(network.state(of: ReplicaID(1)).dropCount == 200)
        network.send(frame, to: ReplicaID(0))
        network.send(frame, to: ReplicaID(77))
        await network.stop()
    }
}
