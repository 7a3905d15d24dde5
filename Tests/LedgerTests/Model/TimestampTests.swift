import Foundation
import Ledger
import TestSupport
import Testing

@Suite struct `A timestamp` {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1),
            ("2026-11-22T10:15:00.25Z", 1_795_342_500_250),
            ("2026-11-22T11:15:00.250+01:00", 1_795_342_500_250),
            ("2026-11-22T00:15:00.250-10:00", 1_795_342_500_250),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("0001-01-01T00:00:00Z", -62_135_596_800_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)])
    func `is read from RFC 3339`(text: String, milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T10:15:00", "2026-11-22 10:15:00Z", "2026-11-22t10:15:00z",
        "2026-11-22T10:15Z",
        "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:15:60Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-11-00T00:00:00Z", "2026-11-22T10:15:00.Z", "2026-11-22T10:15:00.1234Z",
        "2026-11-22T10:15:00+24:00",
        "2026-11-22T10:15:00+01:60", "2026-11-22T10:15:00+0100", "2026-11-22T10:15:00Z ",
        "-026-11-22T10:15:00Z",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "12026-11-22T10:15:00Z",
    ])
    func `is refused in any other form`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func `is written as Foundation writes it, and read back`() throws {
        var generator = SeededGenerator(seed: 22)
        // Foundation's calendar is Julian before 1582.
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for _ in 0..<3000 {
            let time = generator.time()
            #expect(Timestamp(rfc3339: time.description) == time)
            guard time.milliseconds > -12_000_000_000_000 else { continue }
            let date = Date(timeIntervalSince1970: Double(time.seconds))
            #expect(date.formatted(style).dropLast(5) == time.description.dropLast(5))
        }
        for edge in [Timestamp.earliest, .latest] { #expect(Timestamp(rfc3339: edge.description) == edge) }
    }

    @Test func `stays in its range`() throws {
        #expect(Timestamp(milliseconds: .min) == nil)
        #expect(Timestamp(milliseconds: .max) == nil)
        let start = try #require(Timestamp(milliseconds: 0))
        #expect(start.advanced(byMilliseconds: .max) == .latest)
        #expect(start.advanced(byMilliseconds: .min) == .earliest)
        #expect(Timestamp.latest.advanced(byMilliseconds: .max) == .latest)
        #expect(Timestamp.earliest.advanced(byMilliseconds: .min) == .earliest)
        #expect(Timestamp(milliseconds: -1)?.seconds == -1)
        #expect(Timestamp(milliseconds: -1000)?.seconds == -1)
        #expect(Timestamp(milliseconds: 999)?.seconds == 0)
    }
}
