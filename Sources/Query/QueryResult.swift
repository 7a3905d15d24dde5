/// The answer to a PromQL question.
public enum QueryResult: Hashable, Sendable {
    case scalar(Point)
    case string(time: Int64, value: String)
    /// One value for each series, ordered by labels.
    case vector([PointSeries])
    /// Several for each, ordered by labels.
    case matrix([PointSeries])
}

extension QueryResult {
    /// At most `limit` series.
    ///
    /// - Returns: Whether some had to go, too.
    public func truncated(to limit: Int) -> (result: QueryResult, wasTruncated: Bool) {
        switch self {
        case .scalar, .string: (self, false)
        case .vector(let series): (.vector(Array(series.prefix(limit))), series.count > limit)
        case .matrix(let series): (.matrix(Array(series.prefix(limit))), series.count > limit)
        }
    }
}

extension QueryResult {
    /// The same without the moment of evaluation: two answers whose values do not differ are equal.
    public var withoutMoment: QueryResult {
        switch self {
        case .scalar(let point): .scalar(Point(time: 0, value: point.value))
        case .string(_, let value): .string(time: 0, value: value)
        case .vector(let series):
            .vector(
                series.map { one in
                    PointSeries(
                        labels: one.labels, points: one.points.map { Point(time: 0, value: $0.value) })
                })
        case .matrix: self
        }
    }
}

/// An answer, and what whoever asked should know beside it, in Prometheus's words.
public struct AnnotatedResult: Hashable, Sendable {
    public let result: QueryResult
    public let warnings: [String]
    public let infos: [String]

    public static let truncationWarning = "results truncated due to limit"

    init(_ result: QueryResult, _ annotations: Annotations, _ query: String) {
        self.init(
            result: result, warnings: annotations.texts(.warning, in: query),
            infos: annotations.texts(.info, in: query))
    }

    private init(result: QueryResult, warnings: [String], infos: [String]) {
        self.result = result
        self.warnings = warnings
        self.infos = infos
    }

    /// With another result.
    public func with(_ result: QueryResult) -> AnnotatedResult {
        AnnotatedResult(result: result, warnings: warnings, infos: infos)
    }

    /// With more to know beside it.
    public func warning(_ texts: [String]) -> AnnotatedResult {
        AnnotatedResult(result: result, warnings: warnings + texts, infos: infos)
    }

    /// With at most `limit` series, and a warning where some had to go.
    public func truncated(to limit: Int) -> AnnotatedResult {
        let (result, wasTruncated) = result.truncated(to: limit)
        guard wasTruncated else { return self }
        return AnnotatedResult(
            result: result, warnings: warnings + [Self.truncationWarning], infos: infos)
    }
}

/// How an expression would be answered.
public struct Explanation: Hashable, Sendable {
    /// In the standard form.
    public let expression: String
    public let type: ValueType
    /// How many times the expression is evaluated.
    public let moments: Int
    /// One for each selector, those that ask the same only once.
    public let selectors: [SelectorPlan]
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
