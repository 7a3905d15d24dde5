/// What makes one value of many.
public enum Aggregator: String, CaseIterable, Hashable, Sendable {
    case sum, avg, min, max, count, group, stddev, stdvar, topk, bottomk, quantile, limitk
    case countValues = "count_values"
    case limitRatio = "limit_ratio"
    /// Not of Prometheus: the quantile over all samples of all series of a group in a window.
    case mergedQuantile = "merged_quantile_over_time"

    /// The type of what stands before the argument, as the 5 in `topk(5, x)`.
    var parameterType: ValueType? {
        switch self {
        case .topk, .bottomk, .quantile, .limitk, .limitRatio, .mergedQuantile: .scalar
        case .countValues: .string
        case .sum, .avg, .min, .max, .count, .group, .stddev, .stdvar: nil
        }
    }

    var argumentType: ValueType { self == .mergedQuantile ? .matrix : .vector }
}

public struct Aggregation: Hashable, Sendable {
    public let `operator`: Aggregator
    /// `without (labels)`; otherwise `by (labels)`, where no labels mean one group of all.
    public let isWithout: Bool
    public let labels: [String]
    public let parameter: Expression?
    public let argument: Expression
    public let place: TextRange
}
