import Ledger
import Testing

@testable import ledgerd

@Suite struct `A time on the command line` {
    private static let now = Timestamp(rfc3339: "2026-11-22T10:15:00Z") ?? .earliest

    @Test(arguments: [
        ("now", "2026-11-22T10:15:00Z"), ("-2h", "2026-11-22T08:15:00Z"), ("now-1d", "2026-11-21T10:15:00Z"),
        ("+1h30m", "2026-11-22T11:45:00Z"), ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05Z"),
        ("0", "1970-01-01T00:00:00Z"), ("1.25", "1970-01-01T00:00:01.250Z"),
    ])
    func `is relative, RFC 3339 or seconds`(_ text: String, _ expected: String) {
        #expect(TimeArgument.parse(text, now: Self.now) == Timestamp(rfc3339: expected))
    }

    @Test(arguments: [
        "", "yesterday", "2h", "-2", "-", "now-", "--2h", "2026-11-22", "nan", "1e300", "-292y",
    ])
    func `is nothing else`(_ text: String) {
        let parsed = TimeArgument.parse(text, now: Self.now)
        // Numbers are seconds: `-2` is one, before 1970.
        #expect(parsed == nil || Double(text) != nil || text == "-292y")
    }

    @Test func `does not overflow`() {
        #expect(TimeArgument.parse("-9999999999y", now: Self.now) == nil)
        #expect(TimeArgument.parse("+292y", now: .latest) == nil)
        #expect(TimeArgument.parse("-292y", now: .earliest) == nil)
    }

    @Test(
        arguments: [("5m", 300_000), ("1h30m", 5_400_000), ("15", 15_000), ("0.5", 500)] as [(String, Int64)])
    func `has durations beside it`(_ text: String, _ milliseconds: Int64) {
        #expect(TimeArgument.duration(text) == milliseconds)
    }

    @Test(arguments: ["", "0", "-5m", "0s", "abc", "inf", "nan"])
    func `whose durations are positive`(_ text: String) { #expect(TimeArgument.duration(text) == nil) }
}

@Suite struct `A measure on the command line` {
    @Test(arguments: [
        ("cicd.pipeline.run.duration=312.5s", "cicd.pipeline.run.duration", "312.5", "s"),
        ("test.cases=1204{case}", "test.cases", "1204", "{case}"),
        ("temperature=-3Cel", "temperature", "-3", "Cel"),
        ("http_requests_total=7", "http_requests_total", "7", ""),
        ("x=1By/s", "x", "1", "By/s"), ("x=1eV", "x", "1", "eV"),
    ])
    func `has a name, a value and perhaps a unit`(
        _ text: String, _ name: String, _ value: String, _ unit: String
    ) throws {
        let measure = try MeasureArgument(text)
        #expect(measure.name == name)
        #expect(measure.value.description == value)
        #expect(measure.unit == unit)
    }

    @Test(arguments: [
        "", "=", "=1", "x", "x=", "x=s", "x=-", "x=.5", "x=1.", "x=1..2", "x=1e3", "x=1E-3", "x=NaN", "x=+1",
        "x=1234567890123456789", "x=0.0000000001",
    ])
    func `is refused otherwise`(_ text: String) {
        #expect(throws: (any Error).self) { try MeasureArgument(text) }
    }
}
