public import Ledger

/// How many of a set of numbers lie in each logarithmic bucket: quantiles to within 0.55 %, the same in whatever order
/// numbers or parts are added. Zero and each sign have buckets of their own.
public struct LogBuckets: Hashable, Sendable {
    /// The buckets that hold something, ascending by the numbers in them, and how many.
    private(set) var slots: [Slot] = []

    struct Slot: Hashable, Sendable {
        /// Ascends as the numbers in the buckets do: 0 for zero, above it for positive numbers.
        let key: Int32
        var count: UInt64
    }

    public init() {}

    init(slots: [Slot]) { self.slots = slots }

    init(keys: [Int32]) {
        for key in keys.sorted() {
            if slots.last?.key == key {
                slots[slots.count - 1].count += 1
            } else {
                slots.append(Slot(key: key, count: 1))
            }
        }
    }

    public var count: UInt64 { slots.reduce(0) { $0 + $1.count } }

    mutating func add(_ other: LogBuckets) { merge(other) { $0 + $1 } }

    /// Takes out what was added before.
    mutating func subtract(_ other: LogBuckets) { merge(other) { $0 >= $1 ? $0 - $1 : 0 } }

    private mutating func merge(_ other: LogBuckets, _ combine: (UInt64, UInt64) -> UInt64) {
        var merged: [Slot] = []
        merged.reserveCapacity(slots.count + other.slots.count)
        var (left, right) = (0, 0)
        while left < slots.count || right < other.slots.count {
            let leftKey = left < slots.count ? slots[left].key : .max
            let rightKey = right < other.slots.count ? other.slots[right].key : .max
            let key = min(leftKey, rightKey)
            let count = combine(
                leftKey == key ? slots[left].count : 0, rightKey == key ? other.slots[right].count : 0)
            if count > 0 { merged.append(Slot(key: key, count: count)) }
            if leftKey == key { left += 1 }
            if rightKey == key { right += 1 }
        }
        slots = merged
    }

    /// The middle of the bucket that holds the number of rank `⌈φ · count⌉`, counted from 1; `nil` for no numbers.
    /// Below 0 and above 1 it is infinite, as PromQL has it.
    ///
    /// - Parameter rank: φ.
    public func value(atRank rank: Double) -> Double? {
        guard let place = Self.place(atRank: rank, count: count) else {
            return count == 0 ? nil : Self.outside(rank)
        }
        var passed: UInt64 = 0
        for slot in slots {
            passed += slot.count
            if passed > place { return Self.middle(of: slot.key) }
        }
        return nil
    }

    /// The same of the keys of single numbers in `range`, which are put into another order.
    static func value(
        atRank rank: Double, ofKeys keys: inout [Int32], _ range: Range<Int>
    ) -> Double? {
        guard let place = place(atRank: rank, count: UInt64(range.count)) else {
            return range.isEmpty ? nil : outside(rank)
        }
        return middle(of: keys.select(range.lowerBound + Int(place), in: range))
    }

    /// Counted from 0.
    private static func place(atRank rank: Double, count: UInt64) -> UInt64? {
        guard count > 0, rank >= 0, rank <= 1 else { return nil }
        return min(count, max(1, UInt64((rank * Double(count)).rounded(.up)))) - 1
    }

    private static func outside(_ rank: Double) -> Double {
        rank.isNaN ? .nan : rank < 0 ? -.infinity : .infinity
    }

    // MARK: Keys

    /// Nanos are from 1 to below 10²⁷, so buckets from -1914 to 3826: this moves them all above zero.
    private static let shift: Int32 = 4096

    static func key(of value: Double) -> Int32 {
        if value == 0 { return 0 }
        let bucket = BucketTable.bucket(of: value.magnitude) + shift
        return value < 0 ? -bucket : bucket
    }

    static func middle(of key: Int32) -> Double {
        if key == 0 { return 0 }
        let middle = BucketTable.middle(of: (key < 0 ? -key : key) - shift)
        return key < 0 ? -middle : middle
    }
}

/// `for each bucket that holds something: difference to the key before, signed varint ‖ count varint`.
extension LogBuckets: TableValue {
    public var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 3 * slots.count)
        var before: Int32 = 0
        for slot in slots {
            writer.writeSignedVarint(Int64(slot.key - before))
            writer.writeVarint(slot.count)
            before = slot.key
        }
        return writer.bytes
    }

    public init(valueBytes: [UInt8]) throws(DecodingFailure) {
        var reader = ByteReader(valueBytes)
        var key: Int64 = 0
        while reader.remaining > 0 {
            let difference = try reader.readSignedVarint("bucket")
            guard difference.magnitude < 1 << 20, slots.isEmpty || difference > 0, key.magnitude < 1 << 20
            else {
                throw DecodingFailure("buckets out of order", at: reader.offset)
            }
            key += difference
            let count = try reader.readVarint("count")
            // More than a log holds; sums of many damaged ones still fit.
            guard count <= 1 << 48 else { throw DecodingFailure("no count", at: reader.offset) }
            slots.append(Slot(key: Int32(key), count: count))
        }
    }
}

extension [Int32] {
    /// The element that would stand at `place` if all in `range` were sorted; some are moved. Source: C. A. R. Hoare, "Algorithm
    /// 65: Find". Of three as the pivot, the middle one.
    fileprivate mutating func select(_ place: Int, in range: Range<Int>) -> Int32 {
        var (low, high) = (range.lowerBound, range.upperBound - 1)
        while low < high {
            let middle = (low + high) / 2
            let pivot = Swift.max(
                Swift.min(self[low], self[middle]), Swift.min(Swift.max(self[low], self[middle]), self[high]))
            var (left, right) = (low, high)
            while left <= right {
                while self[left] < pivot { left += 1 }
                while pivot < self[right] { right -= 1 }
                if left <= right {
                    swapAt(left, right)
                    left += 1
                    right -= 1
                }
            }
            if place <= right { high = right } else if place >= left { low = left } else { break }
        }
        return self[place]
    }
}
