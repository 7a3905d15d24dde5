internal import Ledger
internal import Synchronization

/// One write transaction of the query store: samples go in, or out, and everything kept about them follows.
struct QueryWriter {
    /// A change of the index in memory, made ahead of the commit.
    enum IndexChange {
        case inserted(SeriesID)
        case removed(Series)

        func undo(in index: inout SeriesIndex) {
            switch self {
            case .inserted(let id): index.remove(id)
            case .removed(let series): index.insert(series)
            }
        }
    }

    private let store: QueryStore
    private var tables: QueryTables { store.tables }
    private(set) var changes: [IndexChange] = []
    /// What is to be added to the stored rollups: written once for a batch, in the order of keys.
    private var pendingSeries: [SeriesID: Rollup] = [:]
    private var pendingDays: [DayKey: Rollup] = [:]

    init(store: QueryStore) { self.store = store }

    // MARK: Following

    mutating func apply(
        _ batch: [FeedEntry], _ transaction: inout WriteTransaction
    ) throws(StoreError) -> Result<ApplyOutcome, QueryStoreError> {
        var outcome = ApplyOutcome()
        var next = try tables.value(of: .next, transaction)
        let start = next
        for entry in batch where entry.index.value >= start {
            guard entry.index.value == next else {
                return .failure(.gap(expected: EntryIndex(next), found: entry.index))
            }
            next += 1
        }
        for entry in batch {
            guard entry.index.value >= start else {
                outcome.repeated += 1
                continue
            }
            if let document = entry.document, try !transaction.contains(tables.erased, entry.index) {
                try add(document, of: entry.index, &outcome, &transaction)
            }
            for index in entry.erases { try erase(index, &transaction) }
            outcome.entries += 1
        }
        try flushRollups(&transaction)
        try tables.set(.next, to: next, &transaction)
        if outcome.refusedSamples > 0 {
            let before = try tables.value(of: .refused, transaction)
            try tables.set(.refused, to: before + UInt64(outcome.refusedSamples), &transaction)
        }
        return .success(outcome)
    }

    private mutating func add(
        _ document: KPIDocument, of index: EntryIndex, _ outcome: inout ApplyOutcome,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        var record = EntryRecord(items: [])
        for (place, measure) in document.measures.enumerated() {
            guard let series = try seriesID(of: measure, &outcome, &transaction) else {
                outcome.refusedSamples += 1
                continue
            }
            let position = UInt32(truncatingIfNeeded: place)
            let time = measure.time.milliseconds
            try transaction.put(
                tables.samples,
                SampleKey(series: series, time: time, index: index.value, position: position),
                QuantityRecord(measure.value))
            let rollup = Rollup(Sample(time: time, index: index, position: position, value: measure.value))
            pendingSeries[series] = Rollup.joined(pendingSeries[series], rollup)
            let day = DayKey(series: series, time: time)
            pendingDays[day] = Rollup.joined(pendingDays[day], rollup)
            record.items.append(EntryRecord.Item(series: series, time: time, position: position))
            outcome.samples += 1
        }
        if !record.items.isEmpty { try transaction.put(tables.entries, index, record) }
    }

    /// `nil` where the store holds as many series as it may.
    private mutating func seriesID(
        of measure: Measure, _ outcome: inout ApplyOutcome, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> SeriesID? {
        let record = SeriesRecord(name: measure.name, unit: measure.unit, labels: measure.labels)
        let identity = record.valueBytes
        let (known, count) = store.index.withLock { ($0.id(of: identity), $0.count) }
        if let known { return known }
        guard count < QueryLimits.series else { return nil }
        let id = SeriesID(try tables.value(of: .series, transaction))
        try tables.set(.series, to: id.value + 1, &transaction)
        try transaction.put(tables.series, id, record)
        let series = Series(id: id, name: measure.name, unit: measure.unit, labels: measure.labels)
        changes.append(.inserted(id))
        store.index.withLock { $0.insert(series) }
        outcome.newSeries += 1
        return id
    }

    private mutating func flushRollups(_ transaction: inout WriteTransaction) throws(StoreError) {
        for (id, rollup) in pendingSeries.sorted(by: { $0.key < $1.key }) {
            let joined = Rollup.joined(try transaction.value(tables.rollups, id), rollup)
            if let joined { try transaction.put(tables.rollups, id, joined) }
        }
        for (day, rollup) in pendingDays.sorted(by: { $0.key < $1.key }) {
            let joined = Rollup.joined(try transaction.value(tables.days, day), rollup)
            if let joined { try transaction.put(tables.days, day, joined) }
        }
        pendingSeries.removeAll(keepingCapacity: true)
        pendingDays.removeAll(keepingCapacity: true)
    }

    // MARK: Erasing

    /// A minimum cannot be taken back out of a rollup, so the days that the entry touched are added up again.
    @discardableResult
    mutating func erase(
        _ index: EntryIndex, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> Int {
        try flushRollups(&transaction)
        try transaction.put(tables.erased, index, [])
        guard let record = try transaction.value(tables.entries, index) else { return 0 }
        var days: Set<DayKey> = []
        for item in record.items {
            try transaction.delete(
                tables.samples,
                SampleKey(series: item.series, time: item.time, index: index.value, position: item.position))
            days.insert(DayKey(series: item.series, time: item.time))
        }
        for day in days.sorted() {
            if let rollup = try transaction.addedSamples(of: day.series, in: day.window, tables) {
                try transaction.put(tables.days, day, rollup)
            } else {
                try transaction.delete(tables.days, day)
            }
        }
        for series in Set(days.map(\.series)).sorted() { try addUpDays(of: series, &transaction) }
        try transaction.delete(tables.entries, index)
        return record.items.count
    }

    /// A series without samples is forgotten: its labels may be what had to be erased.
    private mutating func addUpDays(
        of series: SeriesID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        let days = tables.days
        var total: Rollup?
        try transaction.scan(days, from: DayKey(series: series, day: .min)) { key, day throws(StoreError) in
            guard key.series == series else { return .stop }
            total = Rollup.joined(total, day)
            return .next
        }
        if let total {
            try transaction.put(tables.rollups, series, total)
            return
        }
        try transaction.delete(tables.rollups, series)
        try transaction.delete(tables.series, series)
        guard let removed = store.index.withLock({ $0[series] }) else { return }
        changes.append(.removed(removed))
        store.index.withLock { $0.remove(series) }
    }
}
