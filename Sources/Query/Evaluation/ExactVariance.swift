/// The variance of a population from exact sums: a few last bits off at most, however near each other large values are.
enum ExactVariance {
    /// - Parameters:
    ///   - sum: of the values, in units of 10⁻⁹.
    ///   - squares: of their squares, in units of 10⁻¹⁸.
    ///   - count: positive.
    static func value(count: UInt64, sum: Int128, squares: SquareSum) -> Double {
        // With S = n·m + r and |r| ≤ n/2 it is Σ(x-S/n)² = Σ(x-m)² - r²/n and Σ(x-m)² = Q - m·(S + r), all of it whole
        // numbers but the last small part: what would cancel in doubles cancels exactly.
        let n = Int128(count)
        var (mean, rest) = sum.quotientAndRemainder(dividingBy: n)
        if rest > n / 2 {
            mean += 1
            rest -= n
        } else if rest < -(n / 2) {
            mean -= 1
            rest += n
        }
        let product = mean.multipliedFullWidth(by: sum + rest)
        let centred = squares.subtracting(high: UInt128(bitPattern: product.high), low: product.low)
        let distance = Double(rest)
        let total = centred.double - distance * (distance / Double(count))
        return max(0, total / Double(count) / 1e18)
    }
}

extension SquareSum {
    /// Modulo 2²⁵⁶, so that a product below zero, in two's complement, is added.
    func subtracting(high otherHigh: UInt128, low otherLow: UInt128) -> SquareSum {
        let (difference, borrows) = low.subtractingReportingOverflow(otherLow)
        return SquareSum(high: high &- otherHigh &- (borrows ? 1 : 0), low: difference)
    }

    mutating func subtract(_ other: SquareSum) { self = subtracting(high: other.high, low: other.low) }

    var double: Double { Double(high) * 0x1p128 + Double(low) }
}
