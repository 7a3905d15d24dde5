/// Builds an exposition of numbers.
///
/// Source: the OpenMetrics specification 1.0, "Text format".
struct OpenMetricsText {
    private var text = ""

    mutating func gauge(_ name: String, _ help: String, _ value: UInt64) {
        head(name, "gauge", help)
        text += "\(name) \(value)\n"
    }

    /// - Parameter samples: label sets of one label each, whose values need no escaping.
    mutating func gauges(_ name: String, _ help: String, _ samples: [([String: String], UInt64)]) {
        head(name, "gauge", help)
        for (labels, value) in samples { text += "\(name)\(Self.set(labels)) \(value)\n" }
    }

    /// - Parameter samples: label sets of one label each, or of none, whose values need no escaping.
    mutating func counter(_ name: String, _ help: String, _ samples: [([String: String], UInt64)]) {
        head(name, "counter", help)
        for (labels, value) in samples {
            text += "\(name)_total\(Self.set(labels)) \(value)\n"
        }
    }

    private static func set(_ labels: [String: String]) -> String {
        if labels.isEmpty { return "" }
        let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# TYPE \(name) \(type)\n# HELP \(name) \(help)\n"
    }

    var finished: String { text + "# EOF\n" }
}
