public import Ledger

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
