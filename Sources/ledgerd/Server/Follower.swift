import Dispatch
import Ledger
import Logging
import Query
import Replication
import Synchronization

/// Keeps the query store level with the final log, on a queue of its own.
///
/// Blocks that were just committed are handed over as they are. Whatever is older, or did not fit into the buffer, is
/// read back from the log: slower, and never lost.
///
/// Commits keep a pause between them, because each takes its turn at the disk on which the log's own flushes wait. A
/// document that comes after a silence is followed at once.
final class Follower: Sendable {
    private struct Waiting: Sendable {
        var blocks: [AcceptedBlock] = []
        var entryCount = 0
        var byteCount = 0
        /// How many entries are final.
        var finalSize: UInt64 = 0
        var isScheduled = false
    }

    private let log: LogStore
    private let store: QueryStore
    private let logger: Logger
    private let queue = DispatchQueue(label: "follower", qos: .utility)
    private let waiting = Mutex(Waiting())
    /// When the next commit may begin.
    private let earliest = Mutex(DispatchTime.now())
    private let failure = Mutex<String?>(nil)
    private let isStopping = Atomic(false)
    /// How often the store was emptied since it was damaged. On the queue.
    private let repairs = Mutex(0)
    /// How many entries queries know.
    let followed: Growth

    init(log: LogStore, store: QueryStore, logger: Logger) throws(StoreError) {
        followed = Growth(from: try store.nextIndex().value)
        self.log = log
        self.store = store
        self.logger = logger
        store.onDamage { [weak self] in self?.wakeUp() }
    }

    private func wakeUp() { queue.async { [weak self] in self?.run() } }

    /// Takes note of how far the log is final, with the newest blocks where they are at hand; returns at once.
    func follow(to finalSize: UInt64, _ blocks: [CertifiedBlock] = []) {
        let wake = waiting.withLock { waiting in
            waiting.finalSize = max(waiting.finalSize, finalSize)
            for block in blocks {
                let count = block.accepted.entries.count
                let byteCount = block.accepted.block.entries.reduce(0) { $0 + $1.byteCount }
                guard waiting.entryCount + count <= Limits.followerEntries,
                    waiting.byteCount + byteCount <= Limits.followerBytes
                else { break }
                waiting.blocks.append(block.accepted)
                waiting.entryCount += count
                waiting.byteCount += byteCount
            }
            defer { waiting.isScheduled = true }
            return !waiting.isScheduled
        }
        if wake { queue.asyncAfter(deadline: earliest.withLock { $0 }) { self.run() } }
    }

    /// Returns when everything that is final by now has been followed.
    func settle() async {
        await withCheckedContinuation { continuation in
            queue.async {
                self.run()
                continuation.resume()
            }
        }
    }

    /// Returns when nothing runs any more. What is not followed by then is followed after the next start.
    func stop() async {
        isStopping.store(true, ordering: .relaxed)
        await settle()
    }

    /// Why the follower stands still, if it does.
    var trouble: String? { failure.withLock { $0 } }

    private func run() {
        var progress = FollowerProgress(from: followed.size)
        do {
            try repair()
            while !isStopping.load(ordering: .relaxed), let batch = try nextBatch() {
                _ = try store.apply(batch)
                if let last = batch.last { followed.reach(last.index.value + 1) }
                failure.withLock { $0 = nil }
                report(&progress)
            }
        } catch {
            logger.error("the query store does not follow the log", metadata: ["error": "\(error)"])
            failure.withLock { $0 = "\(error)" }
            waiting.withLock { $0 = Waiting(finalSize: $0.finalSize) }
            // Damage was met on the way: it is mended next, if it can be.
            if store.damage != nil, mayRepair { wakeUp() }
        }
        earliest.withLock { $0 = .now() + .milliseconds(Limits.followerPauseMilliseconds) }
    }

    private var mayRepair: Bool { repairs.withLock { $0 < Limits.followerRepairs } }

    /// Empties a store in which something was found that cannot be: it is filled again from the log. Not for ever: a
    /// disk that damages what it is given is an operator's to change.
    private func repair() throws {
        guard let damage = store.damage else { return }
        guard mayRepair else { throw damage }
        repairs.withLock { $0 += 1 }
        logger.error(
            "the query store is damaged: rebuilding it from the log", metadata: ["damage": "\(damage)"])
        try store.reset()
        followed.restart()
    }

    /// Says how far a long way has been gone: of a store that is made anew, or of a node that was away.
    private func report(_ progress: inout FollowerProgress) {
        let goal = waiting.withLock(\.finalSize)
        guard let line = progress.line(followed.size, of: goal, at: .now) else { return }
        logger.notice("\(line)")
    }

    /// The entries that come next, or `nil` where there are none for now.
    private func nextBatch() throws -> [FeedEntry]? {
        let next = try store.nextIndex()
        let (blocks, size) = waiting.withLock { waiting in
            defer { (waiting.blocks, waiting.entryCount, waiting.byteCount) = ([], 0, 0) }
            return (waiting.blocks, waiting.finalSize)
        }
        let fresh = try blocks.flatMap(feed).drop { $0.index < next }
        if fresh.first?.index == next { return Array(fresh) }

        guard next.value < size else {
            // Nothing is left, unless blocks came in this moment.
            let isIdle = waiting.withLock { waiting in
                if waiting.finalSize == size { waiting.isScheduled = false }
                return waiting.finalSize == size
            }
            return isIdle ? nil : []
        }
        return try older(from: next, below: size)
    }

    /// Reads back what was not at hand. The more at once, the fewer times each series is written; memory sets the end.
    private func older(from start: EntryIndex, below size: UInt64) throws -> [FeedEntry] {
        var entries: [FeedEntry] = []
        var byteCount = 0
        var next = start.value
        while next < size, entries.count < Limits.followerEntries, byteCount < Limits.followerBytes {
            let end = min(size, next + Limits.feedPageEntries)
            for stored in try log.entries(EntryIndex(next)..<EntryIndex(end)) {
                byteCount += stored.byteCount
                entries.append(try FeedEntry(reading: stored, in: log))
            }
            next = end
        }
        return entries
    }

    private func feed(_ block: AcceptedBlock) throws -> [FeedEntry] {
        try block.entries.enumerated().map { position, entry in
            try FeedEntry(
                entry, at: EntryIndex(block.block.firstIndex.value + UInt64(position)), block.header.height,
                block.header.time, in: log)
        }
    }
}
