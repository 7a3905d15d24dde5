internal import Ledger

/// The times of samples as bytes say them. A damaged one may be anything: beyond these bounds, sums and differences of
/// times would overflow.
enum SampleTime {
    /// Years 0001 to 9999 lie within, in milliseconds from 1970.
    static let bound: Int64 = 1 << 49

    static func checked(_ time: Int64, at offset: Int) throws(DecodingFailure) -> Int64 {
        guard time > -bound, time < bound else { throw DecodingFailure("no time", at: offset) }
        return time
    }
}

extension ByteReader {
    /// - Parameter base: what the time is a difference to.
    mutating func readTime(above base: Int64 = 0) throws(DecodingFailure) -> Int64 {
        try SampleTime.checked(base &+ readSignedVarint("time"), at: offset)
    }
}
