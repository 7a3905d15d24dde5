public import Ledger

/// The number of a series, or of an aggregate across series, in one query store: given in the order of arrival, never used twice, and so not the same
/// in every node. Stored as `u64`, big-endian.
public struct SeriesID: Hashable, Comparable, Sendable {
    public let value: UInt64
    public init(_ value: UInt64) { self.value = value }
    public static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// What its samples have in common: the name, the unit and the labels of a measure.
public final class Series: Sendable {
    public let id: SeriesID
    /// As in the document, `cicd.pipeline.run.duration`.
    public let name: String
    public let unit: String
    /// As in the document, sorted by name.
    public let labels: [Label]
    /// What PromQL shows, `__name__` included. Two series may show alike (`a.b` in `s`, and `a_b_seconds`): questions
    /// treat them as one.
    public let shown: LabelSet

    public init(id: SeriesID, name: String, unit: String, labels: [Label]) {
        self.id = id
        self.name = name
        self.unit = unit
        self.labels = labels
        let metric = Label(name: LabelSet.metricName, value: PrometheusName.metric(name, unit: unit))
        shown = LabelSet(PrometheusName.labels(labels) + [metric])
    }

    /// The values that a matcher for `label` compares with: both names of the metric, or the label as PromQL shows
    /// it, or as the document has it; an absent label is empty.
    func values(of label: String) -> [String] {
        let asShown = shown[label]
        if label == LabelSet.metricName {
            guard let asShown, asShown != name else { return [name] }
            return [asShown, name]
        }
        return [asShown ?? labels.first { $0.name == label }?.value ?? ""]
    }

    func isSelected(by matchers: [LabelMatcher]) -> Bool {
        matchers.allSatisfy { $0.accepts(anyOf: values(of: $0.name)) }
    }
}
