/// A sum of squares of nanos, exact: 18 digits times 10⁹, squared, are below 2¹⁸⁰, and 2⁶⁴ of them still fit 256 bits.
public struct SquareSum: Hashable, Sendable {
    /// In units of 10⁻¹⁸: `high · 2¹²⁸ + low`.
    public private(set) var high: UInt128
    public private(set) var low: UInt128

    public static let zero = SquareSum(high: 0, low: 0)

    init(high: UInt128, low: UInt128) {
        self.high = high
        self.low = low
    }

    init(squareOf nanos: Int128) {
        let (high, low) = nanos.magnitude.multipliedFullWidth(by: nanos.magnitude)
        self.init(high: high, low: low)
    }

    /// `value · factor`.
    init(_ value: UInt128, times factor: UInt128) {
        let (high, low) = value.multipliedFullWidth(by: factor)
        self.init(high: high, low: low)
    }

    mutating func add(_ other: SquareSum) {
        let (sum, carries) = low.addingReportingOverflow(other.low)
        low = sum
        high += other.high + (carries ? 1 : 0)
    }

    /// - Precondition: `factor` is above zero, and small enough that the product fits.
    func multiplied(by factor: UInt128) -> SquareSum {
        let (carried, low) = low.multipliedFullWidth(by: factor)
        return SquareSum(high: high &* factor &+ carried, low: low)
    }

    /// - Precondition: `divisor` is above zero.
    func divided(by divisor: UInt128) -> SquareSum {
        let (quotient, rest) = high.quotientAndRemainder(dividingBy: divisor)
        return SquareSum(high: quotient, low: divisor.dividingFullWidth((rest, low)).quotient)
    }
}
