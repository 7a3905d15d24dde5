import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Replication

/// What a request was answered.
final class Answers: Sendable {
    private let results = Mutex<[Result<Acknowledgement, SubmissionFailure>]>([])
    var answer: Mailbox.Answer { { result in self.results.withLock { $0.append(result) } } }
    var all: [Result<Acknowledgement, SubmissionFailure>] { results.withLock { $0 } }
    var acknowledged: [Acknowledgement] { all.compactMap { try? $0.get() } }
}

@Suite struct `A mailbox` {
    private let ledger: TestLedger
    private let entry: CheckedEntry

    init() throws {
        ledger = try TestLedger()
        entry = try ledger.checker.check(
            try ledger.kpis(id: "one", by: ledger.identities.ci2), expecting: .sealed,
            state: ledger.initialState,
            clock: ledger.start)
    }

    private let wakes = Counted()

    private func mailbox(peers: Int = 0) -> Mailbox {
        let mailbox = Mailbox(peers: peers)
        mailbox.onWake { [wakes] _ in wakes.increment() }
        return mailbox
    }

    @Test func `refuses what is over its bounds, and takes again once it is emptied`() {
        let mailbox = mailbox()
        let answers = Answers()
        for number in 0..<Limits.waitingEntries {
            if mailbox.put(.init(entry: entry, answer: answers.answer)) != nil {
                Issue.record("refused at \(number)")
            }
        }
        #expect(wakes.count == 1)
        guard case .busy = mailbox.put(.init(entry: entry, answer: answers.answer)) else {
            Issue.record("more than the limit was taken")
            return
        }
        #expect(mailbox.depth == Limits.waitingEntries)
        #expect(mailbox.takeAll().requests.count == Limits.waitingEntries)
        #expect(mailbox.put(.init(entry: entry, answer: answers.answer)) == nil)
        #expect(wakes.count == 1, "the queue is awake until it finds nothing")
        #expect(mailbox.takeAll().requests.count == 1)
        #expect(mailbox.takeAll().isEmpty)
        #expect(mailbox.put(.init(entry: entry, answer: answers.answer)) == nil)
        #expect(wakes.count == 2)
        #expect(answers.all.isEmpty)
    }

    @Test(.timeLimit(.minutes(20))) func `wakes as cheaply the hundred-thousandth time as the first`() {
        // A closure that is wrapped once more at each call makes this take hours, and ends in an overflow of the stack.
        let mailbox = mailbox()
        for _ in 0..<100_000 {
            mailbox.put(.durable(SaveTicket(1)), .here)
            _ = mailbox.takeAll()
            _ = mailbox.takeAll()
        }
        #expect(wakes.count == 100_000)
    }

    @Test func `rests only when nothing is left, and wakes again for what comes then`() {
        let mailbox = mailbox(peers: 4)
        mailbox.put(.durable(SaveTicket(1)), .here)
        #expect(!mailbox.takeAll(isDiskBusy: true).isEmpty)
        #expect(mailbox.put(.tick, from: ReplicaID(1), byteCount: 1))
        #expect(!mailbox.rest(), "an event waits")
        #expect(mailbox.takeAll(isDiskBusy: true).events.count == 1)
        #expect(mailbox.put(.init(entry: entry, answer: { _ in })) == nil)
        #expect(mailbox.rest(), "entries wait for the disk, and it will say so")
        #expect(wakes.count == 1)
        mailbox.diskRests()
        #expect(wakes.count == 2)
        #expect(mailbox.takeAll().requests.count == 1)
        #expect(mailbox.rest())
    }

    @Test func `says who is to go on`() {
        let mailbox = Mailbox(peers: 4)
        let wakings = Mutex<[Mailbox.Waking]>([])
        mailbox.onWake { waking in wakings.withLock { $0.append(waking) } }
        func rest() {
            _ = mailbox.takeAll()
            #expect(mailbox.rest())
        }
        mailbox.put(.durable(SaveTicket(1)), .here)
        rest()
        mailbox.put(.durable(SaveTicket(2)), .onItsThread)
        rest()
        // Whoever brings what a peer said goes on.
        #expect(mailbox.put(.tick, from: ReplicaID(1), byteCount: 1))
        rest()
        // A client's task does not.
        #expect(mailbox.put(.init(entry: entry, answer: { _ in })) == nil)
        #expect(wakings.withLock { $0 } == [.here, .onItsThread, .here, .onItsThread])
    }

