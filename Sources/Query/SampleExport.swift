public import Ledger
internal import Synchronization

/// All samples of the series that selectors accept, in pages: by series, and in each by time.
///
/// The pages together are one state of the store, as of a number of entries: what is followed in between changes
/// nothing, only what is erased in between is missing. No transaction is held between pages. Synchronous: call it from
/// a thread that may wait for the disk.
public struct SampleExport: Sendable {
    /// Samples of one series that follow one another.
    public struct Page: Sendable {
        public let series: Series
        public let samples: [Sample]
    }

    private let store: QueryStore
    private let size: UInt64
    private let window: TimeWindow
    /// In the order of names, labels and units, as documents have them.
    private let series: [Series]
    private let pageSamples: UInt64
    /// The series that comes next.
    private var place = 0
    /// What is left of the series before: windows, the earliest last.
    private var rest: [TimeWindow] = []

    /// - Parameters:
    ///   - selectors: at least one.
    ///   - start: the first moment, included, as is `end`.
    ///   - size: what was known when the log had this many entries; what the store knows now, without it.
    ///   - pageSamples: of one page; more only where so many are of one millisecond.
    public init(
        _ store: QueryStore, _ selectors: [String], from start: Timestamp, through end: Timestamp,
        asOf size: UInt64? = nil, pageSamples: UInt64 = QueryLimits.exportSamples
    ) throws(QueryError) {
        guard !selectors.isEmpty else { throw QueryError(.badData, "no match[] parameter provided") }
        self.store = store
        self.pageSamples = pageSamples
        window = TimeWindow(after: start.milliseconds - 1, through: end.milliseconds)
        if let size {
            self.size = size
        } else {
            do throws(StoreError) { self.size = try store.nextIndex().value } catch {
                throw QueryError(error)
            }
        }
        var found: [SeriesID: Series] = [:]
        for selector in selectors {
            let matchers: [LabelMatcher]
            do { matchers = try Parser.metricSelector(selector) } catch {
                throw error.of(parameter: "match[]")
            }
            for series in store.index.withLock({ $0.candidates(for: matchers) })
            where series.isSelected(by: matchers) { found[series.id] = series }
        }
        series = found.values.sorted { $0.precedes($1) }
    }

    /// How many series are looked at; those without samples give no page.
    public var seriesCount: Int { series.count }

    /// How many samples there are in all.
    ///
    /// - Parameter interruption: asked again and again: a deadline, or a client that has gone.
    public func count(
        _ interruption: @Sendable () -> Interruption? = { nil }
    ) throws(QueryError) -> UInt64 {
        var count: UInt64 = 0
        for series in series {
            if let interruption = interruption() { throw interruption.error }
            count += try reading { transaction, tables throws(StoreError) in
                try transaction.rollup(of: series.id, in: window, asOf: size, [], tables)?.count ?? 0
            }
        }
        return count
    }

    /// - Returns: `nil` after the last page.
    public mutating func next() throws(QueryError) -> Page? {
        while true {
            guard let next = rest.popLast() else {
                guard place < series.count else { return nil }
                place += 1
                if let whole = try extent(of: series[place - 1]) { rest = [whole] }
                continue
            }
            if let page = try page(next) { return page }
        }
    }

    /// The window, cut to where the series has samples.
    private func extent(of series: Series) throws(QueryError) -> TimeWindow? {
        try reading { transaction, tables throws(StoreError) in
            try transaction.rollup(of: series.id, in: window, asOf: size, .ends, tables)
                .map { TimeWindow(after: $0.first.time - 1, through: $0.last.time) }
        }
    }

    /// Samples of a window, or `nil` where it is cut in two because it holds too many, or holds none.
    private mutating func page(_ window: TimeWindow) throws(QueryError) -> Page? {
        let series = series[place - 1]
        let size = size
        let pageSamples = pageSamples
        let isOneMoment = window.through - window.after <= 1
        let samples = try reading { transaction, tables throws(StoreError) -> [Sample]? in
            let count = try transaction.rollup(of: series.id, in: window, asOf: size, [], tables)?.count ?? 0
            guard count <= pageSamples || isOneMoment else { return nil }
            return try transaction.samples(of: series.id, in: window, asOf: size, limit: .max, tables)
        }
        guard let samples else {
            let middle = window.after + (window.through - window.after) / 2
            rest.append(TimeWindow(after: middle, through: window.through))
            rest.append(TimeWindow(after: window.after, through: middle))
            return nil
        }
        return samples.isEmpty ? nil : Page(series: series, samples: samples)
    }

    private func reading<Value>(
        _ body: (borrowing ReadTransaction, TreeTables) throws(StoreError) -> Value
    ) throws(QueryError) -> Value {
        let tables = store.tables.trees
        do throws(StoreError) {
            return try store.read { transaction throws(StoreError) in try body(transaction, tables) }
        } catch {
            throw QueryError(error)
        }
    }
}

extension Series {
    /// By name, labels and unit, byte by byte: the same order on every node.
    fileprivate func precedes(_ other: Series) -> Bool {
        if !name.utf8.elementsEqual(other.name.utf8) {
            return name.utf8.lexicographicallyPrecedes(other.name.utf8)
        }
        if labels.lexicographicallyPrecedes(other.labels) { return true }
        if other.labels.lexicographicallyPrecedes(labels) { return false }
        return unit.utf8.lexicographicallyPrecedes(other.unit.utf8)
    }
}
