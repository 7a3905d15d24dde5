/// Every maximum of questions and of the query store, with its unit and its reason.
public enum QueryLimits {
    // MARK: Questions

    /// The text of one expression, in bytes. Generated dashboards stay below 10 KiB.
    public static let expressionBytes = 64 << 10
    /// Nesting of an expression, in nodes from the root: bounds the stack of parser, evaluator and formatter.
    /// A chain `a + b + c` counts one for each operator.
    public static let expressionDepth = 200
    /// Points of one series in a range query. The number is Prometheus's.
    public static let steps = 11_000
    /// Samples read and points computed by one query: at 16 to 40 bytes each, a query stays below 100 MB.
    public static let samples = 2_000_000
    /// Cores that one question may keep busy, where it is about many groups.
    public static let coresOfOneQuestion = 4
    /// Groups that are worth a core: with fewer, to wake it costs more than it saves.
    public static let groupsOfOneCore = 8
    /// Samples of one page of an export: some hundred kilobytes of text.
    public static let exportSamples: UInt64 = 4096
    /// Between the steps of a subquery that names none: Prometheus's default evaluation interval.
    public static let subqueryStepMilliseconds: Int64 = 60_000
    /// A duration, in milliseconds: Prometheus counts nanoseconds in 64 bits, about 292 years.
    public static let durationMilliseconds: Int64 = 9_223_372_036_854

    /// A time of `@`, in milliseconds from 1970 in either direction: with offsets and ranges it stays below 2⁶³.
    static let momentMilliseconds: Double = 0x1p60

    // MARK: Regular expressions

    /// Instructions of one compiled pattern: a match costs at most this times the length of the value.
    public static let patternInstructions = 10_000
    /// Nesting of groups and repetitions in a pattern: bounds the stack of its parser and compiler.
    public static let patternDepth = 100
    /// The largest `n` in `{n,m}`. The number is RE2's.
    public static let patternRepetition = 1000
    /// Ranges of a class of characters before those that meet are made one. There are some thousand gaps at most.
    static let classRanges = 4096

    // MARK: Windows

    /// Continuous aggregates of one node: each sample is looked at once for each.
    public static let windowDefinitions = 32
    /// Windows that one event may be in: a late one changes all of them.
    public static let windowsOfOneEvent: Int64 = 100
    /// A window, a gap, a lateness or an idle timeout, in milliseconds: a year.
    public static let windowMilliseconds: Int64 = 31_536_000_000
    /// Windows in one answer: at about 300 bytes each, three megabytes.
    public static let windowsPerAnswer = 10_000

    // MARK: The store

    /// Series held in memory, each at about 200 bytes and four times the length of its names and labels:
    /// for ten labels of 30 bytes about 1.5 KB. Samples of series beyond the limit are counted, not kept.
    public static let series = 1_000_000
    /// The LMDB map of a query store, in bytes of address space (the file grows only as it is filled).
    public static let mapBytes = 64 << 30
}
