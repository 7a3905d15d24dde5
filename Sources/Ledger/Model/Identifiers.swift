/// The place of an entry in the log, counted from 0. Stored as `u64`, big-endian.
public struct EntryIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// The place of a block in the hash chain; the genesis block has height 0. Stored as `u64`, big-endian.
public struct BlockHeight: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static let genesis = BlockHeight(0)
    /// The height of the child. Heights are counted one by one, so the addition cannot overflow in practice
    /// and traps if a forged header says otherwise: forged headers are refused before they get here.
    public var next: BlockHeight { BlockHeight(value + 1) }
    /// The height of the parent.
    ///
    /// - Precondition: this is not the genesis block's.
    public var previous: BlockHeight {
        precondition(value > 0, "the genesis block has no parent")
        return BlockHeight(value - 1)
    }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// A period under one primary, `members[view mod n]`. PBFT's *view*. Stored as `u64`, big-endian.
public struct View: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// The number of the configuration in force; grows by one with each change of the membership. Stored as `u32`.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UInt32
    public init(_ value: UInt32) { self.value = value }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// A node of a configuration, by its position in the member list.
public struct ReplicaID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UInt16
    public init(_ value: UInt16) { self.value = value }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    public var description: String { String(value) }
}

/// A moment, in milliseconds since 1970-01-01T00:00:00Z without leap seconds.
///
/// Range: the years 0001 to 9999, so that every value has an RFC 3339 text.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let milliseconds: Int64

    public static let earliest = Timestamp(unchecked: -62_135_596_800_000)
    public static let latest = Timestamp(unchecked: 253_402_300_799_999)

    /// `nil` outside the years 0001 to 9999.
    public init?(milliseconds: Int64) {
        guard milliseconds >= Self.earliest.milliseconds, milliseconds <= Self.latest.milliseconds else {
            return nil
        }
        self.milliseconds = milliseconds
    }

    private init(unchecked milliseconds: Int64) { self.milliseconds = milliseconds }

    /// Whole seconds since 1970, rounded down.
    public var seconds: Int64 {
        let quotient = milliseconds / 1000
        return milliseconds % 1000 < 0 ? quotient - 1 : quotient
    }

    /// The moment `milliseconds` later, held inside the range.
    public func advanced(byMilliseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = milliseconds.addingReportingOverflow(delta)
        if overflow { return delta < 0 ? .earliest : .latest }
        return Timestamp(unchecked: min(max(sum, Self.earliest.milliseconds), Self.latest.milliseconds))
    }

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }
}
