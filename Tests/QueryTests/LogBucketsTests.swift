import Foundation
import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct `Logarithmic buckets` {
    @Test func `have limits that are powers of two to the 64th part, and middles near everything in them`() {
        for bucket in [-1914, -65, -64, -63, -1, 0, 1, 31, 32, 63, 64, 65, 640, 3826] as [Int32] {
            let limit = exp2(Double(bucket) / 64)
            #expect(BucketTable.bucket(of: limit * (1 - 1e-12)) == bucket)
            #expect(BucketTable.bucket(of: limit * (1 + 1e-12)) == bucket + 1)
            let middle = BucketTable.middle(of: bucket)
            #expect(abs(limit / middle - 1) < 0.0055)
            #expect(abs(exp2(Double(bucket - 1) / 64) / middle - 1) < 0.0055)
        }
        // Powers of two are limits themselves, exactly.
        for exponent in -30...60 as ClosedRange<Int32> {
            let power = Double(sign: .plus, exponent: Int(exponent), significand: 1)
            #expect(BucketTable.bucket(of: power) == exponent * 64)
            #expect(BucketTable.bucket(of: power.nextUp) == exponent * 64 + 1)
        }
    }

    @Test func `order numbers of both signs`() {
        let numbers = [-1e18, -5, -1e-9, 0, 1e-9, 0.3, 1, 1.5, 1e18]
        #expect(numbers.map { LogBuckets.key(of: $0) } == numbers.map { LogBuckets.key(of: $0) }.sorted())
        #expect(Set(numbers.map { LogBuckets.key(of: $0) }).count == numbers.count)
        for number in numbers {
            let middle = LogBuckets.middle(of: LogBuckets.key(of: number))
            #expect(number == 0 ? middle == 0 : abs(middle / number - 1) < 0.0055)
        }
    }

    @Test func `give quantiles within the stated error, however they were put together`() throws {
        var generator = SeededGenerator(seed: 3)
        let numbers = (0..<3000).map { _ in exp(Double.random(in: -8...8, using: &generator)) - 5 }
        var parts: [LogBuckets] = []
        for start in stride(from: 0, to: numbers.count, by: 70) {
            parts.append(
                LogBuckets(keys: numbers[start..<min(start + 70, 3000)].map { LogBuckets.key(of: $0) }))
        }
        var forth = LogBuckets()
        for part in parts { forth.add(part) }
        var back = LogBuckets()
        for part in parts.reversed() { back.add(part) }
        #expect(forth == back)
        #expect(forth.count == 3000)
        let sorted = numbers.sorted()
        for quantile in [0, 0.001, 0.05, 0.5, 0.9, 0.95, 0.999, 1] {
            let exact = sorted[max(0, Int((quantile * 3000).rounded(.up)) - 1)]
            let found = try #require(forth.value(atRank: quantile))
            #expect(abs(found - exact) <= 0.0055 * abs(exact))
        }
        for part in parts.dropFirst() { forth.subtract(part) }
        #expect(forth == parts[0])
        #expect(LogBuckets().value(atRank: 0.5) == nil)
    }
}
