internal import Ledger
internal import Synchronization

/// What the engine asks of the store.
extension QueryStore {
    /// Loads what an expression needs, all from one state of the store.
    ///
    /// - Parameter size: what is wanted is what was known when the log had this many entries; `.max` for now.
    func load(
        _ requests: [SelectorRequest], asOf size: UInt64 = .max, context: inout QueryContext
    ) throws(QueryError) -> [SelectorRequest: SelectorLoader.Loaded] {
        try reading { transaction throws(QueryError) in
            try SelectorLoader.load(
                requests, from: transaction, QueryView(tables: tables, size: size), context: &context,
                select: { matchers in
                    index.withLock { $0.candidates(for: matchers) }.filter { $0.isSelected(by: matchers) }
                },
                group: { matchers, labels in
                    // What is kept across series is what counts now.
                    size == .max ? index.withLock { $0.sources(matchers, labels) } : nil
                })
        }
    }

    /// Series that any of the lists of matchers accepts (all without a list), with samples around the given times.
    ///
    /// - Parameter size: samples that were known when the log had this many entries; `.max` for now.
    func series(
        matchingAny lists: [[LabelMatcher]], from start: Int64, through end: Int64, asOf size: UInt64,
        _ interruption: () -> Interruption?
    ) throws(QueryError) -> [Series] {
        try reading { transaction throws(QueryError) in
            var found: [SeriesID: Series] = [:]
            for matchers in lists.isEmpty ? [[]] : lists {
                for series in index.withLock({ $0.candidates(for: matchers) }) {
                    if let interruption = interruption() { throw interruption.error }
                    guard found[series.id] == nil, series.isSelected(by: matchers) else { continue }
                    let rollup: Rollup?
                    do throws(StoreError) {
                        rollup = try transaction.rollup(
                            of: series.id, in: TimeWindow(after: .min, through: .max), asOf: size, .ends,
                            tables.trees)
                    } catch {
                        throw QueryError(error)
                    }
                    guard let rollup, rollup.first.time <= end, rollup.last.time >= start else { continue }
                    found[series.id] = series
                }
            }
            return found.values.sorted { $0.id < $1.id }
        }
    }

    private func reading<Value>(
        _ body: (borrowing ReadTransaction) throws(QueryError) -> Value
    ) throws(QueryError) -> Value {
        let result: Result<Value, QueryError>
        do throws(StoreError) {
            result = try read { transaction throws(StoreError) in
                do throws(QueryError) { return .success(try body(transaction)) } catch {
                    if let cause = error.cause { throw cause }
                    return .failure(error)
                }
            }
        } catch {
            throw QueryError(error)
        }
        return try result.get()
    }
}
