public import Ledger

/// The labels of a result, the metric name among them as `__name__`; sorted by name, compared byte by byte.
///
/// (`String` holds two spellings of "é" for equal; a ledger does not.)
public struct LabelSet: Hashable, Sendable {
    public static let metricName = "__name__"
    public static let empty = LabelSet(sorted: [])

    public let labels: [Label]

    /// - Parameter labels: with each name at most once. An empty value is the same as no label.
    public init(_ labels: [Label]) {
        self.labels = labels.filter { !$0.value.isEmpty }.sorted()
    }

    private init(sorted labels: [Label]) { self.labels = labels }

    public subscript(name: String) -> String? { labels.first { $0.name == name }?.value }

    func keeping(_ names: [String]) -> LabelSet {
        LabelSet(sorted: labels.filter { names.contains($0.name) })
    }

    func removing(_ names: [String]) -> LabelSet {
        LabelSet(sorted: labels.filter { !names.contains($0.name) })
    }

    var withoutName: LabelSet { removing([Self.metricName]) }

    func setting(_ name: String, to value: String) -> LabelSet {
        LabelSet(removing([name]).labels + [Label(name: name, value: value)])
    }

    public static func == (left: Self, right: Self) -> Bool {
        guard left.labels.count == right.labels.count else { return false }
        return zip(left.labels, right.labels).allSatisfy {
            $0.name.utf8.elementsEqual($1.name.utf8) && $0.value.utf8.elementsEqual($1.value.utf8)
        }
    }

    public func hash(into hasher: inout Hasher) {
        for label in labels {
            for byte in label.name.utf8 { hasher.combine(byte) }
            hasher.combine(UInt8(0))
            for byte in label.value.utf8 { hasher.combine(byte) }
            hasher.combine(UInt8(0))
        }
    }
}

extension LabelSet: Comparable {
    public static func < (left: Self, right: Self) -> Bool {
        left.labels.lexicographicallyPrecedes(right.labels)
    }
}

extension LabelSet: CustomStringConvertible {
    /// `name{label="value"}`, as Prometheus prints it.
    public var description: String {
        let rest = labels.filter { $0.name != Self.metricName }.map { label in
            let name = PrometheusName.isLegacyLabel(label.name) ? label.name : label.name.goQuoted
            return name + "=" + label.value.goQuoted
        }
        let name = self[Self.metricName] ?? ""
        if rest.isEmpty, !name.isEmpty { return name }
        return name + "{" + rest.joined(separator: ", ") + "}"
    }
}
