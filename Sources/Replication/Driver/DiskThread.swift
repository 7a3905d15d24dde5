import Dispatch
import Ledger
import Synchronization

/// Flushes what must be durable, on a thread of its own, while the ordering queue goes on: all records that wait become
/// one transaction.
final class DiskThread: Sendable {
    enum Outcome: Sendable {
        /// Everything up to this record is on the disk.
        case durable(SaveTicket)
        /// This record and all after it are not. Whatever comes next is refused as well, until `mend`.
        case failed(from: SaveTicket, StoreError)
    }

    private struct Job: Sendable {
        let ticket: SaveTicket
        let changes: [LogStore.Change]

        /// Of the entries in it.
        var byteCount: Int {
            changes.lazy.flatMap(\.append).flatMap(\.block.entries).reduce(0) { $0 + $1.byteCount }
        }
    }

    private struct State: Sendable {
        var jobs: [Job] = []
        /// They go to the disk with the next flush: losing them costs a fetch, or one signature, at a restart.
        var certificates: [CommitCertificate] = []
        var isBusy = false
        /// What waits is written in a moment, if nobody does it before.
        var isLazyScheduled = false
        /// The last flush took hardly longer than a change of threads.
        var isQuick = false
        var hasFailed = false
        /// When the operators last heard of a failure.
        var reported: ContinuousClock.Instant?
        /// Blocks lie beside the chain, and are to be removed once they are dead.
        var hasBranches: Bool
    }

    private let log: LogStore
    private let report: @Sendable (String) -> Void
    private let onOutcome: @Sendable (Outcome, Mailbox.Waking) -> Void
    private let onRest: @Sendable () -> Void
    private let queue = DispatchQueue(label: "disk", qos: .userInitiated)
    private let state: Mutex<State>
    /// Held by whoever writes; outcomes are told without it, since who hears of one may want to write.
    private let writing = Mutex(())
    private let flushes = Atomic<UInt64>(0)
    private let times = Mutex(DurationHistogram())

    init(
        _ log: LogStore, report: @escaping @Sendable (String) -> Void,
        onOutcome: @escaping @Sendable (Outcome, Mailbox.Waking) -> Void,
        onRest: @escaping @Sendable () -> Void = {}
    ) throws(StoreError) {
        self.log = log
        self.report = report
        self.onOutcome = onOutcome
        self.onRest = onRest
        var hasBranches = false
        // What was left when the node stopped in the midst of it.
        if let certificate = try log.lastCertificate() {
            hasBranches = try log.prune(upTo: certificate.header.height)
        }
        state = Mutex(State(hasBranches: hasBranches))
    }

    /// Whether a flush is under way.
    var isBusy: Bool { state.withLock { $0.isBusy } }
    var flushCount: UInt64 { flushes.load(ordering: .relaxed) }
    var flushTimes: DurationHistogram { times.withLock { $0 } }

    /// Hands over a record.
    ///
    /// A small one is written right here where the disk is at rest and quick: to change threads twice costs as much.
    ///
    /// - Returns: What became of it, and of those before it, where that is known already. Else an outcome follows.
    func save(_ record: SafetyRecord) -> [Outcome] {
        let job = Job(ticket: record.ticket, changes: Self.changes(record))
        let course = state.withLock { state -> Course in
            guard !state.hasFailed else { return .none }
            state.jobs.append(job)
            if job.changes.contains(where: { $0.truncateTo != nil }) { state.hasBranches = true }
            if state.isBusy { return .none }
            guard record.isAwaited else {
                defer { state.isLazyScheduled = true }
                return state.isLazyScheduled ? .none : .later
            }
            state.isBusy = true
            let byteCount = state.jobs.reduce(0) { $0 + $1.byteCount }
            let isSmall = byteCount <= Limits.smallEntriesBytes && !state.hasBranches
            return state.isQuick && isSmall && log.isJournalRoomy ? .here : .onItsThread
        }
        switch course {
        case .none: return []
        case .later:
            let due = DispatchTime.now() + .milliseconds(Int(Limits.lazyMilliseconds))
            queue.asyncAfter(deadline: due) { self.runLate() }
            return []
        case .onItsThread:
            queue.async { self.run() }
            return []
        case .here:
            let outcomes = writing.withLock { _ in flush(takeJobs()) }
            state.withLock { $0.isBusy = false }
            return outcomes
        }
    }

    /// Where a record is written.
    private enum Course {
        /// By whoever is at it, or will be.
        case none
        /// In a moment, unless another record takes it along.
        case later
        case onItsThread, here
    }

    private func runLate() {
        let starts = state.withLock { state in
            state.isLazyScheduled = false
            guard !state.isBusy, !state.jobs.isEmpty else { return false }
            state.isBusy = true
            return true
        }
        if starts { run() }
    }

    func keep(_ certificate: CommitCertificate) {
        state.withLock { state in
            state.certificates.append(certificate)
            if state.certificates.count > Limits.unsavedCertificates { state.certificates.removeFirst() }
        }
    }

