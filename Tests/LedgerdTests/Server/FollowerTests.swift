import Ledger
import Logging
import Replication
import Synchronization
import TestSupport
import Testing

@testable import Query
@testable import ledgerd

/// What counts, from all entries at once.
private struct Recount {
    struct Entry {
        var submitter = ""
        var id = ""
        var replaces: String?
        var value: Int64 = 0
        var isErased = false
    }

    var entries: [Entry?] = []

    /// What the values that count sum up to when the log has `size` entries.
    func sum(asOf size: Int) -> Int64 {
        var origin: [Int: Int] = [:]
        var counting: [Int: Int] = [:]
        for (index, entry) in entries.prefix(size).enumerated() {
            guard let entry, !entry.isErased else { continue }
            let replaced = entries[..<index].lastIndex {
                $0?.submitter == entry.submitter && $0?.id == entry.replaces
            }
            if let replaced { origin[index] = origin[replaced] ?? replaced }
            counting[origin[index] ?? index] = index
        }
        return counting.values.reduce(0) { $0 + (entries[$1]?.value ?? 0) }
    }
}

extension QueryStore {
    /// Puts into the place of a series what its writer never wrote.
    func damageSeries() throws {
        let table: Table<UInt64, [UInt8]> = store.table("series-trees")
        try store.write { transaction throws(StoreError) in
            guard let first = try transaction.first(table)?.key else { return }
            try transaction.put(table, first, [1, 2, 3])
        }
    }
}

/// A query store in a directory of its own, with a follower.
private struct Followed {
    let store: QueryStore
    let follower: Follower
    private let directory: TemporaryDirectory

    init(_ log: LogStore, of ledger: TestLedger) throws {
        directory = try TemporaryDirectory()
        store = try QueryStore.open(directory: directory.path + "/query", ledger: ledger.ledgerID).store
        follower = try Follower(log: log, store: store, logger: Logger(label: "test"))
    }

    func follow(to size: UInt64) async throws {
        follower.follow(to: size)
        await follower.settle()
        #expect(follower.trouble == nil)
        #expect(try store.nextIndex().value == size)
        #expect(follower.followed.size == size)
    }

    func sum(asOf size: UInt64 = .max, at time: Timestamp) throws -> Double {
        let answer = try QueryEngine(store: store, asOf: size).instant("sum(sum_over_time(m[1h]))", at: time)
        guard case .vector(let series) = answer else { return .nan }
        return series.first?.points.first?.value ?? 0
    }
}

