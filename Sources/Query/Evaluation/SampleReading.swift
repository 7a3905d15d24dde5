/// One state of the samples, which an evaluation reads: a transaction of the query store, or samples in memory.
///
/// A transaction cannot keep a reference to its store's tables, so they are handed to it with each question.
public protocol SampleReading: ~Copyable {
    associatedtype Tables: Sendable

    /// The samples of a series in a window, in order. Throws `QueryError.tooManySamples` beyond `limit`.
    func samples(
        of series: SeriesID, in window: TimeWindow, limit: Int, _ tables: Tables
    ) throws(QueryError) -> [Sample]

    /// The last sample of a series in a window.
    func latest(of series: SeriesID, in window: TimeWindow, _ tables: Tables) throws(QueryError) -> Sample?

    /// What the samples of a series in a window amount to; `nil` where there are none.
    func rollup(of series: SeriesID, in window: TimeWindow, _ tables: Tables) throws(QueryError) -> Rollup?
}
