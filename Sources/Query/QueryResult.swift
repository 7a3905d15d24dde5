/// The answer to a PromQL question.
public enum QueryResult: Hashable, Sendable {
    case scalar(Point)
    case string(time: Int64, value: String)
    /// One value for each series, ordered by labels.
    case vector([PointSeries])
    /// Several for each, ordered by labels.
    case matrix([PointSeries])
}

/// What is known of a metric (`/api/v1/metadata`).
public struct MetricMetadata: Hashable, Sendable {
    /// In Prometheus form.
    public let name: String
    /// In Prometheus form, `seconds`; empty for none.
    public let unit: String
    /// The names that documents use for it.
    public let originalNames: [String]
}
