internal import Ledger

/// Turns exact sums into the doubles of an answer, correctly rounded, once, at the end.
enum ExactSum {
    /// `nanos / 10⁹`, to nearest, ties to even.
    static func double(nanos: Int128) -> Double { quotient(nanos, 1_000_000_000) }

    /// `nanos / (10⁹ · count)`, to nearest, ties to even; not-a-number for a count of 0.
    static func mean(nanos: Int128, count: UInt64) -> Double {
        guard count > 0 else { return .nan }
        // Below 2⁹⁴: no overflow.
        return quotient(nanos, UInt128(count) * 1_000_000_000)
    }

    /// Divides by hand, since neither operand need fit a double.
    ///
    /// - Precondition: `0 < divisor < 2¹²⁷`.
    private static func quotient(_ dividend: Int128, _ divisor: UInt128) -> Double {
        let magnitude = dividend.magnitude
        if magnitude == 0 { return 0 }
        var (digits, rest) = magnitude.quotientAndRemainder(dividingBy: divisor)
        var exponent = 0
        // 55 bits and one for "there is more" decide the rounding of 53.
        while digits < 1 << 55 {
            rest <<= 1
            digits <<= 1
            if rest >= divisor {
                rest -= divisor
                digits |= 1
            }
            exponent -= 1
        }
        var isInexact = rest != 0
        while digits >= 1 << 63 {
            isInexact = isInexact || digits & 1 == 1
            digits >>= 1
            exponent += 1
        }
        if isInexact { digits |= 1 }
        let value = Double(sign: .plus, exponent: exponent, significand: Double(UInt64(digits)))
        return dividend < 0 ? -value : value
    }
}

extension Quantity {
    /// The nearest double.
    var double: Double {
        // Both fit a double exactly, and division rounds correctly.
        if coefficient.magnitude < 1 << 53 {
            return Double(coefficient) / Self.doublePowersOfTen[Int(scale)]
        }
        return ExactSum.double(nanos: nanos)
    }

    static let doublePowersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
}
