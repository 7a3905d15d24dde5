internal import Ledger

/// The responses of the Prometheus HTTP API, byte for byte as Prometheus 3 writes them.
///
/// Peculiarities kept: values are texts; sample values have an exponent where they are tiny or huge, scalars never;
/// timestamps of samples have no fraction or three digits, those of scalars as many as they need; texts outside of
/// metrics have `<`, `>` and `&` escaped. Source: Prometheus `web/api/v1/json_codec.go`, `promql/value.go`.
public struct PrometheusJSON: Sendable {
    private var bytes: [UInt8] = []

    // MARK: Responses

    public static func response(
        _ result: QueryResult, warnings: [String] = [], infos: [String] = []
    ) -> [UInt8] {
        success(warnings: warnings, infos: infos) { json in
            json.raw("{\"resultType\":\"")
            switch result {
            case .scalar(let point):
                json.raw(
                    "scalar\",\"result\":[\(secondsAsNumber(point.time)),\"\(FloatText.fixed(point.value))\"]"
                )
            case .string(let time, let value):
                json.raw("string\",\"result\":[\(secondsAsNumber(time)),")
                json.text(value, escapingHTML: true)
                json.raw("]")
            case .vector(let series):
                json.raw("vector\",\"result\":")
                json.list(series) { json, one in
                    json.raw("{\"metric\":")
                    json.object(one.labels)
                    json.raw(",\"value\":")
                    if let point = one.points.last { json.point(point) } else { json.raw("[]") }
                    json.raw("}")
                }
            case .matrix(let series):
                json.raw("matrix\",\"result\":")
                json.list(series) { json, one in
                    json.raw("{\"metric\":")
                    json.object(one.labels)
                    json.raw(",\"values\":")
                    json.list(one.points) { $0.point($1) }
                    json.raw("}")
                }
            }
            json.raw("}")
        }
    }

    public static func response(_ answer: AnnotatedResult) -> [UInt8] {
        response(answer.result, warnings: answer.warnings, infos: answer.infos)
    }

    /// `/api/v1/series`.
    public static func response(series: [LabelSet], warnings: [String] = []) -> [UInt8] {
        success(warnings: warnings) { $0.list(series) { $0.object($1) } }
    }

    /// `/api/v1/labels` and `/api/v1/label/<name>/values`.
    public static func response(texts: [String], warnings: [String] = []) -> [UInt8] {
        success(warnings: warnings) { $0.list(texts) { $0.text($1, escapingHTML: true) } }
    }

    /// `/api/v1/format_query`.
    public static func response(text: String) -> [UInt8] {
        success { $0.text(text, escapingHTML: true) }
    }

    /// `/api/v1/metadata`. The help names what documents call the metric.
    public static func response(metadata: [MetricMetadata]) -> [UInt8] {
        success { json in
            json.raw("{")
            for (place, metric) in metadata.enumerated() {
                if place > 0 { json.raw(",") }
                json.text(metric.name, escapingHTML: true)
                json.raw(":[{\"type\":\"gauge\",\"help\":")
                json.text(metric.originalNames.joined(separator: ", "), escapingHTML: true)
                json.raw(",\"unit\":")
                json.text(metric.unit, escapingHTML: true)
                json.raw("}]")
            }
            json.raw("}")
        }
    }

    public static func response(error: QueryError) -> [UInt8] {
        var json = PrometheusJSON()
        json.raw("{\"status\":\"error\",\"errorType\":\"\(error.kind.rawValue)\",\"error\":")
        json.text(error.message, escapingHTML: true)
        json.raw("}")
        return json.bytes
    }

    /// `/v1/explain`, which is not of Prometheus.
    public static func response(_ explanation: Explanation) -> [UInt8] {
        success { json in
            json.raw("{\"expression\":")
            json.text(explanation.expression, escapingHTML: true)
            json.raw(",\"type\":\"\(explanation.type.rawValue)\",\"moments\":\(explanation.moments)")
            json.raw(",\"selectors\":")
            json.list(explanation.selectors) { json, plan in
                json.raw("{\"selector\":")
                json.text(plan.selector, escapingHTML: true)
                json.raw(",\"question\":")
                json.text(plan.question, escapingHTML: true)
                json.raw(",\"way\":\"\(plan.way.rawValue)\",\"series\":\(plan.series)")
                json.raw(",\"windows\":\(plan.windows),\"samples\":\(plan.samples),\"reads\":\(plan.reads)}")
            }
            json.raw("}")
        }
    }

    private static func success(
        warnings: [String] = [], infos: [String] = [], _ body: (inout PrometheusJSON) -> Void
    ) -> [UInt8] {
        var json = PrometheusJSON()
        json.raw("{\"status\":\"success\",\"data\":")
        body(&json)
        for (name, texts) in [("warnings", warnings), ("infos", infos)] where !texts.isEmpty {
            json.raw(",\"\(name)\":")
            json.list(texts) { $0.text($1, escapingHTML: true) }
        }
        json.raw("}")
        return json.bytes
    }

    // MARK: Parts

    private init() {}

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func list<Element>(
        _ elements: [Element], _ body: (inout PrometheusJSON, Element) -> Void
    ) {
        raw("[")
        for (place, element) in elements.enumerated() {
            if place > 0 { raw(",") }
            body(&self, element)
        }
        raw("]")
    }

    private mutating func object(_ labels: LabelSet) {
        raw("{")
        for (place, label) in labels.labels.enumerated() {
            if place > 0 { raw(",") }
            text(label.name, escapingHTML: false)
            raw(":")
            text(label.value, escapingHTML: false)
        }
        raw("}")
    }

    private mutating func point(_ point: Point) {
        raw("[\(FloatText.seconds(milliseconds: point.time)),\"\(FloatText.sample(point.value))\"]")
    }

    /// Without zeros at the end, as a number is written: 1.25.
    private static func secondsAsNumber(_ milliseconds: Int64) -> String {
        var text = FloatText.seconds(milliseconds: milliseconds)
        if text.contains(".") { while text.hasSuffix("0") { text.removeLast() } }
        return text
    }

    private mutating func text(_ text: String, escapingHTML: Bool) {
        raw("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": raw("\\\"")
            case "\\": raw("\\\\")
            case "\n": raw("\\n")
            case "\r": raw("\\r")
            case "\t": raw("\\t")
            case "<" where escapingHTML, ">" where escapingHTML, "&" where escapingHTML,
                "\u{2028}" where escapingHTML, "\u{2029}" where escapingHTML:
                unicodeEscape(scalar)
            default:
                if scalar.value < 0x20 {
                    unicodeEscape(scalar)
                } else {
                    raw(String(Character(scalar)))
                }
            }
        }
        raw("\"")
    }

    private mutating func unicodeEscape(_ scalar: Unicode.Scalar) {
        let digits = String(scalar.value, radix: 16)
        raw("\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
    }
}
