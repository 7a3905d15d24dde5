/// Durations as Prometheus writes them, `1h30m`: whole numbers with the units y, w, d, h, m, s, ms, in this order.
public enum DurationText {
    /// A year has 365 days and a week 7, always.
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
        ("s", 1000), ("ms", 1),
    ]

    /// In milliseconds. `nil` unless the text is a duration of at most `QueryLimits.durationMilliseconds`.
    public static func milliseconds(_ text: some StringProtocol) -> Int64? {
        let bytes = Array(text.utf8)
        if bytes == [0x30] { return 0 }
        var total: Int64 = 0
        var position = 0
        var nextUnit = 0
        while position < bytes.count {
            var value: Int64 = 0
            let start = position
            while position < bytes.count, bytes[position].isDigit {
                value = value * 10 + Int64(bytes[position] - 0x30)
                guard value <= QueryLimits.durationMilliseconds else { return nil }
                position += 1
            }
            let unitStart = position
            while position < bytes.count, !bytes[position].isDigit { position += 1 }
            let unit = String(decoding: bytes[unitStart..<position], as: UTF8.self)
            guard unitStart > start,
                let index = units.indices.first(where: { $0 >= nextUnit && units[$0].name == unit })
            else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: units[index].milliseconds)
            let (sum, carry) = total.addingReportingOverflow(product)
            guard !overflow, !carry, sum <= QueryLimits.durationMilliseconds else { return nil }
            total = sum
            nextUnit = index + 1
        }
        return bytes.isEmpty ? nil : total
    }

    /// Digits and letters of units by turns. Whether the units fit together is told where the value is read.
    static func looksLikeDuration(_ word: String) -> Bool {
        let bytes = Array(word.utf8)
        guard bytes.first?.isDigit == true, bytes.last?.isDigit == false else { return false }
        return bytes.allSatisfy { $0.isDigit || "ywdhms".utf8.contains($0) }
    }

    /// Years and weeks are used only where nothing remains, since `90d` reads better than `12w6d`.
    ///
    /// - Precondition: not negative.
    public static func text(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0s" }
        var rest = milliseconds
        var text = ""
        for (position, unit) in units.enumerated() {
            if position < 2, rest % unit.milliseconds != 0 { continue }
            let count = rest / unit.milliseconds
            if count > 0 {
                text += "\(count)\(unit.name)"
                rest -= count * unit.milliseconds
            }
        }
        return text
    }
}
