/// Bits into bytes, the low ones first.
struct BitWriter {
    private var bytes: [UInt8] = []
    /// The bits that do not fill eight bytes yet.
    private var pending: UInt64 = 0
    private var count: UInt64 = 0

    init(bitCount: UInt64) { bytes.reserveCapacity(Int(bitCount / 8) + 8) }

    /// - Parameter width: 0 to 64; `value` has no bits above it.
    mutating func write(_ value: UInt64, width: Int) {
        pending |= value << count
        let total = count + UInt64(width)
        guard total >= 64 else {
            count = total
            return
        }
        withUnsafeBytes(of: pending.littleEndian) { bytes.append(contentsOf: $0) }
        // None where all of it went; a shift by 64 leaves none.
        pending = value >> (64 - count)
        count = total - 64
    }

    /// The bytes, the last one filled up with zeros.
    mutating func finish() -> [UInt8] {
        for shift in stride(from: 0, to: count, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: pending >> shift))
        }
        (pending, count) = (0, 0)
        return bytes
    }
}

/// Reads what `BitWriter` wrote. Behind the end there are zeros without end: what is read there is garbage, and
/// `isOverrun` tells.
struct BitReader {
    private let bytes: [UInt8]
    private var next: Int
    private let end: Int
    private var pending: UInt64 = 0
    private var count = 0

    /// - Precondition: `range` lies in `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        next = range.lowerBound
        end = range.upperBound
    }

    /// Whether more was read than there is.
    var isOverrun: Bool { next - count / 8 > end }

    /// - Precondition: `count` is at most 56.
    private mutating func fill() {
        if next + 8 <= end {
            // Bits above `count` are those that come next: to add them twice changes nothing.
            let word = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: next, as: UInt64.self) }
            pending |= UInt64(littleEndian: word) << UInt64(count)
            let taken = (64 - count) / 8
            next += taken
            count += taken * 8
            return
        }
        while count <= 56 {
            if next < end { pending |= UInt64(bytes[next]) << UInt64(count) }
            next += 1
            count += 8
        }
    }

    /// - Parameter width: 0 to 64.
    @inline(__always)
    mutating func read(width: Int) -> UInt64 {
        // As many are there after every filling.
        if width > 56 {
            let low = read(width: 32)
            return low | read(width: width - 32) << 32
        }
        if count < width { fill() }
        let value = pending & (1 << UInt64(width) - 1)
        pending >>= UInt64(width)
        count -= width
        return value
    }

    /// The number of ones up to the next zero, which is read too; at most `limit`, behind which no zero is read.
    @inline(__always)
    mutating func readOnes(limit: Int) -> Int {
        if count <= limit { fill() }
        let ones = (~pending).trailingZeroBitCount
        let read = ones >= limit ? limit : ones + 1
        pending >>= UInt64(read)
        count -= read
        return min(ones, limit)
    }
}
