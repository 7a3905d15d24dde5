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

    private var now: Tick { Tick(ledger.start) }

    private func make() -> Replica {
        Replica(
            id: ReplicaID(0),
            committed: .init(tip: ChainTip(genesis: ledger.genesis, id: ledger.ledgerID), state: state),
            accepted: [], highestPrepared: nil)
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

    private func vote(_ header: BlockHeader) -> Event {
        .commitVote(
            CommitVote(
                replica: ReplicaID(0), view: header.view, height: header.height, headerHash: header.hash,
                signature: ledger.voteKey.sign(ledger.electorate.commitMessage(for: header))))
    }

    /// Does what the driver does, on a disk that never fails.
    private func settle(_ replica: inout Replica, _ effects: Effects) -> [CertifiedBlock] {
        var committed = effects.commit
        if let save = effects.save {
            let height = save.accepted.last?.block.header.height ?? replica.tip.header.height
            committed += settle(&replica, replica.handle(.durable(height), at: now))
        }
        for case .commit(let header) in effects.send {
            committed += settle(&replica, replica.handle(vote(header), at: now))
        }
        return committed
    }

    @Test func `proposes a lone entry at once, and says nothing before it is on the disk`() throws {
        var replica = make()
        let effects = replica.handle(.entries([try entry("one")]), at: now)
        #expect(effects.save?.accepted.count == 1)
        #expect(effects.send.isEmpty)
        #expect(effects.commit.isEmpty)
        let durable = replica.handle(.durable(BlockHeight(1)), at: now)
        #expect(durable.send.count == 1)
        #expect(durable.commit.isEmpty)
        guard case .commit(let header) = try #require(durable.send.first) else { return }
        let final = replica.handle(vote(header), at: now)
        #expect(final.commit.count == 1)
        #expect(replica.committed.tip.header == header)
        try #require(final.commit.first?.certificate).verify(by: ledger.electorate)
    }

    @Test func `gathers entries while the window is full`() throws {
        var replica = make()
        for number in 0..<Limits.window {
            let effects = replica.handle(.entries([try entry("\(number)")]), at: now)
            #expect(effects.save?.accepted.count == 1)
        }
        for number in 0..<5 {
            let effects = replica.handle(.entries([try entry("late \(number)")]), at: now)
            #expect(effects.save == nil)
        }
        let durable = replica.handle(.durable(BlockHeight(Limits.window)), at: now)
        #expect(durable.send.count == Int(Limits.window))
        guard case .commit(let first) = try #require(durable.send.first) else { return }
        let effects = replica.handle(vote(first), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [5])
    }

    @Test func `settles all ancestors with one vote`() throws {
        var replica = make()
        for number in 0..<3 { _ = replica.handle(.entries([try entry("\(number)")]), at: now) }
        let durable = replica.handle(.durable(BlockHeight(3)), at: now)
        guard case .commit(let last) = try #require(durable.send.last) else { return }
        let effects = replica.handle(vote(last), at: now)
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
        _ = settle(&replica, replica.handle(.entries([opened]), at: now))
        let count = Ledger.Limits.blockEntries + 10
        let entries = try (0..<count).map { number in
            try checker.check(
                try ledger.kpis(id: "\(number)", sealedTo: session), expecting: .sealed,
                state: replica.committed.state,
                clock: ledger.start)
        }
        let effects = replica.handle(.entries(entries), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [Ledger.Limits.blockEntries, 10])
    }

    @Test func `ends a block behind an entry that changes the rules`() throws {
        var replica = make()
        let newcomer = ledger.identities.newcomers[0]
        let entries = [
            try entry("before"), try record(try ledger.enrol(newcomer, sequence: 1)), try entry("behind"),
            try record(try ledger.revoke(ledger.identities.ci2, sequence: 2)), try entry("after"),
        ]
        let effects = replica.handle(.entries(entries), at: now)
        #expect(effects.save?.accepted.map(\.entries.count) == [2, 2])
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
        _ = replica.handle(.durable(BlockHeight(1)), at: now)
        let lost = [try entry("lost 1"), try entry("lost 2")]
        for entry in lost { _ = replica.handle(.entries([entry]), at: now) }
        let effects = replica.handle(.notDurable(above: BlockHeight(1)), at: now)
        #expect(Set(effects.refuse.map(\.entry)) == Set(lost.map(\.entry.statement.digest)))
        #expect(effects.save == nil)
        #expect(effects.send.isEmpty)
        #expect(replica.tip.header.height == BlockHeight(1))
        let again = replica.handle(.entries([lost[0]]), at: now)
        #expect(again.save?.accepted.map(\.block.header.height.value) == [2])
    }

    @Test func `never puts a block before its parent in time`() throws {
        var replica = make()
        _ = settle(&replica, replica.handle(.entries([try entry("one")]), at: now))
        let early = Tick(ledger.start.advanced(byMilliseconds: -60_000))
        _ = replica.handle(.entries([try entry("two")]), at: early)
        #expect(replica.tip.header.time == ledger.start)
    }

    @Test func `ignores votes for other blocks and of strangers`() throws {
        var replica = make()
        _ = replica.handle(.entries([try entry("one")]), at: now)
        let durable = replica.handle(.durable(BlockHeight(1)), at: now)
        guard case .commit(let header) = try #require(durable.send.first) else { return }
        for (view, height, hash) in [
            (header.view, BlockHeight(2), header.hash), (View(1), header.height, header.hash),
            (header.view, header.height, Digest.sha256([1])), (header.view, BlockHeight(.max), header.hash),
        ] {
            let vote = CommitVote(
                replica: ReplicaID(0), view: view, height: height, headerHash: hash,
                signature: [UInt8](repeating: 0, count: 64))
            #expect(replica.handle(.commitVote(vote), at: now).commit.isEmpty)
        }
        #expect(replica.handle(vote(header), at: now).commit.count == 1)
        #expect(replica.handle(vote(header), at: now).commit.isEmpty)
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

        let sent = before.handle(.durable(one.tip.header.height), at: now).send
        var restarted = Replica(
            id: ReplicaID(0),
            committed: .init(tip: ChainTip(genesis: ledger.genesis, id: ledger.ledgerID), state: state),
            accepted: accepted, highestPrepared: before.highestPrepared)
        let after = restarted.handle(.durable(restarted.tip.header.height), at: now).send
        #expect(headers(sent) == headers(after))
        #expect(
            headers(sent).map(ledger.electorate.commitMessage)
                == headers(after).map(ledger.electorate.commitMessage))
        // What is pending is known to be on its way.
        #expect(restarted.handle(.entries([entries[0]]), at: now).save == nil)
    }

    private func headers(_ messages: [Outgoing]) -> [BlockHeader] {
        messages.map { message in
            switch message {
            case .commit(let header): header
            }
        }
    }
}
