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
    mutating func counter(_ name: String, _ help: String, _ samples: [([String: String], UInt64)]) {
        head(name, "counter", help)
        for (labels, value) in samples {
            let set = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(
                separator: ",")
            text += "\(name)_total{\(set)} \(value)\n"
        }
    }

    private mutating func head(_ name: String, _ type: String, _ help: String) {
        text += "# TYPE \(name) \(type)\n# HELP \(name) \(help)\n"
    }

    var finished: String { text + "# EOF\n" }
}
