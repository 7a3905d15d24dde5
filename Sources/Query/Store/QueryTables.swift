internal import Ledger

/// The tables of a query store.
public struct QueryTables: Sendable {
    /// Changed with every change of a stored layout: a store of another format is made anew from the log.
    static let format: UInt32 = 5
    static let schema = Store.Schema(
        format: format,
        tables: ["state", "series", "aggregates", "touched", "chains", "corrections", "erased"]
            + TreeTables.names(TreeTables.series) + TreeTables.names(TreeTables.aggregates)
            + WindowTables.names,
        mapBytes: QueryLimits.mapBytes)

    /// Single values, under the names below.
    let state: Table<[UInt8], [UInt8]>
    let series: Table<SeriesID, SeriesRecord>
    /// Aggregates across series that have a tree of their own, by its number.
    let aggregates: Table<TreeID, AggregateRecord>
    /// The trees of series.
    let trees: TreeTables
    /// The trees of aggregates.
    let aggregateTrees: TreeTables
    /// For each run of `touchedRun` entries, by its number: the series that they brought samples to.
    let touched: Table<UInt64, SeriesList>
    /// By the first document of a chain of corrections.
    let chains: Table<EntryIndex, CorrectionChain>
    let corrections: Table<EntryIndex, CorrectionRecord>
    /// Entries whose erasure was ordered: their samples are never kept again.
    let erased: Table<EntryIndex, [UInt8]>
    let windows: WindowTables

    /// Entries that share one list of series. More would make the list shorter and a correction slower.
    static let touchedRun: UInt64 = 128

    init(_ store: Store) {
        state = store.table("state")
        series = store.table("series")
        aggregates = store.table("aggregates")
        trees = TreeTables(store, TreeTables.series, .series)
        aggregateTrees = TreeTables(store, TreeTables.aggregates, .aggregate)
        touched = store.table("touched")
        chains = store.table("chains")
        corrections = store.table("corrections")
        erased = store.table("erased")
        windows = WindowTables(store)
    }

    /// A number of `state`.
    enum Counter: String {
        /// The index of the first entry that was not followed yet.
        case next
        /// The number of the next new tree: of a series, or of an aggregate across series.
        case tree
        /// The number of the next new node or chunk of a series.
        case node
        /// The same of an aggregate.
        case aggregateNode = "aggregate node"
        /// Samples that count.
        case samples
        /// Samples that the limit of series kept out.
        case refused

        var key: [UInt8] { Array(rawValue.utf8) }
    }

    static let ledgerKey = Array("ledger".utf8)
    /// The kinds of aggregates that the store keeps.
    static let kindsKey = Array("kinds".utf8)
    /// The continuous aggregates that the store keeps.
    static let windowsKey = Array("windows".utf8)

    func value<Transaction: StoreReading & ~Copyable>(
        of counter: Counter, _ transaction: borrowing Transaction
    ) throws(StoreError) -> UInt64 {
        guard let bytes = try transaction.value(state, counter.key) else { return 0 }
        do {
            return try UInt64(valueBytes: bytes)
        } catch {
            throw .damaged(place: "table state, \(counter.rawValue)", reason: error.description)
        }
    }

    func set(
        _ counter: Counter, to value: UInt64, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        try transaction.put(state, counter.key, value.valueBytes)
    }

    func bytes<Transaction: StoreReading & ~Copyable>(
        _ transaction: borrowing Transaction
    ) throws(StoreError) -> [String: Int] {
        var bytes = [
            series.name: try transaction.bytes(of: series),
            aggregates.name: try transaction.bytes(of: aggregates),
            touched.name: try transaction.bytes(of: touched),
        ]
        for trees in [trees, aggregateTrees] { bytes.merge(try trees.bytes(transaction)) { $1 } }
        return bytes
    }

    func clear(_ transaction: inout WriteTransaction) throws(StoreError) {
        try transaction.clear(state)
        try transaction.clear(series)
        try transaction.clear(aggregates)
        try trees.clear(&transaction)
        try aggregateTrees.clear(&transaction)
        try transaction.clear(touched)
        try transaction.clear(chains)
        try transaction.clear(corrections)
        try transaction.clear(erased)
        try windows.clear(&transaction)
    }
}
