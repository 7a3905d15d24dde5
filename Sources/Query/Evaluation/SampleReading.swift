/// One state of the samples, which an evaluation reads: a transaction of the query store, or samples in memory.
///
/// A transaction cannot keep a reference to its store's tables, so they are handed to it with each question.
public protocol SampleReading: ~Copyable, SendableMetatype {
    associatedtype Tables: Sendable

    /// The samples of a source in a window, in order. Throws `QueryError.tooManySamples` beyond `limit`.
    func samples(
        of source: SampleSource, in window: TimeWindow, limit: Int, _ tables: Tables
    ) throws(QueryError) -> [Sample]

    /// The last sample of a series in a window.
    func latest(of series: SeriesID, in window: TimeWindow, _ tables: Tables) throws(QueryError) -> Sample?

    /// What the samples of a source in a window amount to; `nil` where there are none.
    ///
    /// - Parameter parts: what is wanted of it.
    func rollup(
        of source: SampleSource, in window: TimeWindow, _ parts: Rollup.Parts, _ tables: Tables
    ) throws(QueryError) -> Rollup?

    /// How the values of a source in a window are spread.
    func buckets(
        of source: SampleSource, in window: TimeWindow, _ tables: Tables
    ) throws(QueryError) -> LogBuckets

    /// Hands the samples of a source in a window to `body`, some at a time: times, ascending in each piece, and keys of
    /// the buckets of their values. The pieces are in no order.
    func keys(
        of source: SampleSource, in window: TimeWindow, _ tables: Tables,
        _ body: (_ times: ArraySlice<Int64>, _ keys: [Int32]) -> Void
    ) throws(QueryError)

    /// Calls `body` for each number below `count`, several at one time where it can, each with a reader of this same
    /// state.
    func concurrently(_ count: Int, _ body: @Sendable (Int, borrowing Self) -> Void)
}

extension SampleReading where Self: ~Copyable {
    func concurrently(_ count: Int, _ body: @Sendable (Int, borrowing Self) -> Void) {
        for number in 0..<count { body(number, self) }
    }

    func samples(
        of series: SeriesID, in window: TimeWindow, limit: Int, _ tables: Tables
    ) throws(QueryError) -> [Sample] {
        try samples(of: .series(series), in: window, limit: limit, tables)
    }

    func rollup(
        of series: SeriesID, in window: TimeWindow, _ parts: Rollup.Parts, _ tables: Tables
    ) throws(QueryError) -> Rollup? {
        try rollup(of: .series(series), in: window, parts, tables)
    }
}
