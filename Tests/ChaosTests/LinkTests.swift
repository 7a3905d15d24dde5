import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Chaos

@Suite struct `A link` {
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    @Test func `delays each chunk by something in its range, and lets none overtake`() {
        let link = Link(seed: 1)
        link.set(.far)
        var delays: Set<Int64> = []
        for _ in 0..<300 {
            let delay = link.arrival(now: now, after: now) - now
            #expect((30...70).contains(delay.nanoseconds / 1_000_000))
            delays.insert(delay.nanoseconds / 1_000_000)
        }
        #expect(delays.count > 30)
        let late = now + .seconds(9)
        #expect(link.arrival(now: now, after: late) == late)
    }

    @Test func `shows losses as retransmissions that double`() {
        let link = Link(seed: 1)
        link.set(LinkCondition(loss: 0.5))
        var pauses: [Int64: Int] = [:]
        for _ in 0..<2000 {
            let pause = link.arrival(now: now, after: now) - now
            pauses[pause.nanoseconds / 1_000_000, default: 0] += 1
        }
        // 0, 200, 200 + 400, …: each about half as often as the one before.
        for (pause, count) in [(Int64(0), 1000), (200, 500), (600, 250)] {
            #expect((count * 8 / 10...count * 12 / 10).contains(pauses[pause] ?? 0))
        }
        #expect(Set(pauses.keys).isSubset(of: [0, 200, 600, 1400, 3000, 6200, 12600, 25400, 51000]))
    }

    @Test func `is the same for the same seed`() {
        let (one, other) = (Link(seed: 9), Link(seed: 9))
        for link in [one, other] { link.set(LinkCondition(delayMilliseconds: 30...70, loss: 0.2)) }
        for _ in 0..<50 {
            #expect(one.arrival(now: now, after: now) == other.arrival(now: now, after: now))
        }
    }
}

/// Two nodes: the second sends back what it gets.
@Suite(.timeLimit(.minutes(20))) struct `The forwarder` {
    /// What a socket was told.
    private final class Ears: Sendable {
        private struct State: Sendable {
            var heard: [UInt8] = []
            var isClosed = false
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state = Mutex(State())

        func change(heard bytes: [UInt8] = [], isClosed: Bool = false) {
            let waiting = state.withLock { state in
                state.heard += bytes
                state.isClosed = state.isClosed || isClosed
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        var heard: [UInt8] { state.withLock { $0.heard } }

        /// Waits for so many bytes, or the end.
        func hear(_ count: Int) async -> [UInt8] { await wait { $0.heard.count >= count || $0.isClosed } }
        func close() async { _ = await wait { $0.isClosed } }

        private func wait(_ holds: @escaping @Sendable (State) -> Bool) async -> [UInt8] {
            while true {
                if state.withLock({ holds($0) }) { return heard }
                await withCheckedContinuation { continuation in
                    let isOver = state.withLock { state in
                        if holds(state) { return true }
                        state.waiting.append(continuation)
                        return false
                    }
                    if isOver { continuation.resume() }
                }
            }
        }
    }

    private final class Listener: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        private let ears: Ears
        private let echoes: Bool
        init(_ ears: Ears, echoes: Bool) {
            self.ears = ears
            self.echoes = echoes
        }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            ears.change(heard: Array(unwrapInboundIn(data).readableBytesView))
            if echoes { context.writeAndFlush(data, promise: nil) }
        }
        func channelInactive(context: ChannelHandlerContext) { ears.change(isClosed: true) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    private struct Bench {
        let mesh: LinkMesh
        let server: any Channel
        /// What the second node has heard.
        let served: Ears

        static func run(_ body: (Bench) async throws -> Void) async throws {
            let served = Ears()
            let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.pipeline.addHandler(Listener(served, echoes: true))
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let port = try #require(server.localAddress?.port)
            let mesh = try await LinkMesh(targets: [port, port], seed: 1)
            try await body(Bench(mesh: mesh, server: server, served: served))
            await mesh.stop()
            try await server.close()
        }

        func dial() async throws -> (any Channel, Ears) {
            let ears = Ears()
            let port = try #require(mesh.port(from: 0, to: 1))
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.pipeline.addHandler(Listener(ears, echoes: false))
                }
                .connect(host: "127.0.0.1", port: port).get()
            return (channel, ears)
        }
    }

    @Test func `passes bytes both ways, whole and in order, however slow and lossy the links are`()
        async throws
    {
        try await Bench.run { bench in
            bench.mesh.set(LinkCondition(delayMilliseconds: 1...20, loss: 0.02), from: 0, to: 1)
            bench.mesh.set(LinkCondition(delayMilliseconds: 1...20), from: 1, to: 0)
            let (channel, ears) = try await bench.dial()
            let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            channel.writeAndFlush(ByteBuffer(bytes: sent), promise: nil)
            #expect(await ears.hear(sent.count) == sent)
            try await channel.close()
        }
    }

    @Test func `holds back what a silent cut is in the way of, in that direction alone`() async throws {
        try await Bench.run { bench in
            let (channel, ears) = try await bench.dial()
            bench.mesh.set(LinkCondition(cut: .silent), from: 1, to: 0)
            channel.writeAndFlush(ByteBuffer(string: "there"), promise: nil)
            #expect(await bench.served.hear(5) == Array("there".utf8))
            #expect(ears.heard == [])
            bench.mesh.set(LinkCondition(cut: .silent), from: 0, to: 1)
            channel.writeAndFlush(ByteBuffer(string: " again"), promise: nil)
            bench.mesh.set(.sound, from: 1, to: 0)
            #expect(await ears.hear(5) == Array("there".utf8))
            #expect(bench.served.heard == Array("there".utf8))
            bench.mesh.heal()
            #expect(await ears.hear(11) == Array("there again".utf8))
            try await channel.close()
        }
    }

    @Test func `does not tell of an end before a silent cut is over`() async throws {
        try await Bench.run { bench in
            let (channel, ears) = try await bench.dial()
            channel.writeAndFlush(ByteBuffer(string: "x"), promise: nil)
            _ = await ears.hear(1)
            bench.mesh.set(LinkCondition(cut: .silent), from: 0, to: 1)
            try await channel.close()
            let (other, otherEars) = try await bench.dial()
            bench.mesh.heal()
            await bench.served.close()
            other.writeAndFlush(ByteBuffer(string: "y"), promise: nil)
            #expect(await otherEars.hear(1) == [UInt8(ascii: "y")])
            try await other.close()
        }
    }

    @Test func `closes what was dialled across a cut that closes, and lets nobody in until it is healed`()
        async throws
    {
        try await Bench.run { bench in
            let (_, ears) = try await bench.dial()
            bench.mesh.set(LinkCondition(cut: .closed), from: 0, to: 1)
            await ears.close()
            let (_, refused) = try await bench.dial()
            await refused.close()
            bench.mesh.heal()
            let (channel, welcome) = try await bench.dial()
            channel.writeAndFlush(ByteBuffer(string: "z"), promise: nil)
            #expect(await welcome.hear(1) == [UInt8(ascii: "z")])
            try await channel.close()
        }
    }
}
