/// A function of all values of all series of a group in a window, however they are spread over the series.
enum GroupedFunction: Hashable, Sendable {
    /// One of those for which it is the same whether the series are asked one by one or together.
    case exact(ExactFunction)
    /// The quantile of this rank, given by the bits of a double, to within 0.55 %.
    case quantile(UInt64)
}

/// How series are grouped by their labels, as PromQL shows them.
struct GroupLabels: Hashable, Sendable {
    let isWithout: Bool
    let names: [String]

    func labels(of shown: LabelSet) -> LabelSet {
        isWithout ? shown.removing(names + [LabelSet.metricName]) : shown.keeping(names)
    }
}

/// Where samples come from: a series, or what is kept of many of them together.
public enum SampleSource: Hashable, Sendable {
    case series(SeriesID)
    /// Times and values of all its series, without their places in the log.
    case aggregate(SeriesID)
}

/// The sources of a group.
public struct SourceGroup: Hashable, Sendable {
    public let labels: LabelSet
    public internal(set) var sources: [SampleSource]
}