    @Test func `counts bytes as well as entries`() throws {
        let mailbox = mailbox()
        // A long label value, many times: most of a submission's limit.
        let label = ("l", String(repeating: "x", count: 1000))
        let measures = try (0..<700).map { try ledger.measure("m\($0)", labels: [label]) }
        let large = try ledger.checker.check(
            try ledger.kpis(id: "large", measures, by: ledger.identities.ci2), expecting: .sealed,
            state: ledger.initialState, clock: ledger.start)
        let room = Limits.waitingBytes / large.entry.byteCount
        #expect(room < Limits.waitingEntries)
        for _ in 0..<room {
            if mailbox.put(.init(entry: large, answer: { _ in })) != nil { Issue.record("refused too early") }
        }
        guard case .busy = mailbox.put(.init(entry: large, answer: { _ in })) else {
            Issue.record("more bytes than the limit were taken")
            return
        }
    }

    @Test func `takes nothing once it is closed, and hands out what waits`() {
        let mailbox = mailbox()
        _ = mailbox.put(.init(entry: entry, answer: { _ in }))
        mailbox.close()
        guard case .stopped = mailbox.put(.init(entry: entry, answer: { _ in })) else {
            Issue.record("taken by a closed mailbox")
            return
        }
        #expect(mailbox.takeAll().requests.count == 1)
    }

    @Test func `gives each peer a share, whatever another sends`() {
        let mailbox = mailbox(peers: 3)
        let flood = ReplicaID(1)
        for _ in 0..<Limits.peerEvents { #expect(mailbox.put(.tick, from: flood, byteCount: 1)) }
        #expect(!mailbox.put(.tick, from: flood, byteCount: 1))
        #expect(mailbox.put(.tick, from: ReplicaID(2), byteCount: 1))
        #expect(mailbox.put(.init(entry: entry, answer: { _ in })) == nil)
        #expect(mailbox.takeAll().events.count == Limits.peerEvents + 1)
        #expect(mailbox.put(.tick, from: flood, byteCount: Limits.peerEventBytes + 1))
        #expect(!mailbox.put(.tick, from: flood, byteCount: 1), "one that is large fills the share")
        #expect(!mailbox.put(.tick, from: ReplicaID(9), byteCount: 1), "a stranger has none")
    }

    @Test func `keeps entries while the disk is at work, and nothing else`() {
        let mailbox = mailbox(peers: 1)
        #expect(mailbox.put(.init(entry: entry, answer: { _ in })) == nil)
        #expect(mailbox.put(.tick, from: ReplicaID(0), byteCount: 1))
        let held = mailbox.takeAll(isDiskBusy: true)
        #expect(held.events.count == 1)
        #expect(held.requests.isEmpty)
        #expect(mailbox.takeAll(isDiskBusy: true).isEmpty)
        let before = wakes.count
        #expect(mailbox.put(.init(entry: entry, answer: { _ in })) == nil)
        #expect(wakes.count == before)
        mailbox.put(.durable(SaveTicket(1)), .here)
        #expect(wakes.count == before + 1)
        let batch = mailbox.takeAll(isDiskBusy: true)
        #expect(batch.outcomes.count == 1)
        #expect(batch.requests.count == 2)
        _ = mailbox.takeAll()
        #expect(mailbox.put(.init(entry: entry, answer: { _ in })) == nil)
        #expect(mailbox.takeAll(isDiskBusy: true).isEmpty)
        mailbox.diskRests()
        #expect(mailbox.takeAll().requests.count == 1)
    }
}

/// How often something happened.
final class Counted: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func increment() { value.withLock { $0 += 1 } }
}

@Suite struct `Those who wait` {
    private let ledger: TestLedger
    private let checker: EntryChecker

