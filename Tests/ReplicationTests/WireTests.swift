import Ledger
import NIOCore
import TestSupport
import Testing

@testable import Replication

/// One of every message, and what strangers make of their bytes.
@Suite struct `The wire` {
    private let ledger: TestLedger
    private let messages: [Message]
    private let block: Block

    init() throws {
        let ledger = try TestLedger()
        self.ledger = ledger
        let checker = try ledger.checker
        let state = try ledger.initialState
        let entries = try (0..<3).map { number in
            try checker.check(
                try ledger.kpis(id: "\(number)", by: ledger.identities.ci2), expecting: .sealed, state: state,
                clock: ledger.start
            ).entry
        }
        let record = try checker.check(
            try ledger.enrol(ledger.identities.newcomers[0], sequence: 1), expecting: .governance,
            state: state,
            clock: ledger.start
        ).entry
        let extended = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
            .extended(by: entries + [record], view: View(3), epoch: Epoch(0), clock: ledger.start)
        block = extended.block
        let mark = BlockMark(block.header, hash: block.header.hash)
        func signature(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 64) }
        let nodes = (0..<3).map { ReplicaID(UInt16($0)) }
        let prepared = try #require(
            PreparedCertificate(
                mark: mark, votes: nodes.map { .init(member: $0, signature: signature(UInt8($0.value))) }))
        let committed = try #require(
            CommitCertificate(
                header: block.header,
                cosignatures: nodes.map { .init(member: $0, signature: signature(7)) }))
        let claims = nodes.map {
            Signed(
                Claim(view: View(4), prepared: $0.value == 1 ? mark : nil, committed: mark), signer: $0,
                signature: signature(9))
        }
        let newView = NewView(
            installation: Signed(
                Installation(view: View(4), claims: claims), signer: nodes[1], signature: signature(2)),
            certificate: .committed(committed))
        let identity = DocumentIdentity(submitter: "ci2", id: "0")
        let erased = Entry(
            statement: entries[0].statement, erasedKeyCommitment: entries[0].keyCommitment)
        messages = [
            .proposal(
                Proposal(
                    block: ProposedBlock(block),
                    prepare: Signed(Prepare(mark), signer: nodes[0], signature: signature(1)))),
            .prepare(Signed(Prepare(mark), signer: nodes[2], signature: signature(3))),
            .commit(CommitVote(block.header, signer: nodes[1], signature: signature(4))),
            .complaint(View(8)),
            .viewChange(ViewChange(claim: claims[1], prepared: prepared, committed: committed)),
            .viewChange(ViewChange(claim: claims[0], prepared: nil, committed: nil)),
            .newView(newView),
            .newView(NewView(installation: newView.installation, certificate: .prepared(prepared))),
            .newView(NewView(installation: newView.installation, certificate: nil)),
            .prepared(prepared), .committed(committed),
            .status(
                Status(
                    view: View(4), isChanging: true, asksFor: View(5), tip: BlockHeight(9),
                    committed: BlockHeight(7))),
            .entries((entries + [record]).map(EntryBytes.init)), .entries([]),
            .fetch(.committed(after: BlockHeight(5))),
            .fetch(.ancestry(of: mark.headerHash, at: mark.height, above: .genesis)),
            .fetched(
                FetchedBlocks(
                    blocks: [
                        FetchedBlock(
                            header: block.header,
                            entries: [.erased(erased, identity)]
                                + block.entries.dropFirst().map { .whole(EntryBytes($0)) })
                    ], certificate: committed)),
            .fetched(FetchedBlocks(blocks: [], certificate: nil)),
        ]
    }

    @Test func `carries every message unchanged, one way only`() throws {
        for message in messages {
            let frame = message.frame
            #expect(try Message(frame) == message)
            #expect(try Message(frame).frame == frame)
            let bytes = Array(frame.buffer.readableBytesView)
            let length = bytes[0..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let head = try Frame.Head(length: length, kind: bytes[4])
            #expect(head.kind == frame.kind)
            #expect(head.bodyBytes == frame.body.count)
        }
    }

    @Test func `refuses every message that is cut short, or has more behind it`() {
        for message in messages {
            let frame = message.frame
            let step = max(1, frame.body.count / 97)
            for count in stride(from: 0, to: frame.body.count, by: step) {
                #expect(throws: DecodingFailure.self) {
                    try Message(Frame(kind: frame.kind, body: Array(frame.body.prefix(count))))
                }
            }
            #expect(throws: DecodingFailure.self) {
                try Message(Frame(kind: frame.kind, body: frame.body + [0]))
            }
        }
    }

    @Test func `survives bytes that were flipped at random`() {
        var random = SeededGenerator(seed: 20_261_123)
        for message in messages {
            let frame = message.frame
            guard !frame.body.isEmpty else { continue }
            for _ in 0..<200 {
                var body = frame.body
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                // Whatever still decodes has one encoding: these bytes.
                guard let decoded = try? Message(Frame(kind: frame.kind, body: body)) else { continue }
                #expect(decoded.frame.body == body)
            }
        }
    }

    @Test func `survives noise of every kind`() {
        var random = SeededGenerator(seed: 5)
        for kind in Frame.Kind.allCases {
            for _ in 0..<300 {
                let body = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                _ = try? Message(Frame(kind: kind, body: body))
                _ = try? Hello(Frame(kind: kind, body: body))
                _ = try? SafetyState(decoding: body)
                _ = try? Equivocation(decoding: body)
            }
        }
    }

    @Test func `sets nothing aside for a length that is over the limit of its kind`() throws {
        for kind in Frame.Kind.allCases {
            let limit = UInt32(kind.limitBytes)
            #expect(try Frame.Head(length: limit + 1, kind: kind.rawValue).bodyBytes == kind.limitBytes)
            for length in [0, limit + 2, .max] {
                #expect(throws: DecodingFailure.self) { try Frame.Head(length: length, kind: kind.rawValue) }
            }
        }
        #expect(throws: DecodingFailure.self) { try Frame.Head(length: 1, kind: 200) }
    }

    @Test func `has room for the largest block`() {
        #expect(Frame.Kind.proposal.limitBytes > Ledger.Limits.blockBytes + Ledger.Limits.blockEntries * 41)
        #expect(Frame.Kind.fetched.limitBytes > Int(Limits.window + 1) * Frame.Kind.proposal.limitBytes)
        #expect(Frame.Kind.entries.limitBytes > Limits.forwardedBytes + Ledger.Limits.submissionBytes)
    }

    @Test func `greets with version, ledger and node`() throws {
        let hello = Hello(ledgerID: ledger.ledgerID, node: ReplicaID(3))
        #expect(try Hello(hello.frame) == hello)
        var body = hello.frame.body
        body[0] = 9
        #expect(throws: DecodingFailure.self) { try Hello(Frame(kind: .hello, body: body)) }
        #expect(throws: DecodingFailure.self) { try Hello(Frame(kind: .status, body: hello.frame.body)) }
        #expect(throws: DecodingFailure.self) { try Message(hello.frame) }
        let awaited = Awaited(height: BlockHeight(300))
        #expect(try Awaited(awaited.frame) == awaited)
        for body in [[], Array(awaited.frame.body.dropLast()), awaited.frame.body + [0]] {
            #expect(throws: DecodingFailure.self) { try Awaited(Frame(kind: .awaited, body: body)) }
        }
        #expect(throws: DecodingFailure.self) { try Awaited(hello.frame) }
        #expect(throws: DecodingFailure.self) { try Message(awaited.frame) }
    }

    @Test func `keeps what signatures rest on, in every phase`() throws {
        guard case .viewChange(let change) = messages[4], case .newView(let newView) = messages[6] else {
            Issue.record("the messages are in another order")
            return
        }
        var states = [SafetyState()]
        var changing = SafetyState()
        changing.view = View(4)
        changing.phase = .changing(
            .init(claim: change.claim.body, prepared: change.prepared, committed: change.committed))
        changing.prepared = change.prepared
        states.append(changing)
        var normal = SafetyState()
        normal.view = View(4)
        normal.base = change.prepared?.mark
        normal.hasLeftItsChain = true
        normal.newView = newView
        states.append(normal)
        // A primary keeps its own NEW-VIEW unsigned.
        normal.newView = NewView(
            installation: Signed(newView.installation.body, signer: ReplicaID(0), signature: []),
            certificate: newView.certificate)
        states.append(normal)
        for state in states {
            let bytes = state.encoded
            #expect(try SafetyState(decoding: bytes) == state)
            for count in 0..<bytes.count {
                #expect(throws: DecodingFailure.self) {
                    try SafetyState(decoding: Array(bytes.prefix(count)))
                }
            }
        }
    }

    @Test func `keeps evidence`() throws {
        guard case .prepare(let prepare) = messages[1], case .commit(let vote) = messages[2],
            case .viewChange(let change) = messages[4], case .newView(let newView) = messages[6]
        else {
            Issue.record("the messages are in another order")
            return
        }
        for proof in [
            Equivocation.prepares(prepare, prepare), .commits(vote, vote),
            .viewChanges(change.claim, change.claim),
            .newViews(newView.installation, newView.installation),
        ] {
            #expect(try Equivocation(decoding: proof.encoded) == proof)
        }
    }
}
