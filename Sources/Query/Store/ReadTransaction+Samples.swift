public import Ledger

extension ReadTransaction: SampleReading {
    public func samples(
        of source: SampleSource, in window: TimeWindow, limit: Int, _ view: QueryView
    ) throws(QueryError) -> [Sample] {
        let samples: [Sample]?
        do {
            let (tree, tables) = view.tree(of: source)
            samples = try self.samples(of: tree, in: window, asOf: view.size, limit: limit, tables)
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
        of source: SampleSource, in window: TimeWindow, _ parts: Rollup.Parts, _ view: QueryView
    ) throws(QueryError) -> Rollup? {
        do {
            let (tree, tables) = view.tree(of: source)
            return try rollup(of: tree, in: window, asOf: view.size, parts, tables)
        } catch {
            throw QueryError(error)
        }
    }

    public func buckets(
        of source: SampleSource, in window: TimeWindow, _ view: QueryView
    ) throws(QueryError) -> LogBuckets {
        do {
            let (tree, tables) = view.tree(of: source)
            return try buckets(of: tree, in: window, asOf: view.size, tables)
        } catch {
            throw QueryError(error)
        }
    }

    public func concurrently(_ count: Int, _ body: @Sendable (Int, borrowing ReadTransaction) -> Void) {
        if alongside(count, body) { return }
        for number in 0..<count { body(number, self) }
    }

    public func keys(
        of source: SampleSource, in window: TimeWindow, _ view: QueryView,
        _ body: (_ times: ArraySlice<Int64>, _ keys: [Int32]) -> Void
    ) throws(QueryError) {
        do throws(StoreError) {
            let (tree, tables) = view.tree(of: source)
            try walk(tree, .values(window, asOf: view.size), tables) { piece throws(StoreError) in
                switch piece {
                case .branch: break
                case .columns(let columns, let range):
                    if !range.isEmpty { body(columns.times[range], columns.keys(range)) }
                case .samples(let samples):
                    body(
                        samples.map(\.time)[...], samples.map { LogBuckets.key(of: $0.value.double) })
                }
            }
        } catch {
            throw QueryError(error)
        }
    }
}
