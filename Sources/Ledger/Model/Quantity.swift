/// An exact decimal: at most 18 digits, at most 9 of them behind the point.
///
/// Kept in its one form, without zeros at the end of the fraction, so equal values are equal bytes.
/// Sums of quantities are whole numbers of `nanos` in `Int128`: 18 digits times 10⁹ times 10¹¹ samples still fits,
/// and the order of addition cannot change a bit.
public struct Quantity: Hashable, Sendable {
    /// The digits as a whole number; the value is `coefficient / 10^scale`.
    public let coefficient: Int64
    /// Digits behind the point, 0 to 9.
    public let scale: UInt8

    public static let zero = Quantity(coefficient: 0)

    /// A whole number. `nil` with more than 18 digits.
    public init?(whole value: Int64) {
        guard value.magnitude <= Self.largestCoefficient else { return nil }
        self.init(coefficient: value)
    }

    private init(coefficient: Int64) {
        self.coefficient = coefficient
        scale = 0
    }

    /// `coefficient / 10^scale`, brought into its one form. `nil` with more than 18 digits or a scale above 9.
    public init?(coefficient: Int64, scale: UInt8) {
        guard scale <= 9, coefficient.magnitude <= Self.largestCoefficient else { return nil }
        var digits = coefficient
        var places = scale
        while places > 0, digits % 10 == 0 {
            digits /= 10
            places -= 1
        }
        self.coefficient = digits
        self.scale = places
    }

    /// The digits with `scale` places behind the point. `nil` where there are more, or the number is too large.
    public func coefficient(atScale scale: UInt8) -> Int64? {
        guard scale >= self.scale, scale <= 9 else { return nil }
        let (result, overflows) = coefficient.multipliedReportingOverflow(
            by: Self.wholePowersOfTen[Int(scale - self.scale)])
        return overflows || result.magnitude > Self.largestCoefficient ? nil : result
    }

    private static let wholePowersOfTen: [Int64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]

    private static let largestCoefficient: UInt64 = 999_999_999_999_999_999

    /// The value in units of 10⁻⁹, the unit of exact sums.
    public var nanos: Int128 { Int128(coefficient) * Self.powersOfTen[9 - Int(scale)] }

    /// What one unit of a coefficient is worth in nanos.
    ///
    /// - Precondition: `scale` is at most 9.
    public static func nanos(atScale scale: UInt8) -> Int128 { powersOfTen[9 - Int(scale)] }

    private static let powersOfTen: [Int128] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]
}

extension Quantity: Comparable {
    public static func < (left: Self, right: Self) -> Bool { left.nanos < right.nanos }
}

extension Quantity: CustomStringConvertible {
    /// Reads `-?digits[.digits]`. Refused: signs other than one leading `-`, exponents, a point without digits on
    /// both sides, more than 18 digits in all (leading zeros aside) or 9 behind the point.
    public init?(_ text: some StringProtocol) {
        var negative = false
        var magnitude: UInt64 = 0
        var integerDigits = 0
        var fractionDigits = 0
        var pointSeen = false
        for (position, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where position == 0:
                negative = true
            case UInt8(ascii: ".") where !pointSeen && integerDigits > 0:
                pointSeen = true
            case 0x30...0x39:
                if pointSeen { fractionDigits += 1 } else { integerDigits += 1 }
                // 64 digits of text are read at most, so a long run of zeros costs nothing.
                guard integerDigits + fractionDigits <= 64, fractionDigits <= 9 else { return nil }
                guard magnitude < Self.largestCoefficient / 10 + 1 else { return nil }
                magnitude = magnitude * 10 + UInt64(byte - 0x30)
                guard magnitude <= Self.largestCoefficient else { return nil }
            default:
                return nil
            }
        }
        guard integerDigits > 0, pointSeen == (fractionDigits > 0) else { return nil }
        self.init(
            coefficient: negative ? -Int64(magnitude) : Int64(magnitude), scale: UInt8(fractionDigits))
    }

    /// The shortest decimal text, `-0.5`, `1204`.
    public var description: String {
        guard scale > 0 else { return String(coefficient) }
        let digits = String(coefficient.magnitude)
        let padded = String(repeating: "0", count: max(0, Int(scale) + 1 - digits.count)) + digits
        return (coefficient < 0 ? "-" : "") + padded.dropLast(Int(scale)) + "." + padded.suffix(Int(scale))
    }
}
