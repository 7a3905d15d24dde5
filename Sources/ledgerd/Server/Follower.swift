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
final class Follower: Sendable {
    private struct Buffer: Sendable {
        var entries: [FeedEntry] = []
        var isScheduled = false
    }

    /// Entries handed over and not yet applied: bounds memory when the follower falls behind.
    private static let bufferedEntries = 4096

    private let log: LogStore
    private let store: QueryStore
    private let logger: Logger
    private let published: @Sendable () -> Published
    private let queue = DispatchQueue(label: "follower", qos: .utility)
    private let buffer = Mutex(Buffer())
    private let failure = Mutex<String?>(nil)

    init(log: LogStore, store: QueryStore, logger: Logger, published: @escaping @Sendable () -> Published) {
        self.log = log
        self.store = store
        self.logger = logger
        self.published = published
    }

    /// Takes newly final blocks; returns at once.
    func offer(_ blocks: [CertifiedBlock]) {
        let wake = buffer.withLock { buffer in
            let count = blocks.reduce(0) { $0 + $1.accepted.entries.count }
            if buffer.entries.count + count <= Self.bufferedEntries {
                for block in blocks { buffer.entries += Self.feed(block.accepted) }
            }
            defer { buffer.isScheduled = true }
            return !buffer.isScheduled
        }
        if wake { queue.async { self.run() } }
    }

    /// Follows what is final by now; returns when that is done.
    func catchUp() { queue.sync { self.run() } }

    /// Why the follower stands still, if it does.
    var trouble: String? { failure.withLock { $0 } }

    private func run() {
        do {
            while let batch = try nextBatch() {
                _ = try store.apply(batch)
                failure.withLock { $0 = nil }
            }
        } catch {
            logger.error("the query store does not follow the log", metadata: ["error": "\(error)"])
            failure.withLock { $0 = "\(error)" }
            buffer.withLock { $0 = Buffer() }
        }
    }

    /// The entries that come next, or `nil` where there are none for now.
    private func nextBatch() throws -> [FeedEntry]? {
        let next = try store.nextIndex()
        let handedOver: [FeedEntry] = buffer.withLock { buffer in
            defer { buffer.entries = [] }
            return buffer.entries
        }
        let fresh = handedOver.drop { $0.index < next }
        if fresh.first?.index == next { return Array(fresh) }

        let size = published().size
        guard next.value < size else {
            // Nothing is left, unless blocks came in this moment.
            let isIdle = buffer.withLock { buffer in
                if buffer.entries.isEmpty { buffer.isScheduled = false }
                return buffer.entries.isEmpty
            }
            return isIdle ? nil : []
        }
        let end = EntryIndex(min(size, next.value + Limits.followerEntries))
        return try log.entries(next..<end).map { entry in
            Self.feed(try CheckedEntry(reading: entry), entry.index, entry.height, entry.blockTime)
        }
    }

    private static func feed(_ block: AcceptedBlock) -> [FeedEntry] {
        block.entries.enumerated().map { position, entry in
            feed(
                entry, EntryIndex(block.block.firstIndex.value + UInt64(position)), block.header.height,
                block.header.time)
        }
    }

    private static func feed(
        _ entry: CheckedEntry?, _ index: EntryIndex, _ height: BlockHeight, _ time: Timestamp
    ) -> FeedEntry {
        var document: KPIDocument?
        var erases: [EntryIndex] = []
        switch entry?.content {
        case .document(.kpis(let kpis)): document = kpis
        case .document(.session), .erased, nil: break
        case .governance(let record):
            if case .erase(let erased, _) = record.action { erases = [erased] }
        }
        return FeedEntry(
            index: index, blockHeight: height, blockTime: time, document: document, erases: erases)
    }
}
