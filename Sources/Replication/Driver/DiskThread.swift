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
    }

    private struct State: Sendable {
        var jobs: [Job] = []
        /// They go to the disk with the next flush: losing them costs a fetch, or one signature, at a restart.
        var certificates: [CommitCertificate] = []
        var isBusy = false
        var hasFailed = false
        /// Blocks lie beside the chain, and are to be removed once they are dead.
        var hasBranches: Bool
    }

    private let log: LogStore
    private let report: @Sendable (String) -> Void
    private let onOutcome: @Sendable (Outcome) -> Void
    private let onRest: @Sendable () -> Void
    private let queue = DispatchQueue(label: "disk", qos: .userInitiated)
    private let state: Mutex<State>
    private let flushes = Atomic<UInt64>(0)
    private let times = Mutex(DurationHistogram())

    init(
        _ log: LogStore, report: @escaping @Sendable (String) -> Void,
        onOutcome: @escaping @Sendable (Outcome) -> Void, onRest: @escaping @Sendable () -> Void = {}
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

    /// Returns at once; an outcome follows.
    func save(_ record: SafetyRecord) {
        let job = Job(ticket: record.ticket, changes: Self.changes(record))
        let starts = state.withLock { state in
            guard !state.hasFailed else { return false }
            state.jobs.append(job)
            if job.changes.contains(where: { $0.truncateTo != nil }) { state.hasBranches = true }
            defer { state.isBusy = true }
            return !state.isBusy
        }
        if starts { queue.async { self.run() } }
    }

    func keep(_ certificate: CommitCertificate) {
        state.withLock { state in
            state.certificates.append(certificate)
            if state.certificates.count > Limits.unsavedCertificates { state.certificates.removeFirst() }
        }
    }

    /// The ordering queue has heard of the failure: what it hands over from now on does not rest on what was refused.
    func mend() { state.withLock { $0.hasFailed = false } }

    /// Does `body` once all that was handed over is on the disk, certificates included.
    func finish(_ body: @Sendable (LogStore) throws(StoreError) -> Void = { _ in }) throws(StoreError) {
        let result: Result<Void, StoreError> = queue.sync {
            do throws(StoreError) {
                let certificates = takeCertificates()
                if !certificates.isEmpty { try write([], certificates) }
                return .success(try body(log))
            } catch { return .failure(error) }
        }
        try result.get()
    }

    private func run() {
        while let jobs = next() {
            if flush(jobs) { continue }
            // One record may be too large for the disk where another is not.
            _ = jobs.allSatisfy { flush([$0]) }
        }
        onRest()
    }

    private func next() -> [Job]? {
        state.withLock { state in
            let jobs = state.jobs
            state.jobs = []
            if jobs.isEmpty { state.isBusy = false }
            return jobs.isEmpty ? nil : jobs
        }
    }

    /// - Returns: Whether it was done, or nothing more can be.
    private func flush(_ jobs: [Job]) -> Bool {
        guard let first = jobs.first, let last = jobs.last else { return true }
        let certificates = takeCertificates()
        do throws(StoreError) {
            try write(jobs.flatMap(\.changes), certificates)
            onOutcome(.durable(last.ticket))
            return true
        } catch {
            guard jobs.count == 1 else { return false }
            report("a block was not saved: \(error)")
            state.withLock { state in
                state.hasFailed = true
                state.jobs = []
            }
            onOutcome(.failed(from: first.ticket, error))
            return false
        }
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
        times.withLock { $0.add(ContinuousClock.now - begin) }
        let hasBranches = state.withLock { $0.hasBranches }
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