@Suite(.timeLimit(.minutes(20))) struct `What follows the log` {
    /// Corrections of documents before and behind them, of nobody's, of others', of sessions and of erased ones.
    private func fill(
        _ ledger: TestLedger, seed: UInt64, count: Int,
        append: ([UInt8], Statement.ContentType) async throws -> UInt64
    ) async throws -> Recount {
        var random = SeededGenerator(seed: seed)
        var recount = Recount()
        let submitters = [ledger.identities.ci2, ledger.identities.ci]
        let session = try ledger.session(by: ledger.identities.ci2)
        #expect(try await append(session.submission, .sealed) == 0)
        recount.entries.append(.init(submitter: session.submitter.name, id: "session"))
        var sequence: UInt64 = 0
        for number in 1..<count {
            let erasable = recount.entries.indices.filter {
                recount.entries[$0].map { !$0.isErased && $0.id != "session" } ?? false
            }
            if Int.random(in: 0..<6, using: &random) == 0, let erased = erasable.randomElement(using: &random)
            {
                sequence += 1
                let record = try ledger.erase(EntryIndex(UInt64(erased)), sequence: sequence)
                #expect(try await append(record, .governance) == UInt64(number))
                recount.entries[erased]?.isErased = true
                recount.entries.append(nil)
                continue
            }
            let submitter = submitters[Int.random(in: 0...3, using: &random) == 0 ? 1 : 0]
            var entry = Recount.Entry(submitter: submitter.name, id: "d\(number)")
            entry.value = Int64.random(in: 1...1_000_000, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0...2: entry.replaces = "d\(Int.random(in: 0..<number, using: &random))"
            case 3: entry.replaces = "d\(Int.random(in: number + 1...count + 5, using: &random))"
            case 4: entry.replaces = "session"
            default: break
            }
            let measures = [try ledger.measure("m", "\(entry.value)", labels: [("n", "\(number % 3)")])]
            let index = try await append(
                try ledger.kpis(
                    id: entry.id, measures, replaces: entry.replaces, by: submitter,
                    sealedTo: submitter.name == session.submitter.name ? session : nil), .sealed)
            #expect(index == UInt64(number))
            recount.entries.append(entry)
        }
        return recount
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `is the same whether it followed live or reads the log again`(seed: UInt64) async throws {
        let ledger = try TestLedger()
        let directory = try TemporaryDirectory()
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full))
        let live = try Followed(log, of: ledger)
        let follower = live.follower
        let running = try RunningLedger(
            ledger, log, clock: ManualClock(at: ledger.start),
            onCommit: { follower.follow(to: $0.size, $1) })
        // Others that read what is there now and then, before or after something of it is erased.
        var others: [Followed] = []
        var size: UInt64 = 0
        let recount = try await fill(ledger, seed: seed, count: 90) { submission, type in
            let index = try await running.append(submission, as: type).index.value
            size = index + 1
            if index % 7 == 0 { await follower.settle() }
            if index % 30 == 29 {
                let other = try Followed(log, of: ledger)
                try await other.follow(to: size)
                others.append(other)
            }
            return index
        }
        try await live.follow(to: size)
        let digest = try live.store.digest()
        others.append(try Followed(log, of: ledger))
        #expect(others.count == 4)
        for other in others {
            try await other.follow(to: size)
            #expect(try other.store.digest() == digest)
        }
        for asOf in [90, 1, 13, 44, 71, 89] {
            let expected = Double(recount.sum(asOf: asOf))
            #expect(try live.sum(asOf: UInt64(asOf), at: ledger.start) == expected, "as of \(asOf)")
        }
        #expect(try live.sum(at: ledger.start) == Double(recount.sum(asOf: 90)))
        // Something was in fact corrected.
        let plain = recount.entries.reduce(0) { $0 + ($1.map { $0.isErased ? 0 : $0.value } ?? 0) }
        #expect(plain != recount.sum(asOf: 90))
        await running.driver.stop()
    }

    @Test func `is made anew from the log where a question finds it damaged, and not for ever`() async throws
    {
        let ledger = try TestLedger()
        let directory = try TemporaryDirectory()
        let log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.full))
        let running = try RunningLedger(ledger, log, clock: ManualClock(at: ledger.start))
        let recount = try await fill(ledger, seed: 5, count: 40) { submission, type in
            try await running.append(submission, as: type).index.value
        }
        let followed = try Followed(log, of: ledger)
        try await followed.follow(to: 40)
        let digest = try followed.store.digest()
        for _ in 0..<Limits.followerRepairs {
            try followed.store.damageSeries()
            #expect(throws: QueryError.self) { try followed.sum(at: ledger.start) }
            await followed.follower.settle()
            #expect(followed.store.damage == nil)
            #expect(followed.follower.trouble == nil)
            #expect(followed.follower.followed.size == 40)
            #expect(try followed.store.digest() == digest)
            #expect(try followed.sum(at: ledger.start) == Double(recount.sum(asOf: 40)))
        }
        try followed.store.damageSeries()
        #expect(throws: QueryError.self) { try followed.sum(at: ledger.start) }
        await followed.follower.settle()
        #expect(followed.follower.trouble != nil)
        await running.driver.stop()
    }

    @Test func `is the same on every node`() async throws {
        let ledger = try TestLedger(members: 4)
        let cluster = try await Cluster(ledger)
        let recount = try await fill(ledger, seed: 7, count: 40) { submission, type in
            // All at one node, so that the next document rests on what is final there.
            try await cluster.append(submission, at: 0, as: type).index.value
        }
        try await cluster.level(at: 40)
        var digests: Set<Digest> = []
        for node in cluster.running {
            let followed = try Followed(node.log, of: ledger)
            try await followed.follow(to: 40)
            digests.insert(try followed.store.digest())
            #expect(try followed.sum(at: ledger.start) == Double(recount.sum(asOf: 40)))
        }
        #expect(digests.count == 1)
        try await cluster.stopAll()
    }
}

@Suite struct `A size that grows` {
    @Test func `wakes those who wait for it, and no others`() async {
        let growth = Growth(from: 3)
        #expect(await growth.reached(3, within: .zero))
        #expect(await !growth.reached(4, within: .milliseconds(1)))
        await withTaskGroup(of: Bool.self) { group in
            for size in 4...9 as ClosedRange<UInt64> {
                group.addTask { await growth.reached(size, within: .seconds(100)) }
            }
            growth.reach(6)
            growth.reach(5)
            for _ in 0..<3 { #expect(await group.next() == true) }
            growth.close()
            for _ in 0..<3 { #expect(await group.next() == false) }
        }
        #expect(growth.size == 6)
        #expect(await !growth.reached(7, within: .seconds(100)))
    }

    @Test func `lets go who is cancelled`() async {
        let growth = Growth()
        let waiting = Task { await growth.reached(1, within: .seconds(100)) }
        waiting.cancel()
        #expect(await !waiting.value)
    }
}

@Suite struct `The progress of what follows the log` {
    @Test func `is told every few seconds of a long way, and at its end`() {
        let start = ContinuousClock.now
        var progress = FollowerProgress(from: 1000, at: start)
        #expect(progress.line(2000, of: 9000, at: start + .seconds(1)) == nil)
        #expect(
            progress.line(3000, of: 9000, at: start + .seconds(5))
                == "queries follow the log, answers are of what they know so far: "
                + "2,000 of 8,000 entries, 400 a second, 15 s left")
        #expect(progress.line(4000, of: 9000, at: start + .seconds(6)) == nil)
        #expect(
            progress.line(9000, of: 9000, at: start + .seconds(8))
                == "queries have followed the log: 8,000 of 8,000 entries, 1,000 a second")
        #expect(progress.line(9001, of: 9001, at: start + .seconds(8)) == nil)
    }

    @Test func `is not told of a short one`() {
        let start = ContinuousClock.now
        var progress = FollowerProgress(from: 0, at: start)
        #expect(progress.line(10, of: 20, at: start + .seconds(60)) == nil)
        #expect(progress.line(20, of: 20, at: start + .seconds(60)) == nil)
    }
}
