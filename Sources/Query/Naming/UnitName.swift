/// UCUM units as OpenTelemetry uses them, and the words that Prometheus has for them.
/// Source: as `PrometheusName`; the tables are those of the OpenTelemetry Collector and of Prometheus.
public enum UnitName {
    /// One word: `By/s` is `bytes_per_second`. Empty for no unit, `1` and annotations such as `{case}`.
    public static func prometheus(_ unit: String) -> String {
        let (main, per) = words(unit)
        return main.isEmpty || per.isEmpty ? main + per : main + "_" + per
    }

    /// `("bytes", "per_second")` for `By/s`; either may be empty.
    static func words(_ unit: String) -> (main: String, per: String) {
        let parts = unit.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let main = parts.first.map { word($0, in: units) } ?? ""
        let per = parts.count > 1 ? word(parts[1], in: rates) : ""
        return (main, per.isEmpty ? "" : "per_" + per)
    }

    private static func word(_ part: Substring, in table: [String: String]) -> String {
        let unit = String(part.filter { $0 != " " })
        // An annotation says what is counted, not a unit.
        if unit.contains("{") || unit.contains("}") { return "" }
        if let known = table[unit] { return known }
        return unit.utf8.split { !PrometheusName.isMetricByte($0) }.map { String($0) ?? "" }
            .joined(separator: "_")
    }

    private static let units: [String: String] = [
        "d": "days", "h": "hours", "min": "minutes", "s": "seconds", "ms": "milliseconds",
        "us": "microseconds",
        "ns": "nanoseconds",
        "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes",
        "KBy": "kilobytes", "kBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes",
        "m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams",
        "Cel": "celsius", "Hz": "hertz", "1": "", "%": "percent",
    ]

    private static let rates: [String: String] = [
        "s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week", "wk": "week",
        "mo": "month", "y": "year", "a": "year",
    ]
}
