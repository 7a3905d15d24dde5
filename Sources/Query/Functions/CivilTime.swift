/// A time of day and a day of the calendar, in UTC.
struct CivilTime {
    let year: Int
    /// 1 to 12.
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    /// 0 for Sunday.
    let weekday: Int
    /// 1 for the first of January.
    let yearDay: Int

    /// `nil` beyond the years that 64 bits of seconds reach anyhow, and for what is no number.
    init?(secondsSince1970 seconds: Double) {
        guard seconds.magnitude < 1e15 else { return nil }
        let whole = Int64(seconds)
        let dayNumber = Int((whole - (whole % 86_400 + 86_400) % 86_400) / 86_400)
        let second = Int((whole % 86_400 + 86_400) % 86_400)
        hour = second / 3600
        minute = second / 60 % 60
        weekday = ((dayNumber + 4) % 7 + 7) % 7
        // From the first of March of the year 0, so that leap days come last.
        // Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayFromMarch = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayFromMarch + 2) / 153
        day = dayFromMarch - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let leap = Self.isLeap(year) ? 1 : 0
        yearDay = month > 2 ? dayFromMarch + 60 + leap : dayFromMarch - 305
    }

    var daysInMonth: Int {
        switch month {
        case 2: Self.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }
}
