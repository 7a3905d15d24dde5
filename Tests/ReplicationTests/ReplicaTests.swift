import Ledger
import TestSupport
import Testing

@testable import Replication

/// The replica as a value: events in, effects out.
@Suite struct `A replica` {
    private let ledger: TestLedger
    private let checker: EntryChecker
    private let state: LedgerState

    init() throws {
        ledger = try TestLedger()
        checker = try ledger.checker
        state = try ledger.initialState
    }

    private var now: Tick { Tick(ledger.start, uptime: .zero) }

    private func make() -> Replica {
        make(after: [])
    }

    /// A replica that finds these blocks above the genesis on its disk.
    private func make(after blocks: [AcceptedBlock]) -> Replica {
        let tip = ChainTip(genesis: ledger.genesis, id: ledger.ledgerID)
        return Replica(
            id: ReplicaID(0),
            from: .init(
                committed: .init(tip: tip, state: state), certificate: nil, blocks: blocks,
                tip: blocks.last?.headerHash ?? tip.headerHash, safety: SafetyState()))
    }

    private func entry(
        _ id: String, in state: LedgerState? = nil, by submitter: Identity? = nil
    ) throws -> CheckedEntry {
        try checker.check(
            try ledger.kpis(id: id, by: submitter ?? ledger.identities.ci2), expecting: .sealed,
            state: state ?? self.state, clock: ledger.start)
    }

    private func record(_ bytes: [UInt8]) throws -> CheckedEntry {
        try checker.check(bytes, expecting: .governance, state: state, clock: ledger.start)
    }

    private func vote(_ header: BlockHeader) throws -> Event {
        let verifier = MessageVerifier(
            context: SigningContext(ledgerID: ledger.ledgerID, epoch: Epoch(0)), authority: ledger.electorate)
        let vote = CommitVote(
            header, signer: ReplicaID(0),
            signature: ledger.voteKey.sign(ledger.electorate.commitMessage(for: header)))
        return .message(try verifier.verify(.commit(vote), from: ReplicaID(0)))
    }

    /// Does what the driver does, on a disk that never fails.
    private func settle(_ replica: inout Replica, _ effects: Effects) throws -> [CertifiedBlock] {
        var committed = effects.commit
        if let save = effects.save {
            committed += try settle(&replica, replica.handle(.durable(save.ticket), at: now))
        }
        for header in headers(effects.send) {
            committed += try settle(&replica, replica.handle(try vote(header), at: now))
        }
        return committed
    }

    @Test func `proposes a lone entry at once, and says nothing before it is on the disk`() throws {
        var replica = make()
        let effects = replica.handle(.entries([try entry("one")]), at: now)
        #expect(effects.save?.accepted.count == 1)
        #expect(effects.send.isEmpty)
        #expect(effects.commit.isEmpty)
        let durable = replica.handle(.durable(SaveTicket(1)), at: now)
        #expect(durable.send.count == 1)
        #expect(durable.commit.isEmpty)
        let header = try #require(headers(durable.send).first)
        let final = replica.handle(try vote(header), at: now)
        #expect(final.commit.count == 1)
        #expect(replica.committed.tip.header == header)
        try #require(final.commit.first?.certificate).verify(by: ledger.electorate)
    }

    @Test func `gathers entries while the window is full`() throws {
        var replica = make()
        for (number, count) in [1, 1, 2, 4].enumerated() {
            let entries = try (0..<count).map { try entry("\(number), \($0)") }
            let effects = replica.handle(.entries(entries), at: now)
            #expect(effects.save?.accepted.map(\.entries.count) == [count])
        }
        for number in 0..<9 {
            let effects = replica.handle(.entries([try entry("late \(number)")]), at: now)
            #expect(effects.save == nil)
        }
        let durable = replica.handle(.durable(SaveTicket(Limits.window)), at: now)
        #expect(durable.send.count == Int(Limits.window))
        let first = try #require(headers(durable.send).first)
        let effects = replica.handle(try vote(first), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [9])
    }

