public import Ledger

/// What a question reads: the store's tables, at the moment that is asked about.
public struct QueryView: Sendable {
    let tables: QueryTables
    /// What was known when the log had this many entries; `.max` for now.
    let size: UInt64
}

extension ReadTransaction: SampleReading {
    public func samples(
        of series: SeriesID, in window: TimeWindow, limit: Int, _ view: QueryView
    ) throws(QueryError) -> [Sample] {
        let samples: [Sample]?
        do {
            samples = try self.samples(
                of: series, in: window, asOf: view.size, limit: limit, view.tables.trees)
        } catch {
            throw QueryError(error)
        }
        guard let samples else { throw .tooManySamples }
        return samples
    }

    public func latest(
        of series: SeriesID, in window: TimeWindow, _ view: QueryView
    ) throws(QueryError) -> Sample? {
        do {
            return try latest(of: series, in: window, asOf: view.size, view.tables.trees)
        } catch {
            throw QueryError(error)
        }
    }

    public func rollup(
        of series: SeriesID, in window: TimeWindow, _ view: QueryView
    ) throws(QueryError) -> Rollup? {
        do {
            return try rollup(of: series, in: window, asOf: view.size, .all, view.tables.trees)
        } catch {
            throw QueryError(error)
        }
    }
}

extension QueryError {
    init(_ error: StoreError) { self.init(.internal, "query store: \(error.description)") }
}
