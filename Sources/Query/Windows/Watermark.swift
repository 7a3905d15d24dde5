internal import Ledger

/// How far event time is believed to be complete: windows that end at or before it are closed.
///
/// Every submitter has a mark of its own, the newest event time seen from it minus the allowed lateness. The watermark
/// is the least of them, without the submitters that have been silent for the idle timeout. Where all are silent it
/// follows block time at the distance of timeout and lateness. It never goes back.
///
/// Time comes from blocks alone, so every node arrives at the same watermark after the same entry. An event time ahead
/// of its block's counts as the block's: one wrong clock does not close the windows of all others.
public struct Watermark: Hashable, Sendable {
    struct Submitter: Hashable, Sendable {
        let name: String
        /// The newest event time.
        var newest: Int64
        /// The time of the block that brought it, or a later one of the same submitter.
        var heardAt: Int64
    }

    public let latenessMilliseconds: Int64
    public let idleMilliseconds: Int64
    /// Milliseconds since 1970; `nil` before the first event.
    public private(set) var reached: Int64?
    /// The newest block's.
    private(set) var blockTime = Timestamp.earliest.milliseconds
    /// Those that are not idle, by name. One that comes back begins anew.
    private(set) var submitters: [Submitter] = []

    public init(latenessMilliseconds: Int64, idleMilliseconds: Int64) {
        self.latenessMilliseconds = latenessMilliseconds
        self.idleMilliseconds = idleMilliseconds
    }

    init(
        latenessMilliseconds: Int64, idleMilliseconds: Int64, reached: Int64?, blockTime: Int64,
        submitters: [Submitter]
    ) {
        self.init(latenessMilliseconds: latenessMilliseconds, idleMilliseconds: idleMilliseconds)
        self.reached = reached
        self.blockTime = blockTime
        self.submitters = submitters
    }

    /// Whether nothing more is expected for a window.
    public func hasPassed(_ end: Int64) -> Bool { reached.map { end <= $0 } ?? false }

    /// An entry was followed.
    ///
    /// - Parameters:
    ///   - newest: the newest event that it brought, if it brought any.
    public mutating func advance(blockTime time: Int64, submitter: String?, newest: Int64?) {
        guard newest != nil || time > blockTime else { return }
        blockTime = max(blockTime, time)
        // Before it is heard again: whether another entry came in between makes no difference.
        submitters.removeAll { blockTime - $0.heardAt > idleMilliseconds }
        if let submitter, let newest { hear(submitter, min(newest, blockTime)) }
        let hasBegun = reached != nil || !submitters.isEmpty
        guard hasBegun else { return }
        let least = submitters.map(\.newest).min() ?? (blockTime - idleMilliseconds)
        reached = max(reached ?? .min, least - latenessMilliseconds)
    }

    private mutating func hear(_ name: String, _ newest: Int64) {
        // Few, and mostly known.
        if let place = submitters.firstIndex(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
            submitters[place].newest = max(submitters[place].newest, newest)
            submitters[place].heardAt = blockTime
            return
        }
        let place = submitters.firstIndex { name.utf8.lexicographicallyPrecedes($0.name.utf8) }
        let submitter = Submitter(name: name, newest: newest, heardAt: blockTime)
        submitters.insert(submitter, at: place ?? submitters.count)
    }
}
