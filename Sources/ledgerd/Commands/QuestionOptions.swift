import ArgumentParser
import Ledger

/// A PromQL expression, and the times that it is asked for.
struct QuestionOptions: ParsableArguments {
    @Argument(help: "The expression, such as 'sum by (test_result) (test_cases)'.")
    var expression: String

    @Option(parsing: .unconditional, help: "When a range begins.")
    var from: String?

    @Option(parsing: .unconditional, help: "When a range ends, or the time of an instant; now without it.")
    var to: String?

    @Option(help: "Between the times of a range, such as 5m; about a hundred without it.")
    var step: String?

    @Option(help: "How far back a sample still counts.")
    var lookback = "1d"

    @OptionGroup var moment: MomentOption

    /// Times that are asked for.
    struct Times: Equatable {
        /// `nil` for an instant at the end.
        let start: Timestamp?
        let end: Timestamp
        let stepMilliseconds: Int64
        let lookbackMilliseconds: Int64
    }

    /// - Parameter isRange: whether without `--from` and `--step` a range is meant: the last day.
    /// - Throws: `ValidationError`.
    func times(now: Timestamp, isRange: Bool = false) throws -> Times {
        guard let lookback = TimeArgument.duration(lookback) else {
            throw ValidationError("--lookback “\(lookback)” is not a duration such as 1d.")
        }
        let end = try TimeArgument.option("--to", to, now: now) ?? now
        var start = try TimeArgument.option("--from", from, now: now)
        if start == nil, step != nil || isRange { start = end.advanced(byMilliseconds: -86_400_000) }
        guard let start else {
            return Times(start: nil, end: end, stepMilliseconds: 0, lookbackMilliseconds: lookback)
        }
        guard start <= end else { throw ValidationError("--from is after --to.") }
        let steps = try step.map { text in
            guard let step = TimeArgument.duration(text) else {
                throw ValidationError("--step “\(text)” is not a duration such as 5m.")
            }
            return step
        }
        let usual = max(1000, (end.milliseconds - start.milliseconds) / 100 / 1000 * 1000)
        return Times(
            start: start, end: end, stepMilliseconds: steps ?? usual, lookbackMilliseconds: lookback)
    }

    /// As the HTTP API wants it.
    ///
    /// - Throws: `ValidationError`.
    func form(_ times: Times, now: Timestamp) throws -> [(name: String, value: String)] {
        var form =
            try moment.form(now: now) + [
                ("query", expression), ("lookback_delta", Self.seconds(times.lookbackMilliseconds)),
            ]
        if let start = times.start {
            form += [
                ("start", Self.seconds(start.milliseconds)), ("end", Self.seconds(times.end.milliseconds)),
                ("step", Self.seconds(times.stepMilliseconds)),
            ]
        } else {
            form.append(("time", Self.seconds(times.end.milliseconds)))
        }
        return form
    }

    /// `1763806500.250`: exact, which a floating-point number of milliseconds would be, too, and shorter to read.
    static func seconds(_ milliseconds: Int64) -> String {
        let magnitude = milliseconds.magnitude
        let fraction = String(1000 + magnitude % 1000).dropFirst()
        return "\(milliseconds < 0 ? "-" : "")\(magnitude / 1000).\(fraction)"
    }
}