    init() throws {
        ledger = try TestLedger()
        checker = try ledger.checker
    }

    private func entry(_ id: String, _ value: String = "1") throws -> CheckedEntry {
        try checker.check(
            try ledger.kpis(id: id, [try ledger.measure("m", value)], by: ledger.identities.ci2),
            expecting: .sealed,
            state: ledger.initialState, clock: ledger.start)
    }

    @Test func `for one document are all answered with its index, the first as new`() throws {
        var waiters = Waiters()
        let answers = (0..<3).map { _ in Answers() }
        let entries = try (0..<3).map { _ in try entry("one") }
        for (entry, answer) in zip(entries, answers) {
            _ = waiters.join(.init(entry: entry, answer: answer.answer))
        }
        waiters.settle(entries[0], at: EntryIndex(7))
        #expect(answers.flatMap(\.acknowledged).map(\.index.value) == [7, 7, 7])
        #expect(answers.flatMap(\.acknowledged).map(\.isNew) == [true, false, false])
        waiters.settle(entries[0], at: EntryIndex(7))
        #expect(answers.map(\.all.count) == [1, 1, 1])
    }

    @Test func `with another content under the id are refused at once`() throws {
        var waiters = Waiters()
        guard case .first = waiters.join(.init(entry: try entry("one", "1"), answer: { _ in })) else {
            return
        }
        guard
            case .refused(let rejection) = waiters.join(.init(entry: try entry("one", "2"), answer: { _ in }))
        else {
            Issue.record("joined")
            return
        }
        #expect(rejection.code == .conflict)
    }

    @Test func `are told what became of their id when another node's entry took it`() throws {
        var waiters = Waiters()
        let mine = Answers()
        _ = waiters.join(.init(entry: try entry("one", "1"), answer: mine.answer))
        waiters.settle(try entry("one", "2"), at: EntryIndex(3))
        guard case .failure(.rejected(let rejection)) = try #require(mine.all.first) else {
            Issue.record("answered otherwise")
            return
        }
        #expect(rejection.code == .conflict)
        // The same content under another signature: it is there, and is not new.
        let again = Answers()
        _ = waiters.join(.init(entry: try entry("two"), answer: again.answer))
        waiters.settle(try entry("two"), at: EntryIndex(4))
        #expect(again.acknowledged.map(\.isNew) == [false])
    }

    @Test func `are told when their time is over, each at its own`() throws {
        var waiters = Waiters()
        let answers = (0..<3).map { _ in Answers() }
        let one = try entry("one")
        _ = waiters.join(.init(entry: one, deadline: .seconds(10), answer: answers[0].answer))
        _ = waiters.join(.init(entry: one, deadline: .seconds(12), answer: answers[1].answer))
        #expect(waiters.nextDeadline == .seconds(10))
        waiters.expire(at: .seconds(11))
        guard case .failure(.timeout) = try #require(answers[0].all.first) else {
            Issue.record("answered otherwise")
            return
        }
        waiters.settle(one, at: EntryIndex(1))
        #expect(answers[1].acknowledged.map(\.index.value) == [1])
        waiters.expire(at: .seconds(20))
        #expect(answers.map(\.all.count) == [1, 1, 0])
        // Whoever comes after a timeout asks anew.
        _ = waiters.join(.init(entry: one, deadline: .seconds(30), answer: answers[2].answer))
        waiters.abandon()
        #expect(waiters.isEmpty)
        #expect(answers[2].all.count == 1)
    }

    @Test func `are told when their entry is refused, and may come again`() throws {
        var waiters = Waiters()
        let answers = Answers()
        let entry = try entry("one")
        _ = waiters.join(.init(entry: entry, answer: answers.answer))
        waiters.resolve(
            Refusal(entry: entry.entry.statement.digest, reason: .notSaved), storage: .full(directory: "d"))
        guard case .failure(.storage(.full(directory: "d"))) = try #require(answers.all.first) else {
            Issue.record("answered otherwise")
            return
        }
        guard case .first = waiters.join(.init(entry: entry, answer: answers.answer)) else {
            Issue.record("the refused request still waits")
            return
        }
    }
}