    /// The ordering queue has heard of the failure: what it hands over from now on does not rest on what was refused.
    func mend() { state.withLock { $0.hasFailed = false } }

    /// Does `body` once all that was handed over is on the disk, certificates included. Called by the ordering queue,
    /// which takes up the outcomes in its next round.
    func finish(_ body: @Sendable (LogStore) throws(StoreError) -> Void = { _ in }) throws(StoreError) {
        let (outcomes, result): ([Outcome], Result<Void, StoreError>) = writing.withLock { _ in
            let outcomes = flush(takeJobs())
            do throws(StoreError) {
                let certificates = takeCertificates()
                if !certificates.isEmpty { try write([], certificates) }
                return (outcomes, .success(try body(log)))
            } catch { return (outcomes, .failure(error)) }
        }
        for outcome in outcomes { onOutcome(outcome, .onItsThread) }
        try result.get()
    }

    private func run() {
        repeat {
            let outcomes = writing.withLock { _ in flush(takeJobs()) }
            // The ordering goes on right here, and what it hands over is flushed next.
            for outcome in outcomes { onOutcome(outcome, .here) }
        } while !isAtRest()
        onRest()
    }

    private func takeJobs() -> [Job] {
        state.withLock { state in
            defer { state.jobs = [] }
            return state.jobs
        }
    }

    private func isAtRest() -> Bool {
        state.withLock { state in
            if state.jobs.isEmpty { state.isBusy = false }
            return state.jobs.isEmpty
        }
    }

    private func flush(_ jobs: [Job]) -> [Outcome] {
        guard let last = jobs.last else { return [] }
        do throws(StoreError) {
            try write(jobs)
            return [.durable(last.ticket)]
        } catch {
            // One record may be too large for the disk where another is not.
            return jobs.count == 1 ? [fail(last, error)] : flushOneByOne(jobs)
        }
    }

    private func flushOneByOne(_ jobs: [Job]) -> [Outcome] {
        var outcomes: [Outcome] = []
        for job in jobs {
            do throws(StoreError) {
                try write([job])
                outcomes.append(.durable(job.ticket))
            } catch {
                outcomes.append(fail(job, error))
                break
            }
        }
        return outcomes
    }

    private func fail(_ job: Job, _ error: StoreError) -> Outcome {
        let now = ContinuousClock.now
        let isNews = state.withLock { state in
            state.hasFailed = true
            state.isQuick = false
            state.jobs = []
            // A full disk refuses what is tried again many times a second.
            if let reported = state.reported, now - reported < Self.betweenReports { return false }
            state.reported = now
            return true
        }
        if isNews { report("a block was not saved: \(error)") }
        return .failed(from: job.ticket, error)
    }

    private static let betweenReports: Duration = .seconds(5)

    private func write(_ jobs: [Job]) throws(StoreError) {
        try write(jobs.flatMap(\.changes), takeCertificates())
    }

    private func takeCertificates() -> [CommitCertificate] {
        state.withLock { state in
            defer { state.certificates = [] }
            return state.certificates
        }
    }

    private func write(
        _ changes: [LogStore.Change], _ certificates: [CommitCertificate]
    ) throws(StoreError) {
        var final = LogStore.Change()
        final.certificates = certificates
        let begin = ContinuousClock.now
        do throws(StoreError) { try log.save(changes + [final]) } catch {
            state.withLock { $0.certificates = certificates + $0.certificates }
            throw error
        }
        flushes.add(1, ordering: .relaxed)
        let time = ContinuousClock.now - begin
        times.withLock { $0.add(time) }
        let hasBranches = state.withLock { state in
            state.isQuick = time < .microseconds(Limits.quickMicroseconds)
            return state.hasBranches
        }
        if hasBranches, let height = certificates.map(\.header.height).max() { prune(upTo: height) }
    }

    private func prune(upTo height: BlockHeight) {
        do throws(StoreError) {
            let remain = try log.prune(upTo: height)
            state.withLock { state in
                // A record that waits may leave a branch again.
                if state.jobs.isEmpty { state.hasBranches = remain }
            }
        } catch {
            // What was to be saved is; the next certificate, or the next start, tries again.
            report("dead blocks are not removed yet: \(error)")
        }
    }

    /// A record's steps keep their order.
    private static func changes(_ record: SafetyRecord) -> [LogStore.Change] {
        var changes = [LogStore.Change()]
        for step in record.steps {
            switch step {
            case .truncate(let height):
                if !changes[changes.count - 1].isEmpty { changes.append(LogStore.Change()) }
                changes[changes.count - 1].truncateTo = height
            case .append(let block):
                changes[changes.count - 1].append.append(
                    LogStore.AppendedBlock(
                        block: block.block, facts: block.entries.map(\.facts), completed: block.completed))
            }
        }
        changes[changes.count - 1].safety = record.state?.encoded
        return changes
    }
}
