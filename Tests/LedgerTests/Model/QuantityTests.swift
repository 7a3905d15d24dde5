import TestSupport
import Testing

@testable import Ledger

@Suite struct `A quantity` {
    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("1204", "1204"), ("312.5", "312.5"), ("-0.50", "-0.5"), ("007", "7"),
        ("0.000000001", "0.000000001"), ("999999999999999999", "999999999999999999"),
        ("-999999999.999999999", "-999999999.999999999"), ("1.000000000", "1"),
        ("0000000000000000000000001", "1"),
    ])
    func `is read and written in its one form`(text: String, expected: String) throws {
        let quantity = try #require(Quantity(text))
        #expect(quantity.description == expected)
        #expect(Quantity(expected) == quantity)
    }

    @Test(arguments: [
        "", "-", ".", "1.", ".5", "+1", "1e3", "1 ", " 1", "--1", "1-", "1.2.3", "1,5", "NaN", "inf", "0x1",
        "１",
        "1000000000000000000", "0.0000000001", "1234567890.123456789", String(repeating: "9", count: 1000),
        String(repeating: "0", count: 65),
    ])
    func `is refused where it is no decimal of 18 digits`(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test func `equals and orders as its value`() {
        var generator = SeededGenerator(seed: 20)
        for _ in 0..<5000 {
            let (left, right) = (generator.quantity(), generator.quantity())
            #expect((left == right) == (left.nanos == right.nanos))
            #expect((left < right) == (left.nanos < right.nanos))
            #expect(Quantity(left.description) == left)
        }
    }

    @Test func `takes no coefficient over 18 digits and no scale over 9`() {
        #expect(Quantity(coefficient: .min, scale: 0) == nil)
        #expect(Quantity(coefficient: .max, scale: 9) == nil)
        #expect(Quantity(coefficient: 1, scale: 10) == nil)
        #expect(Quantity(whole: .min) == nil)
        #expect(Quantity(coefficient: 0, scale: 9) == .zero)
        #expect(Quantity(coefficient: -1_500_000_000, scale: 9)?.description == "-1.5")
    }

    @Test func `nearest to a sum gives up digits of the fraction, half to even`() {
        #expect(Quantity(nearestToNanos: 1_000_000_000)?.description == "1")
        #expect(Quantity(nearestToNanos: 1_000_000_000_000_000_005)?.description == "1000000000")
        #expect(Quantity(nearestToNanos: 1_000_000_000_000_000_015)?.description == "1000000000.00000002")
        #expect(Quantity(nearestToNanos: -1_000_000_000_000_000_025)?.description == "-1000000000.00000002")
        #expect(Quantity(nearestToNanos: 1_000_000_000_000_000_051)?.description == "1000000000.00000005")
        let largest = Int128(999_999_999_999_999_999) * 1_000_000_000
        #expect(Quantity(nearestToNanos: largest)?.description == "999999999999999999")
        #expect(Quantity(nearestToNanos: largest + 999_999_999) == nil)
        #expect(Quantity(nearestToNanos: .max) == nil)
        #expect(Quantity(nearestToNanos: .min) == nil)
    }
}

@Suite struct `A number of a report` {
    /// Slow and obvious: the digits moved by text, then rounded.
    private func slowNanos(whole: String, fraction: String, exponent: Int) -> Int128? {
        var digits = whole + fraction
        var behindPoint = fraction.count - exponent - 9
        while behindPoint < 0 {
            digits += "0"
            behindPoint += 1
        }
        while digits.count <= behindPoint { digits = "0" + digits }
        let kept = String(digits.dropLast(behindPoint))
        let lost = digits.suffix(behindPoint)
        guard var value = Int128(kept) else { return nil }
        let half = "5" + String(repeating: "0", count: max(0, lost.count - 1))
        if !lost.isEmpty, lost > half || (lost == half && value % 2 == 1) { value += 1 }
        return value
    }

    @Test func `is read exactly, rounded half to even`() {
        var generator = SeededGenerator(seed: 21)
        func digits(_ range: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: range, using: &generator)).map { _ in
                    "0055519".randomElement(using: &generator) ?? "0"
                })
        }
        for _ in 0..<5000 {
            let (whole, fraction) = (digits(1...9), digits(0...20))
            let exponent = Int.random(in: -12...8, using: &generator)
            let text = whole + (fraction.isEmpty ? "" : "." + fraction) + "e\(exponent)"
            #expect(
                ReportNumber.nanos(text) == slowNanos(whole: whole, fraction: fraction, exponent: exponent),
                "\(text)")
        }
    }
}
