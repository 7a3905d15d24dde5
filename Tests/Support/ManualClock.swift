public import Ledger
import Synchronization

/// A clock that moves when the test says so.
public final class ManualClock: Sendable {
    private let time: Mutex<Timestamp>

    public init(at start: Timestamp) { time = Mutex(start) }

    public var now: Timestamp { time.withLock { $0 } }

    public func advance(byMilliseconds delta: Int64) {
        time.withLock { $0 = $0.advanced(byMilliseconds: delta) }
    }

    public func set(_ moment: Timestamp) { time.withLock { $0 = moment } }
}
