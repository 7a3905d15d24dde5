public import Ledger

/// One measured value of a series, and where in the log it came from.
public struct Sample: Hashable, Sendable {
    /// Milliseconds since 1970.
    public let time: Int64
    public let index: EntryIndex
    /// The place of the measure in its document, from 0.
    public let position: UInt32
    public let value: Quantity

    public init(time: Int64, index: EntryIndex, position: UInt32, value: Quantity) {
        self.time = time
        self.index = index
        self.position = position
        self.value = value
    }

    /// By time, then by the place in the log: of two samples in one millisecond the later entry is shown.
    func precedes(_ other: Sample) -> Bool {
        (time, index.value, position) < (other.time, other.index.value, other.position)
    }
}

/// The times after `after`, to `through` with it, in milliseconds since 1970: PromQL's ranges are open on the left.
public struct TimeWindow: Hashable, Sendable {
    public let after: Int64
    public let through: Int64

    public init(after: Int64, through: Int64) {
        self.after = after
        self.through = through
    }

    func contains(_ time: Int64) -> Bool { time > after && time <= through }
}
