extension Timestamp: CustomStringConvertible {
    /// Reads RFC 3339 with a zone and at most milliseconds: `2026-11-22T10:15:00.250Z`, `…+01:00`.
    ///
    /// Leap seconds (`:60`), lower-case `t`/`z`, a space for `T` and more than three fraction digits are refused:
    /// each moment then has few spellings, and none is read differently by another tool.
    public init?(rfc3339 text: some StringProtocol) {
        var scanner = ASCIIScanner(text)
        guard let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), scanner.skip("-"),
            let day = scanner.number(digits: 2), scanner.skip("T"),
            let hour = scanner.number(digits: 2), scanner.skip(":"),
            let minute = scanner.number(digits: 2), scanner.skip(":"),
            let second = scanner.number(digits: 2)
        else { return nil }
        guard year >= 1, (1...12).contains(month), day >= 1, day <= Self.days(inMonth: month, of: year),
            hour < 24, minute < 60, second < 60
        else { return nil }

        var fraction = 0
        if scanner.skip(".") {
            guard let (value, digits) = scanner.fraction(atMost: 3) else { return nil }
            fraction = value * [1000, 100, 10, 1][digits]
        }

        var offsetMinutes = 0
        if !scanner.skip("Z") {
            let sign: Int
            if scanner.skip("+") { sign = 1 } else if scanner.skip("-") { sign = -1 } else { return nil }
            guard let zoneHour = scanner.number(digits: 2), scanner.skip(":"),
                let zoneMinute = scanner.number(digits: 2), zoneHour < 24, zoneMinute < 60
            else { return nil }
            offsetMinutes = sign * (zoneHour * 60 + zoneMinute)
        }
        guard scanner.isAtEnd else { return nil }

        let dayNumber = Self.dayNumber(year: year, month: month, day: day)
        let secondOfDay = hour * 3600 + (minute - offsetMinutes) * 60 + second
        self.init(milliseconds: Int64(dayNumber * 86_400 + secondOfDay) * 1000 + Int64(fraction))
    }

    /// RFC 3339 in UTC with three fraction digits, `2026-11-22T10:15:00.250Z`.
    public var description: String {
        let day = milliseconds.quotientRoundedDown(by: 86_400_000)
        let rest = Int(milliseconds - day * 86_400_000)
        let (year, month, dayOfMonth) = Self.civil(fromDayNumber: Int(day))
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2)
            + "T" + padded(rest / 3_600_000, 2) + ":" + padded(rest / 60_000 % 60, 2)
            + ":" + padded(rest / 1000 % 60, 2) + "." + padded(rest % 1000, 3) + "Z"
    }

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar.
    /// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    static func dayNumber(year: Int, month: Int, day: Int) -> Int {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// Source: as above, civil_from_days.
    static func civil(fromDayNumber dayNumber: Int) -> (year: Int, month: Int, day: Int) {
        let z = dayNumber + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds towards minus infinity; `divisor` is positive.
    func quotientRoundedDown(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// Reads fixed-width ASCII fields.
struct ASCIIScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
        position += 1
        return true
    }

    mutating func number(digits: Int) -> Int? {
        guard position + digits <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<position + digits] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        position += digits
        return value
    }

    /// One to `limit` digits; `nil` where there is none or one more than the limit.
    mutating func fraction(atMost limit: Int) -> (value: Int, digits: Int)? {
        var value = 0
        var count = 0
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
            guard count < limit else { return nil }
            value = value * 10 + Int(bytes[position] - 0x30)
            count += 1
            position += 1
        }
        return count == 0 ? nil : (value, count)
    }
}
