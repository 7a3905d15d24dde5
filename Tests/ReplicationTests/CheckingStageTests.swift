import Dispatch
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Replication

/// What a node makes of the frames of its peers, before the replica hears of them.
@Suite(.timeLimit(.minutes(20))) struct `The checking stage` {
    private let ledger: TestLedger
    private let state: LedgerState
    private let root: ChainTip
    private let checker: EntryChecker

    init() throws {
        ledger = try TestLedger(members: 4)
        state = try ledger.initialState
        root = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        checker = try ledger.checker
    }

    /// A stage of node 2, and what comes out of it.
    private final class Bench: Sendable {
        let mailbox = Mailbox(peers: 4)
        let tip: Mutex<TipState>
        let stage: CheckingStage
        let reports = Mutex<[String]>([])
        private let wakes = AsyncStream.makeStream(of: Void.self)
        private let directory: TemporaryDirectory

        init(_ ledger: TestLedger, _ tip: TipState) throws {
            self.tip = Mutex(tip)
            directory = try TemporaryDirectory()
            let log = try LogStore(
                directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full))
            let held = Held()
            let state = tip.state
            let header = ledger.genesisHeader
            stage = CheckingStage(
                .init(
                    mailbox: mailbox,
                    verifier: MessageVerifier(
                        context: .init(ledgerID: ledger.ledgerID, epoch: Epoch(0)),
                        authority: RememberingElectorate(ledger.electorate)),
                    checked: CheckedEntries(),
                    blocks: BlockServer(
                        log: log,
                        published: { Published(header: header, certificate: nil, state: state) }),
                    tip: { held.bench?.tip.withLock { $0 } ?? tip }, clock: { ledger.start },
                    needs: { MessageNeeds() }, validation: .full, send: { _, _ in },
                    report: { line in held.bench?.reports.withLock { $0.append(line) } }))
            mailbox.onWake { [wakes] _ in wakes.continuation.yield() }
            held.set(self)
        }

        private final class Held: Sendable {
            private let value = Mutex<Bench?>(nil)
            var bench: Bench? { value.withLock { $0 } }
            func set(_ bench: Bench) { value.withLock { $0 = bench } }
        }

        func receive(_ message: Message, from peer: Int) {
            _ = stage.receive(message.frame, from: ReplicaID(UInt16(peer)), resume: {})
        }

        /// All that has come out since the last time.
        func nextRound() async -> [Event]? {
            var iterator = wakes.stream.makeAsyncIterator()
            while true {
                let batch = mailbox.takeAll()
                if !batch.isEmpty { return batch.events + batch.forwarded }
                guard await iterator.next() != nil else { return nil }
            }
        }

        /// The next event; what went before was dropped.
        func next() async -> Event? {
            var iterator = wakes.stream.makeAsyncIterator()
            while true {
                let batch = mailbox.takeAll()
                _ = mailbox.takeAll()
                if let event = (batch.events + batch.forwarded).first { return event }
                guard await iterator.next() != nil else { return nil }
            }
        }
    }

    private func bench(_ tip: ChainTip? = nil, _ state: LedgerState? = nil) throws -> Bench {
        let tip = tip ?? root
        return try Bench(
            ledger, TipState(hash: tip.headerHash, height: tip.header.height, state: state ?? self.state))
    }

    private func entry(_ id: String, _ state: LedgerState? = nil, by signer: Identity? = nil) throws -> Entry
    {
        try checker.check(
            try ledger.kpis(id: id, by: signer ?? ledger.identities.ci2), expecting: .sealed,
            state: state ?? self.state, clock: ledger.start
        ).entry
    }

    private func proposal(
        _ entries: [Entry], on tip: ChainTip, by node: Int = 0, secondsAhead: Int64 = 0,
        changing change: ([EntryBytes]) -> [EntryBytes] = { $0 }
    ) -> Message {
        let time = ledger.start.advanced(byMilliseconds: secondsAhead * 1000)
        let block = tip.extended(by: entries, view: View(0), epoch: Epoch(0), clock: time).block
        let prepare = Prepare(BlockMark(block.header, hash: block.header.hash))
        let context = SigningContext(ledgerID: ledger.ledgerID, epoch: Epoch(0))
        return .proposal(
            Proposal(
                block: ProposedBlock(
                    header: block.header, entries: change(block.entries.map(EntryBytes.init))),
                prepare: Signed(
                    prepare, signer: ReplicaID(UInt16(node)),
                    signature: ledger.voteKeys[node].sign(prepare.signedBytes(context)))))
    }

    /// Comes behind what a peer has sent: when it is out, what went before is out as well, or was dropped.
    private func marker(_ view: UInt64) -> Message { .complaint(View(view)) }

    @Test func `lets a proposal through whose entries hold`() async throws {
        let bench = try bench()
        bench.receive(proposal(try [entry("a"), entry("b")], on: root), from: 0)
        guard case .proposal(let proposal) = await bench.next() else {
            Issue.record("it did not come through")
            return
        }
        #expect(proposal.value.entries.count == 2)
        #expect(proposal.value.entries.map(\.identity?.id) == ["a", "b"])
    }

    @Test func `says that the primary proposed what does not hold`() async throws {
        let good = try entry("a")
        let sealed = try #require(good.sealed)
        let other = try #require(try entry("b").sealed)
        var key = sealed.contentKey
        key[0] ^= 1
        for bad in [
            Entry(statement: good.statement, sealed: .init(payload: sealed.payload, contentKey: key)),
            Entry(statement: good.statement, sealed: other),
        ] {
            let bench = try bench()
            bench.receive(proposal([bad], on: root), from: 0)
            guard case .badProposal = await bench.next() else {
                Issue.record("it was taken for good, or dropped")
                return
            }
        }
    }

    /// A proposal whose header and PREPARE are as they should be, and one byte between them is not.
    private func torn(_ message: Message, byte: Int) -> Frame {
        var body = message.frame.body
        body[byte] ^= 0x55
        return Frame(kind: .proposal, body: body)
    }

    @Test func `says that the primary proposed what does not even decode`() async throws {
        let good = proposal([try entry("a")], on: root)
        // The number of entries, the kind of the first, its size, the first byte of its statement.
        for byte in [165, 166, 167, 168, 172] {
            let bench = try bench()
            _ = bench.stage.receive(torn(good, byte: byte), from: ReplicaID(0), resume: {})
            bench.receive(marker(5), from: 0)
            guard case .badProposal(let bad) = await bench.next() else {
                Issue.record("byte \(byte): it was taken for good, or dropped")
                continue
            }
            #expect(bad.value.header.height == BlockHeight(1))
            #expect(bad.value.entries.isEmpty)
            #expect(bench.stage.badProposalCount == 1)
            #expect(bench.stage.dropCount == 0)
        }
        // Cut short, and with something in front of the PREPARE.
        let body = good.frame.body
        for middle in [[], [7, 7, 7], [UInt8](repeating: 0, count: 4096)] {
            let bench = try bench()
            let bytes = Array(body.prefix(165)) + middle + Array(body.suffix(114))
            _ = bench.stage.receive(Frame(kind: .proposal, body: bytes), from: ReplicaID(0), resume: {})
            bench.receive(marker(5), from: 0)
            guard case .badProposal = await bench.next() else {
                Issue.record("\(middle.count) bytes of entries: it was taken for good, or dropped")
                continue
            }
        }
    }

    @Test func `blames the primary for no bytes that it did not both sign and send`() async throws {
        let good = proposal([try entry("a")], on: root)
        let unreadable = torn(good, byte: 166)
        var unsigned = unreadable.body
        unsigned[unsigned.count - 1] ^= 1
        var other = unreadable.body
        other[60] ^= 1
        let foreign = torn(proposal([try entry("a")], on: root, by: 1), byte: 166)
        let cases: [(String, Frame, Int)] = [
            ("another node passes it on", unreadable, 1),
            ("another node signed it", foreign, 1),
            ("another node signed it and the primary sends it", foreign, 0),
            ("the signature is bad", Frame(kind: .proposal, body: unsigned), 0),
            ("the header is another", Frame(kind: .proposal, body: other), 0),
            ("it is too short", Frame(kind: .proposal, body: Array(good.frame.body.prefix(200))), 0),
        ]
        for (what, frame, peer) in cases {
            let bench = try bench()
            _ = bench.stage.receive(frame, from: ReplicaID(UInt16(peer)), resume: {})
            bench.receive(marker(5), from: peer)
            guard case .message = await bench.next() else {
                Issue.record("\(what): it came through")
                continue
            }
            #expect(bench.stage.dropCount == 1, "\(what)")
            #expect(bench.stage.badProposalCount == 0, "\(what)")
        }
    }

    @Test func `blames nobody for entries that another node put into a proposal`() async throws {
        let bench = try bench()
        bench.receive(proposal([try entry("a")], on: root), from: 1)
        bench.receive(proposal([try entry("a")], on: root, by: 1), from: 1)
        bench.receive(marker(5), from: 1)
        guard case .message(let message) = await bench.next() else {
            Issue.record("a proposal that is not the primary's came through")
            return
        }
        #expect(message.value == marker(5))
        #expect(bench.stage.dropCount == 2)
    }

    @Test func `judges an entry by the block below it, once it is there`() async throws {
        let newcomer = ledger.identities.newcomers[0]
        let record = try checker.check(
            try ledger.enrol(newcomer, sequence: 1), expecting: .governance, state: state, clock: ledger.start
        )
        var enrolled = state
        enrolled.apply(record, at: EntryIndex(0), time: ledger.start)
        let next = root.extended(
            by: [record.entry], view: View(0), epoch: Epoch(0), clock: ledger.start
        ).tip
        let theirs = proposal([try entry("theirs", enrolled, by: newcomer)], on: next)

        let bench = try bench()
        bench.receive(theirs, from: 0)
        bench.receive(marker(5), from: 0)
        guard case .message = await bench.next() else {
            Issue.record("it was judged by another state than its parent's")
            return
        }
        bench.tip.withLock {
            $0 = TipState(hash: next.headerHash, height: next.header.height, state: enrolled)
        }
        bench.stage.tipMoved()
        guard case .proposal = await bench.next() else {
            Issue.record("it was forgotten")
            return
        }
        // Where the parent is here and does not know the key, the primary is at fault.
        bench.tip.withLock { $0 = TipState(hash: next.headerHash, height: next.header.height, state: state) }
        bench.receive(proposal([try entry("more", enrolled, by: newcomer)], on: next), from: 0)
        guard case .badProposal = await bench.next() else {
            Issue.record("a key that is enrolled nowhere was let through")
            return
        }
    }

    @Test func `blames the primary for a statement that is none`() async throws {
        let bench = try bench()
        let good = try entry("a")
        let bent = proposal([good], on: root) { entries in
            entries.map { EntryBytes(statement: $0.statement.dropLast(), sealed: $0.sealed) }
        }
        bench.receive(bent, from: 0)
        guard case .badProposal(let proposal) = await bench.next() else {
            Issue.record("it was taken for good, or dropped")
            return
        }
        #expect(proposal.value.prepare.signer == ReplicaID(0))
        // Nobody is blamed for what another says in his name.
        bench.receive(bent, from: 2)
        bench.receive(marker(7), from: 2)
        guard case .message(let next) = await bench.next(), case .complaint(View(7)) = next.value else {
            Issue.record("a proposal that another passed on came through")
            return
        }
    }

    @Test func `says once that a primary's clock and its own disagree, and once that they agree again`()
        async throws
    {
        let bench = try bench()
        for seconds: Int64 in [0, 10, 3600, 3601, 3600, 5, 0] {
            bench.receive(proposal(try [entry("a")], on: root, secondsAhead: seconds), from: 0)
            // Whether it gets a vote is the replica's to say.
            guard case .proposal = await bench.next() else {
                Issue.record("it did not come through")
                return
            }
        }
        let reports = bench.reports.withLock { $0 }
        #expect(reports.count == 2, "\(reports)")
        #expect(reports.first?.contains("3600 s ahead of this node's clock") == true)
        #expect(reports.last?.contains("agree with this node's clock again") == true)
    }

    @Test func `takes forwarded entries that hold, and leaves the others out`() async throws {
        let bench = try bench()
        let good = try entry("a")
        let sealed = try #require(good.sealed)
        let bad = Entry(
            statement: try entry("b").statement,
            sealed: .init(payload: sealed.payload, contentKey: sealed.contentKey))
        bench.receive(.entries([bad, good].map(EntryBytes.init)), from: 3)
        guard case .forwarded(let entries) = await bench.next() else {
            Issue.record("they did not come through")
            return
        }
        #expect(entries.map(\.identity?.id) == ["a"])
    }

    @Test func `goes on while others keep all shared threads of the process busy`() async throws {
        let bench = try bench()
        let entries = try (0..<8).map { try entry("\($0)") }
        // Too large to be checked where it is received.
        let large = proposal(entries, on: root)
        #expect(large.frame.body.count > Limits.smallEntriesBytes)
        let isOver = Atomic(false)
        let busy = DispatchGroup()
        for _ in 0..<64 {
            DispatchQueue.global(qos: .userInitiated).async(group: busy) {
                while !isOver.load(ordering: .relaxed) {}
            }
        }
        bench.receive(large, from: 0)
        let event = await bench.next()
        isOver.store(true, ordering: .relaxed)
        guard case .proposal = event else {
            Issue.record("it did not come through")
            return
        }
        await withCheckedContinuation { done in busy.notify(queue: .global()) { done.resume() } }
    }

    @Test func `drops what does not decode, and goes on`() async throws {
        let bench = try bench()
        for kind in Frame.Kind.allCases {
            _ = bench.stage.receive(Frame(kind: kind, body: [9]), from: ReplicaID(3), resume: {})
        }
        bench.receive(marker(7), from: 3)
        guard case .message(let message) = await bench.next() else {
            Issue.record("nothing came through")
            return
        }
        #expect(message.value == marker(7))
        #expect(message.sender == ReplicaID(3))
        #expect(bench.stage.dropCount == UInt64(Frame.Kind.allCases.count))
    }

    private func prepare(by node: Int, signedBy key: Int? = nil) -> Message {
        let prepare = Prepare(BlockMark(view: View(0), height: BlockHeight(1), headerHash: .zero))
        let context = SigningContext(ledgerID: ledger.ledgerID, epoch: Epoch(0))
        return .prepare(
            Signed(
                prepare, signer: ReplicaID(UInt16(node)),
                signature: ledger.voteKeys[key ?? node].sign(prepare.signedBytes(context))))
    }

    @Test func `has checked a vote when it returns, where nothing of its sender waits`() throws {
        let bench = try bench()
        bench.receive(prepare(by: 1), from: 1)
        let events = bench.mailbox.takeAll().events
        #expect(events.count == 1)
        guard case .message(let message) = events.first else {
            Issue.record("it did not come through")
            return
        }
        #expect(message.value == prepare(by: 1))
        #expect(message.sender == ReplicaID(1))
    }

    @Test func `refuses a vote on the spot that its sender did not sign, or that is another's`() throws {
        let bench = try bench()
        bench.receive(prepare(by: 1, signedBy: 2), from: 1)
        bench.receive(prepare(by: 2), from: 1)
        #expect(bench.mailbox.takeAll().isEmpty)
        #expect(bench.stage.dropCount(of: ReplicaID(1)) == 2)
        #expect(bench.stage.dropCount(of: ReplicaID(2)) == 0)
    }

    @Test func `keeps the order of one peer, though a vote takes less time than what came before it`()
        async throws
    {
        let bench = try bench()
        let count = 2 * Limits.smallEntriesBytes / 512
        let entries = try (0..<count).map { try entry("\($0)") }
        let large = proposal(entries, on: root)
        #expect(large.frame.body.count > Limits.smallEntriesBytes)
        bench.receive(large, from: 0)
        for view: UInt64 in 1...50 { bench.receive(marker(view), from: 0) }
        var views: [UInt64] = []
        var hasProposal = false
        while views.count < 50 {
            guard let events = await bench.nextRound() else { return }
            for event in events {
                if case .proposal = event {
                    #expect(views.isEmpty, "a vote came out before the proposal that was sent before it")
                    hasProposal = true
                }
                if case .message(let message) = event, case .complaint(let view) = message.value {
                    views.append(view.value)
                }
            }
        }
        #expect(hasProposal)
        #expect(views == Array(1...50))
    }

    @Test func `stops reading from a peer that floods, and resumes`() async throws {
        let bench = try bench()
        let resumed = AsyncStream.makeStream(of: Void.self)
        let frame = Frame(kind: .entries, body: [UInt8](repeating: 0, count: 1 << 20))
        var isRoomy = true
        var count = 0
        while isRoomy {
            isRoomy = bench.stage.receive(
                frame, from: ReplicaID(1), resume: { resumed.continuation.yield() })
            count += 1
            // One that is checked as fast as it comes is never stopped.
            guard count < 100_000 else { return }
        }
        var iterator = resumed.stream.makeAsyncIterator()
        #expect(await iterator.next() != nil)
        #expect(bench.mailbox.takeAll().isEmpty)
    }
}
