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

    @Test func `refuses what is over its bounds, and takes again once it is emptied`() {
        let mailbox = Mailbox()
        let answers = Answers()
        for number in 0..<Limits.waitingEntries {
            switch mailbox.put(.init(entry: entry, answer: answers.answer)) {
            case .wake: #expect(number == 0)
            case .taken: if number == 0 { Issue.record("nobody was woken") }
            case .refused: Issue.record("refused at \(number)")
            }
        }
        guard case .refused(.busy) = mailbox.put(.init(entry: entry, answer: answers.answer)) else {
            Issue.record("more than the limit was taken")
            return
        }
        #expect(mailbox.depth == Limits.waitingEntries)
        #expect(mailbox.takeAll().count == Limits.waitingEntries)
        guard case .taken = mailbox.put(.init(entry: entry, answer: answers.answer)) else {
            Issue.record("the thread is awake until it finds nothing")
            return
        }
        #expect(mailbox.takeAll().count == 1)
        #expect(mailbox.takeAll().isEmpty)
        guard case .wake = mailbox.put(.init(entry: entry, answer: answers.answer)) else {
            Issue.record("the thread slept")
            return
        }
        #expect(answers.all.isEmpty)
    }

    @Test func `counts bytes as well as entries`() throws {
        let mailbox = Mailbox()
        // A long label value, many times: most of a submission's limit.
        let label = ("l", String(repeating: "x", count: 1000))
        let measures = try (0..<700).map { try ledger.measure("m\($0)", labels: [label]) }
        let large = try ledger.checker.check(
            try ledger.kpis(id: "large", measures, by: ledger.identities.ci2), expecting: .sealed,
            state: ledger.initialState, clock: ledger.start)
        let room = Limits.waitingBytes / large.entry.byteCount
        #expect(room < Limits.waitingEntries)
        for _ in 0..<room {
            if case .refused = mailbox.put(.init(entry: large, answer: { _ in })) {
                Issue.record("refused too early")
            }
        }
        guard case .refused(.busy) = mailbox.put(.init(entry: large, answer: { _ in })) else {
            Issue.record("more bytes than the limit were taken")
            return
        }
    }

    @Test func `takes nothing once it is closed, and hands out what waits`() {
        let mailbox = Mailbox()
        _ = mailbox.put(.init(entry: entry, answer: { _ in }))
        mailbox.close()
        guard case .refused(.stopped) = mailbox.put(.init(entry: entry, answer: { _ in })) else {
            Issue.record("taken by a closed mailbox")
            return
        }
        #expect(mailbox.takeAll().count == 1)
    }
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
