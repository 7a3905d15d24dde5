import Ledger
import Query

/// Times as people type them.
enum TimeArgument {
    /// `now`, `-2h` and `now-2h` (before now), RFC 3339 with a zone, or seconds since 1970.
    ///
    /// - Returns: `nil` for anything else, and for times outside the years 0001 to 9999.
    static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if text == "now" { return now }
        for (prefix, sign) in [("now-", Int64(-1)), ("now+", 1), ("-", -1), ("+", 1)]
        where text.hasPrefix(prefix) {
            guard let distance = DurationText.milliseconds(text.dropFirst(prefix.count)) else { continue }
            let (sum, overflow) = now.milliseconds.addingReportingOverflow(sign * distance)
            return overflow ? nil : Timestamp(milliseconds: sum)
        }
        if let time = Timestamp(rfc3339: text) { return time }
        guard let seconds = Double(text), seconds.isFinite, seconds.magnitude < 1e12 else { return nil }
        return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
    }

    /// `1h30m`, or seconds. In milliseconds, positive.
    static func duration(_ text: String) -> Int64? {
        if let milliseconds = DurationText.milliseconds(text) { return milliseconds > 0 ? milliseconds : nil }
        guard let seconds = Double(text), seconds.isFinite, seconds < 1e9, seconds >= 0.001 else {
            return nil
        }
        return Int64((seconds * 1000).rounded())
    }
}
