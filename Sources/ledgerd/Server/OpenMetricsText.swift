import Replication

/// Builds an exposition of numbers.
///
/// Source: the OpenMetrics specification 1.0, "Text format".
struct OpenMetricsText {
    /// Of a metric's samples; its name ends with it.
    enum Unit: String {
        case seconds, bytes, entries, blocks, frames
    }

    typealias Sample = (labels: [String: String], value: UInt64)

    private var text = ""

    mutating func gauge(_ name: String, in unit: Unit? = nil, _ help: String, _ value: UInt64) {
        gauges(name, in: unit, help, [([:], value)])
    }

    mutating func gauges(_ name: String, in unit: Unit? = nil, _ help: String, _ samples: [Sample]) {
        head(name, "gauge", unit, help)
        for (labels, value) in samples { text += "\(name)\(Self.set(labels)) \(value)\n" }
    }

    mutating func counter(_ name: String, in unit: Unit? = nil, _ help: String, _ value: UInt64) {
        counters(name, in: unit, help, [([:], value)])
    }

    mutating func counters(_ name: String, in unit: Unit? = nil, _ help: String, _ samples: [Sample]) {
        head(name, "counter", unit, help)
        for (labels, value) in samples { text += "\(name)_total\(Self.set(labels)) \(value)\n" }
    }

    /// Facts that do not change while the process runs, as labels.
    mutating func info(_ name: String, _ help: String, _ labels: [String: String]) {
        head(name, "info", nil, help)
        text += "\(name)_info\(Self.set(labels)) 1\n"
    }

    /// In seconds.
    mutating func histogram(_ name: String, _ help: String, _ histogram: DurationHistogram) {
        head(name, "histogram", .seconds, help)
        var count: UInt64 = 0
        let ends = DurationHistogram.boundsMicroseconds.map(Self.seconds) + ["+Inf"]
        for (end, inside) in zip(ends, histogram.counts) {
            count += inside
            text += "\(name)_bucket{le=\"\(end)\"} \(count)\n"
        }
        text += "\(name)_count \(count)\n\(name)_sum \(Self.seconds(histogram.sumMicroseconds))\n"
    }

    var finished: String { text + "# EOF\n" }

    /// The shortest decimal, with one digit behind the point at least: `0.0025`, `1.0`.
    static func seconds(_ microseconds: UInt64) -> String {
        let digits = String(microseconds % 1_000_000 + 1_000_000).dropFirst()
        let fraction = digits.reversed().drop { $0 == "0" }.reversed()
        return "\(microseconds / 1_000_000).\(fraction.isEmpty ? "0" : String(fraction))"
    }

    private static func set(_ labels: [String: String]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { escaped, character in
            switch character {
            case "\\": escaped += #"\\"#
            case "\"": escaped += #"\""#
            case "\n": escaped += #"\n"#
            default: escaped.append(character)
            }
        }
    }

    private mutating func head(_ name: String, _ type: String, _ unit: Unit?, _ help: String) {
        text += "# TYPE \(name) \(type)\n"
        if let unit {
            precondition(name.hasSuffix("_\(unit.rawValue)"), "\(name) ends with its unit, \(unit.rawValue)")
            text += "# UNIT \(name) \(unit.rawValue)\n"
        }
        text += "# HELP \(name) \(help)\n"
    }
}
