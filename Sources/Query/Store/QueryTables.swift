internal import Ledger

/// The tables of a query store.
public struct QueryTables: Sendable {
    /// Changed with every change of a stored layout: a store of another format is made anew from the log.
    static let format: UInt32 = 1
    static let schema = Store.Schema(
        format: format, tables: ["state", "series", "rollups", "days", "samples", "entries", "erased"],
        mapBytes: QueryLimits.mapBytes)

    /// Single values, under the names below.
    let state: Table<[UInt8], [UInt8]>
    let series: Table<SeriesID, SeriesRecord>
    /// All samples of a series.
    let rollups: Table<SeriesID, Rollup>
    /// The samples of a series on one day.
    let days: Table<DayKey, Rollup>
    let samples: Table<SampleKey, QuantityRecord>
    let entries: Table<EntryIndex, EntryRecord>
    /// Entries whose erasure was ordered: their samples are never kept again.
    let erased: Table<EntryIndex, [UInt8]>

    init(_ store: Store) {
        state = store.table("state")
        series = store.table("series")
        rollups = store.table("rollups")
        days = store.table("days")
        samples = store.table("samples")
        entries = store.table("entries")
        erased = store.table("erased")
    }

    /// A number of `state`.
    enum Counter: String {
        /// The index of the first entry that was not followed yet.
        case next
        /// The id of the next new series.
        case series
        /// Samples that the limit of series kept out.
        case refused

        var key: [UInt8] { Array(rawValue.utf8) }
    }

    static let ledgerKey = Array("ledger".utf8)

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

    func clear(_ transaction: inout WriteTransaction) throws(StoreError) {
        try transaction.clear(state)
        try transaction.clear(series)
        try transaction.clear(rollups)
        try transaction.clear(days)
        try transaction.clear(samples)
        try transaction.clear(entries)
        try transaction.clear(erased)
    }
}