    @Test func `makes another block once as much waits as those under way hold, or none is under way`() throws
    {
        var replica = make()
        let ordered = try (0..<7).map { number in
            replica.handle(.entries([try entry("\(number)")]), at: now).save?.accepted.map(\.entries.count)
        }
        #expect(ordered == [[1], [1], nil, [2], nil, nil, nil])
        let durable = replica.handle(.durable(SaveTicket(3)), at: now)
        let sent = headers(durable.send)
        #expect(replica.handle(try vote(sent[0]), at: now).save?.accepted.map(\.entries.count) == [3])
        _ = replica.handle(.entries([try entry("last")]), at: now)
        _ = replica.handle(.durable(SaveTicket(4)), at: now)
        let final = try settle(&replica, replica.handle(try vote(sent[2]), at: now))
        #expect(replica.tip.header.treeSize == 7)
        #expect(final.count == 2)
        let rest = replica.handle(try vote(replica.tip.header), at: now)
        #expect(rest.save?.accepted.map(\.entries.count) == [1])
    }

    @Test func `settles all ancestors with one vote`() throws {
        var replica = make()
        for (number, count) in [1, 1, 2].enumerated() {
            let entries = try (0..<count).map { try entry("\(number), \($0)") }
            _ = replica.handle(.entries(entries), at: now)
        }
        let durable = replica.handle(.durable(SaveTicket(3)), at: now)
        let last = try #require(headers(durable.send).last)
        let effects = replica.handle(try vote(last), at: now)
        #expect(effects.commit.map(\.accepted.block.header.height.value) == [1, 2, 3])
        #expect(effects.commit.map { $0.certificate != nil } == [false, false, true])
    }

    @Test func `leaves a document out that is on its way already`() throws {
        var replica = make()
        let one = try entry("one")
        let effects = replica.handle(.entries([one, one, try entry("one")]), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [1])
        #expect(replica.handle(.entries([one]), at: now).save == nil)
    }

    @Test func `fills no block over its limit`() throws {
        var replica = make()
        let session = try ledger.session(by: ledger.identities.ci2)
        let opened = try checker.check(
            session.submission, expecting: .sealed, state: state, clock: ledger.start)
        _ = try settle(&replica, replica.handle(.entries([opened]), at: now))
        let count = Ledger.Limits.blockEntries + 10
        let entries = try (0..<count).map { number in
            try checker.check(
                try ledger.kpis(id: "\(number)", sealedTo: session), expecting: .sealed,
                state: replica.committed.state,
                clock: ledger.start)
        }
        let effects = replica.handle(.entries(entries), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [Ledger.Limits.blockEntries])
        let final = try settle(&replica, effects)
        #expect(final.map(\.accepted.entries.count) == [Ledger.Limits.blockEntries, 10])
    }

