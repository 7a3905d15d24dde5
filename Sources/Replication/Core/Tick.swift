public import Ledger

/// A reading of the node's own clocks. Clocks of different nodes do not agree, and the wall clock may be set back:
/// nothing here relies on either.
public struct Tick: Hashable, Sendable {
    /// The wall clock: what a block of this node states as its time.
    public let time: Timestamp
    /// Since the node started; never goes back. Timers run on it.
    public let uptime: Duration

    public init(_ time: Timestamp, uptime: Duration) {
        self.time = time
        self.uptime = uptime
    }
}
