/// `name{label="value"}`: the newest sample of each series.
public struct VectorSelector: Hashable, Sendable {
    /// The name before the braces, where there is one; it is among the matchers too.
    public let name: String?
    public let matchers: [LabelMatcher]
    public internal(set) var shift = TimeShift()
    public internal(set) var place: TextRange
}

/// `name[5m]`: the samples of each series in a window.
public struct RangeSelector: Hashable, Sendable {
    public internal(set) var selector: VectorSelector
    public let rangeMilliseconds: Int64
    public internal(set) var place: TextRange
}

/// `expression[1h:5m]`: the values of an expression at every step of a window.
public struct Subquery: Hashable, Sendable {
    public let inner: Expression
    public let rangeMilliseconds: Int64
    /// `nil` for the default, `QueryLimits.subqueryStepMilliseconds`.
    public let stepMilliseconds: Int64?
    public internal(set) var shift = TimeShift()
    public let place: TextRange
}

/// `offset` and `@`: at which moment a selector or a subquery is read, if not at the one asked for.
public struct TimeShift: Hashable, Sendable {
    public enum Moment: Hashable, Sendable {
        /// Milliseconds since 1970.
        case time(Int64)
        case start
        case end
    }

    /// How far to look back from the moment; negative for ahead.
    public internal(set) var offsetMilliseconds: Int64 = 0
    /// The `@` modifier.
    public internal(set) var moment: Moment?
}