    @Test func `ends a block behind an entry that changes the rules`() throws {
        var replica = make()
        let newcomer = ledger.identities.newcomers[0]
        let entries = [
            try entry("before"), try record(try ledger.enrol(newcomer, sequence: 1)), try entry("behind"),
            try record(try ledger.revoke(ledger.identities.ci2, sequence: 2)), try entry("after"),
        ]
        let first = replica.handle(.entries(entries), at: now)
        #expect(first.save?.accepted.map(\.entries.count) == [2, 2])
        let durable = replica.handle(.durable(SaveTicket(1)), at: now)
        let effects = replica.handle(try vote(try #require(headers(durable.send).last)), at: now)
        #expect(effects.commit.count == 2)
        #expect(effects.refuse.map(\.entry) == [entries[4].entry.statement.digest])
        guard case .rule(let rejection) = try #require(effects.refuse.first).reason else {
            Issue.record("refused for another reason")
            return
        }
        #expect(rejection.code == .forbidden)
        // The refused document may come again.
        #expect(replica.handle(.entries([entries[4]]), at: now).refuse.count == 1)
    }

    @Test func `lets only one of two records with one number in`() throws {
        var replica = make()
        let records = try [0, 1].map {
            try record(try ledger.enrol(ledger.identities.newcomers[$0], sequence: 1))
        }
        let effects = replica.handle(.entries(records), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [1])
        #expect(effects.refuse.map(\.entry) == [records[1].entry.statement.digest])
    }

    @Test func `takes everything back that was not saved, and goes on`() throws {
        var replica = make()
        let kept = try entry("kept")
        _ = replica.handle(.entries([kept]), at: now)
        _ = replica.handle(.durable(SaveTicket(1)), at: now)
        let lost = [try entry("lost 1"), try entry("lost 2")]
        for entry in lost { _ = replica.handle(.entries([entry]), at: now) }
        let effects = replica.handle(.notDurable(SaveTicket(2)), at: now)
        #expect(Set(effects.refuse.map(\.entry)) == Set(lost.map(\.entry.statement.digest)))
        #expect(effects.save == nil)
        #expect(effects.send.isEmpty)
        #expect(replica.tip.header.height == BlockHeight(1))
        let again = replica.handle(.entries([lost[0]]), at: now)
        #expect(again.save?.accepted.map(\.header.height.value) == [1, 2])
    }

    @Test func `never puts a block before its parent in time`() throws {
        var replica = make()
        _ = try settle(&replica, replica.handle(.entries([try entry("one")]), at: now))
        let early = Tick(ledger.start.advanced(byMilliseconds: -60_000), uptime: .zero)
        _ = replica.handle(.entries([try entry("two")]), at: early)
        #expect(replica.tip.header.time == ledger.start)
    }

    private func tip(above header: BlockHeader) -> BlockHeader {
        BlockHeader(
            ledgerID: header.ledgerID, height: header.height.next, view: header.view, epoch: header.epoch,
            time: header.time, parent: header.hash, treeSize: header.treeSize, treeRoot: header.treeRoot,
            keyCommitments: header.keyCommitments)
    }

    @Test func `ignores votes for blocks that it does not have`() throws {
        var replica = make()
        _ = replica.handle(.entries([try entry("one")]), at: now)
        let durable = replica.handle(.durable(SaveTicket(1)), at: now)
        let header = try #require(headers(durable.send).first)
        let other = tip(above: header)
        #expect(replica.handle(try vote(other), at: now).commit.isEmpty)
        #expect(replica.handle(try vote(header), at: now).commit.count == 1)
        #expect(replica.handle(try vote(header), at: now).commit.isEmpty)
    }

    @Test func `gives the same effects for the same events, and the same votes after a restart`() throws {
        let entries = try (0..<6).map { try entry("\($0)") }
        func run() -> (Replica, [Effects]) {
            var replica = make()
            let effects = [entries[..<2], entries[2...]].map { replica.handle(.entries(Array($0)), at: now) }
            return (replica, effects)
        }
        let (one, first) = run()
        var before = one
        let (two, second) = run()
        #expect(one.tip == two.tip)
        let accepted = first.compactMap(\.save).flatMap(\.accepted)
        #expect(accepted.map(\.block) == second.compactMap(\.save).flatMap(\.accepted).map(\.block))

        let ticket = try #require(first.compactMap(\.save).last?.ticket)
        let sent = before.handle(.durable(ticket), at: now).send
        var restarted = make(after: accepted)
        let after = restarted.start(at: now, knowing: NoDocuments()).send
        #expect(headers(sent) == headers(after))
        #expect(
            headers(sent).map(ledger.electorate.commitMessage)
                == headers(after).map(ledger.electorate.commitMessage))
        // What is pending is known to be on its way.
        #expect(restarted.handle(.entries([entries[0]]), at: now).save == nil)
    }

    private func headers(_ messages: [Outgoing]) -> [BlockHeader] {
        messages.compactMap { message in
            guard case .commit(let header) = message.content else { return nil }
            return header
        }
    }
}

/// A log without documents.
private struct NoDocuments: CommittedDocuments {
    func known(among identities: [DocumentIdentity], below size: UInt64) -> Set<DocumentIdentity> { [] }
}

extension Replica {
    fileprivate mutating func handle(_ event: Event, at now: Tick) -> Effects {
        handle(event, at: now, knowing: NoDocuments())
    }
}

extension SafetyRecord {
    fileprivate var accepted: [AcceptedBlock] {
        steps.compactMap { step in
            guard case .append(let block) = step else { return nil }
            return block
        }
    }
}
