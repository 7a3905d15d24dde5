internal import Ledger

/// How OpenTelemetry names appear in PromQL.
///
/// A series shows with the Prometheus form of its names: `cicd.pipeline.run.duration` in `s` with the label
/// `vcs.ref.head.name` is `cicd_pipeline_run_duration_seconds{vcs_ref_head_name="…"}`. Selectors find it under both
/// forms, the OpenTelemetry one in quotes: `{"cicd.pipeline.run.duration", "vcs.ref.head.name"="main"}`; a label is
/// looked for among the Prometheus names first. A KPI is taken for a gauge, so the unit `1` adds `ratio`.
/// Source: OpenTelemetry specification 1.38, "Prometheus and OpenMetrics compatibility".
public enum PrometheusName {
    /// The metric name. A name in Prometheus's own form (`http_requests_total`: letters, digits, `_`, `:`) passes
    /// unchanged, whatever its unit; of others each run of other characters, underscores included, becomes one
    /// underscore, and the unit is appended unless the name contains it as a word.
    ///
    /// A name of which nothing would be left (`日本`) passes unchanged; Prometheus 3 takes it in quotes.
    public static func metric(_ name: String, unit: String) -> String {
        if isLegacyMetric(name) { return name }
        var words = name.utf8.split { !isMetricByte($0) }.map { String($0) ?? "" }
        guard !words.isEmpty else { return name }
        let (main, per) = UnitName.words(unit)
        if !main.isEmpty, !words.contains(main) { words.append(main) }
        if !per.isEmpty, !words.contains(per) { words.append(per) }
        if unit == "1" {
            words.removeAll { $0 == "ratio" }
            words.append("ratio")
        }
        let joined = words.joined(separator: "_")
        return joined.utf8.first?.isDigit == true ? "_" + joined : joined
    }

    /// The label name: other characters become underscores, runs of them one; `key_` goes before a digit and `key`
    /// before an underscore, since `__name__` and its like belong to Prometheus.
    public static func label(_ name: String) -> String {
        if isLegacyLabel(name), name.utf8.first != UInt8(ascii: "_") { return name }
        var bytes: [UInt8] = []
        var replaced = false
        for byte in name.utf8 {
            if byte.isLetter || byte.isDigit {
                bytes.append(byte)
                replaced = false
            } else if !replaced {
                bytes.append(UInt8(ascii: "_"))
                replaced = true
            }
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if bytes.first?.isDigit == true { return "key_" + text }
        return bytes.first == UInt8(ascii: "_") ? "key" + text : text
    }

    /// Labels in Prometheus form, without the metric name. Where several names become one, the values are joined
    /// with `;` in the order of the original names, as the specification wants.
    ///
    /// - Parameter labels: sorted by name.
    static func labels(_ labels: [Label]) -> [Label] {
        var result: [Label] = []
        for original in labels where !original.value.isEmpty {
            let name = label(original.name)
            if let place = result.firstIndex(where: { $0.name == name }) {
                result[place] = Label(name: name, value: result[place].value + ";" + original.value)
            } else {
                result.append(Label(name: name, value: original.value))
            }
        }
        return result
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    static func isLegacyMetric(_ name: String) -> Bool {
        guard let first = name.utf8.first, !first.isDigit else { return false }
        return name.utf8.allSatisfy { isMetricByte($0) || $0 == UInt8(ascii: "_") }
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`
    static func isLegacyLabel(_ name: String) -> Bool {
        guard let first = name.utf8.first, !first.isDigit else { return false }
        return name.utf8.allSatisfy { $0.isLetter || $0.isDigit }
    }

    static func isMetricByte(_ byte: UInt8) -> Bool {
        (byte.isLetter && byte != UInt8(ascii: "_")) || byte.isDigit || byte == UInt8(ascii: ":")
    }
}
