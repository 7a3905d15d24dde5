/// The functions that can be evaluated.
public enum Function: String, CaseIterable, Hashable, Sendable {
    case sumOverTime = "sum_over_time"
    case avgOverTime = "avg_over_time"
    case minOverTime = "min_over_time"
    case maxOverTime = "max_over_time"
    case countOverTime = "count_over_time"

    var argumentTypes: [ValueType] { [.matrix] }
    var resultType: ValueType { .vector }

    /// Functions of Prometheus 3 that this program knows by name only, so that their absence is told as such.
    static let notYetSupported: Set<String> = [
        "abs", "absent", "absent_over_time", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil",
        "changes",
        "clamp", "clamp_max", "clamp_min", "cos", "cosh", "day_of_month", "day_of_week", "day_of_year",
        "days_in_month", "deg", "delta", "deriv", "double_exponential_smoothing", "exp", "first_over_time",
        "floor", "histogram_avg", "histogram_count", "histogram_fraction", "histogram_quantile",
        "histogram_stddev", "histogram_stdvar", "histogram_sum", "hour", "idelta", "increase", "info",
        "irate",
        "label_join", "label_replace", "last_over_time", "ln", "log10", "log2", "mad_over_time", "minute",
        "month", "pi", "predict_linear", "present_over_time", "quantile_over_time", "rad", "rate", "resets",
        "round", "scalar", "sgn", "sin", "sinh", "sort", "sort_by_label", "sort_by_label_desc", "sort_desc",
        "sqrt", "stddev_over_time", "stdvar_over_time", "tan", "tanh", "time", "timestamp",
        "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
        "vector",
        "year",
    ]
}

extension Aggregator {
    /// Those that can be evaluated.
    var isSupported: Bool {
        switch self {
        case .sum, .avg, .min, .max, .count, .group: true
        case .stddev, .stdvar, .topk, .bottomk, .quantile, .limitk, .countValues, .limitRatio: false
        }
    }
}
