import Foundation

/// How far long work is: count, rate and time left, on one line of a terminal. Nothing where standard error is none.
struct ProgressLine {
    private let noun: String
    private let total: UInt64
    private let isShown: Bool
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now

    init(_ noun: String, total: UInt64 = 0, isShown: Bool = Terminal.errorIsTerminal) {
        self.noun = noun
        self.total = total
        self.isShown = isShown
    }

    /// - Parameter total: where it is known only now.
    mutating func update(_ done: UInt64, of total: UInt64? = nil) {
        guard isShown else { return }
        let now = ContinuousClock.now
        guard now - shown >= .milliseconds(100) else { return }
        shown = now
        let elapsed = now - started
        Terminal.writeError("\r\u{1B}[K" + Self.line(noun, done, of: total ?? self.total, in: elapsed))
    }

    /// Clears the line.
    func finish() {
        if isShown, shown > started { Terminal.writeError("\r\u{1B}[K") }
    }

    /// `12,000 of 70,000 entries, 4,100 a second, 14 s left`.
    static func line(_ noun: String, _ done: UInt64, of total: UInt64, in elapsed: Duration) -> String {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let rate = seconds > 0 ? min(Double(done) / seconds, 1e12) : 0
        var text = total > 0 ? "\(grouped(done)) of \(grouped(total)) \(noun)" : "\(grouped(done)) \(noun)"
        text += ", \(rate < 10 ? String(format: "%.1f", rate) : grouped(UInt64(rate))) a second"
        if total > done, rate > 0 { text += ", \(duration(seconds: Double(total - done) / rate)) left" }
        return text
    }

    static func grouped(_ number: UInt64) -> String {
        let digits = Array(String(number))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// `1 block`, `12,000 blocks`.
    static func count(_ number: UInt64, _ one: String, _ many: String) -> String {
        "\(grouped(number)) \(number == 1 ? one : many)"
    }

    /// `14 s`, `3 min 5 s`, `2 h 10 min`.
    static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "long" }
        if seconds < 10 { return String(format: "%.1f s", max(0, seconds)) }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
