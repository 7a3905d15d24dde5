public import Ledger

/// A reading of the node's own clock, in milliseconds since 1970. Clocks of different nodes do not agree, and one
/// clock may be set back: nothing here relies on either.
public struct Tick: Hashable, Comparable, Sendable {
    public let time: Timestamp

    public init(_ time: Timestamp) { self.time = time }

    public static func < (left: Self, right: Self) -> Bool { left.time < right.time }
}
