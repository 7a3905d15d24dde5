internal import Ledger
internal import Synchronization

/// The windows' part of one write transaction: gathers what an entry changes, and decides at its end which windows
/// there are and which are said again.
struct WindowWriter {
    private struct Changes {
        /// By group, when events came or went.
        var added: [WindowGroup: [Int64]] = [:]
        var removed: [WindowGroup: [Int64]] = [:]
        /// The newest event that the entry's own document brought.
        var newest: Int64?

        var isEmpty: Bool { added.isEmpty && removed.isEmpty }
    }

    private let store: QueryStore
    private let tables: WindowTables
    private var watermarks: [Watermark] = []
    private var changes: [Changes]

    init(store: QueryStore, _ transaction: borrowing WriteTransaction) throws(StoreError) {
        self.store = store
        tables = store.tables.windows
        changes = store.windows.map { _ in Changes() }
        if store.windowGroups.withLock({ $0 == nil }) {
            let groups = try tables.groups(of: store.windows.count, transaction)
            store.windowGroups.withLock { $0 = groups }
        }
        for (place, definition) in store.windows.enumerated() {
            watermarks.append(try tables.watermark(place, definition, transaction))
        }
    }

    var isIdle: Bool { changes.allSatisfy { $0.isEmpty } }

    /// A document brought an event.
    mutating func bring(_ time: Int64, to series: SeriesID) {
        for place in changes.indices {
            guard let group = store.windowGroup(of: series, place) else { continue }
            changes[place].added[group, default: []].append(time)
            changes[place].newest = max(changes[place].newest ?? .min, time)
        }
    }

    /// Events count again that had been taken out.
    mutating func restore(_ samples: [Sample], to series: SeriesID) {
        for place in changes.indices where !samples.isEmpty {
            guard let group = store.windowGroup(of: series, place) else { continue }
            changes[place].added[group, default: []] += samples.map(\.time)
        }
    }

    /// Events were taken out.
    mutating func remove(_ samples: [Sample], from series: SeriesID) {
        for place in changes.indices where !samples.isEmpty {
            guard let group = store.windowGroup(of: series, place) else { continue }
            changes[place].removed[group, default: []] += samples.map(\.time)
        }
    }

    /// All of an entry is in the trees, or waits to go there with nothing after it.
    mutating func settle(
        asOf size: UInt64, blockTime: Timestamp?, submitter: String?, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        for (place, definition) in store.windows.enumerated() {
            let change = changes[place]
            changes[place] = Changes()
            var step = WindowStep(store: store, definition, place, size: size)
            try step.apply(added: change.added, removed: change.removed, &transaction)
            let before = watermarks[place].reached
            if let blockTime {
                watermarks[place].advance(
                    blockTime: blockTime.milliseconds, submitter: submitter, newest: change.newest)
            }
            guard !change.isEmpty || watermarks[place].reached != before else { continue }
            try step.say(watermarks[place], &transaction)
            if !change.removed.isEmpty { try step.forgetErased(change.removed, &transaction) }
        }
    }

    func finish(_ transaction: inout WriteTransaction) throws(StoreError) {
        for (place, watermark) in watermarks.enumerated() {
            try transaction.put(tables.watermarks, UInt64(place), WatermarkRecord(watermark))
        }
    }
}

/// What one entry does to the windows of one definition.
///
/// A window is said when it closes, and after that whenever it changes. Sessions that were said and are no longer are
/// superseded by the one that took their events; its emission names them.
private struct WindowStep {
    private let store: QueryStore
    private let tables: WindowTables
    private let definition: WindowDefinition
    private let place: Int
    private let size: UInt64
    /// Windows that changed, and the starts of those that they supersede.
    private var changed: [WindowKey: Set<Int64>] = [:]
    /// Windows that were said and hold nothing any more, and nothing took their place.
    private var vanished: [(key: WindowKey, record: WindowRecord)] = []

    init(store: QueryStore, _ definition: WindowDefinition, _ place: Int, size: UInt64) {
        self.store = store
        tables = store.tables.windows
        self.definition = definition
        self.place = place
        self.size = size
    }

    // MARK: Which windows there are

    mutating func apply(
        added: [WindowGroup: [Int64]], removed: [WindowGroup: [Int64]], _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        for (group, times) in added.sorted(by: { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }) {
            let group = try number(of: group, &transaction)
            let times = Set(times).sorted()
            switch definition.shape {
            case .fixed: try touch(times, group, &transaction)
            case .session(let gap):
                for time in times { try join(time, gap, group, &transaction) }
            }
        }
        for (group, times) in removed {
            let number = try number(of: group, &transaction)
            let times = Set(times).sorted()
            switch definition.shape {
            case .fixed: try touch(times, number, &transaction)
            case .session(let gap): try split(times, gap, group, number, &transaction)
            }
        }
    }

    private func number(
        of group: WindowGroup, _ transaction: inout WriteTransaction
    ) throws(StoreError) -> WindowGroupID {
        if let known = store.windowGroups.withLock({ $0?.numbers[place][group] }) { return known }
        let end = WindowGroupKey(place, WindowGroupID(.max))
        let last = try transaction.last(tables.groups, atOrBefore: end)?.key
        let next = last.flatMap { $0.definition == end.definition ? $0.group.value &+ 1 : nil } ?? 0
        let number = WindowGroupID(next)
        try transaction.put(
            tables.groups, WindowGroupKey(place, number), WindowGroupRecord(values: group.values))
        store.windowGroups.withLock { $0?.numbers[place][group] = number }
        return number
    }

    /// A group whose series are all forgotten is known by its number alone: its labels may be what had to be erased.
    func forgetErased(
        _ removed: [WindowGroup: [Int64]], _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        for group in removed.keys where !group.values.isEmpty {
            guard store.series(of: definition, group.values).isEmpty else { continue }
            let number = try number(of: group, &transaction)
            try transaction.put(
                tables.groups, WindowGroupKey(place, number), WindowGroupRecord(values: nil))
            store.windowGroups.withLock { groups in
                let others = groups?.ofSeries[place].filter { $0.value != group }
                groups?.numbers[place][group] = nil
                groups?.ofSeries[place] = others ?? [:]
            }
        }
    }

    private mutating func touch(
        _ times: [Int64], _ group: WindowGroupID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        for span in Set(times.flatMap(definition.shape.spans(holding:))) {
            let key = WindowKey(place, group, start: span.start)
            changed[key] = []
            if try !transaction.contains(tables.windows, key) {
                try open(key, WindowRecord(end: span.end, revision: 0), &transaction)
            }
        }
    }

    private func open(
        _ key: WindowKey, _ record: WindowRecord, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        try transaction.put(tables.windows, key, record)
        try transaction.put(tables.open, OpenWindowKey(key, end: record.end), [])
    }

    private mutating func join(
        _ time: Int64, _ gap: Int64, _ group: WindowGroupID, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        let key = WindowKey(place, group, start: time)
        var span = WindowSpan(start: time, end: time + gap)
        var parts: [(key: WindowKey, record: WindowRecord)] = []
        if let before = try transaction.last(tables.windows, atOrBefore: key), before.key.isBeside(key),
            before.value.end > time
        {
            parts.append((before.key, before.value))
            span = WindowSpan(start: before.key.start, end: max(span.end, before.value.end))
        }
        if let after = try transaction.first(tables.windows, atOrAfter: key.starting(at: time + 1)),
            after.key.isBeside(key), after.key.start < span.end
        {
            parts.append((after.key, after.value))
            span = WindowSpan(start: span.start, end: max(span.end, after.value.end))
        }
        try replace(parts, by: [span], group, &transaction)
    }

    /// The sessions that held events which went: what is left of each makes sessions anew.
    private mutating func split(
        _ times: [Int64], _ gap: Int64, _ labels: WindowGroup, _ group: WindowGroupID,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        var next = Int64.min
        for time in times where time >= next {
            let key = WindowKey(place, group, start: time)
            guard let found = try transaction.last(tables.windows, atOrBefore: key), found.key.isBeside(key),
                found.value.end > time
            else { continue }
            next = found.value.end
            let whole = WindowSpan(start: found.key.start, end: found.value.end)
            var left: [Int64] = []
            for series in store.series(of: definition, labels.values) {
                let samples = try transaction.samples(
                    of: series, in: whole.asTimeWindow, asOf: .max, limit: .max, store.tables.trees)
                left += (samples ?? []).map(\.time)
            }
            let spans = WindowShape.sessions(of: left.sorted(), gapMilliseconds: gap)
            try replace([(found.key, found.value)], by: spans, group, &transaction)
        }
    }

    private mutating func replace(
        _ old: [(key: WindowKey, record: WindowRecord)], by spans: [WindowSpan], _ group: WindowGroupID,
        _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        if let only = old.first, old.count == 1,
            spans == [WindowSpan(start: only.key.start, end: only.record.end)]
        {
            changed[only.key, default: []].formUnion([])
            return
        }
        var superseded: Set<Int64> = []
        for (key, record) in old {
            try transaction.delete(tables.windows, key)
            try transaction.delete(tables.open, OpenWindowKey(key, end: record.end))
            superseded.formUnion(changed.removeValue(forKey: key) ?? [])
            guard record.revision > 0 else { continue }
            try transaction.put(tables.gone, key, record.revision)
            superseded.insert(key.start)
            if spans.isEmpty { vanished.append((key, record)) }
        }
        superseded.subtract(spans.map(\.start))
        for (number, span) in spans.enumerated() {
            let key = WindowKey(place, group, start: span.start)
            let revision = try transaction.value(tables.gone, key) ?? 0
            if revision > 0 { try transaction.delete(tables.gone, key) }
            try open(key, WindowRecord(end: span.end, revision: revision), &transaction)
            // A session is superseded by the first that reaches beyond its start.
            let isLast = number == spans.count - 1
            changed[key] = isLast ? superseded : superseded.filter { $0 < span.end }
            superseded.subtract(changed[key] ?? [])
        }
    }

    // MARK: Which of them are said

    mutating func say(
        _ watermark: Watermark, _ transaction: inout WriteTransaction
    ) throws(StoreError) {
        if let reached = watermark.reached {
            var closing: [OpenWindowKey] = []
            let first = OpenWindowKey(WindowKey(place, WindowGroupID(0), start: .min), end: .min)
            try transaction.scan(tables.open, from: first) { key, _ throws(StoreError) in
                guard key.window.definition == first.window.definition, key.end <= reached else {
                    return .stop
                }
                closing.append(key)
                return .next
            }
            for key in closing {
                try transaction.delete(tables.open, key)
                changed[key.window, default: []].formUnion([])
            }
        }
        guard !changed.isEmpty || !vanished.isEmpty else { return }

        var emissions: [EmissionRecord] = []
        for (key, superseded) in changed {
            guard var record = try transaction.value(tables.windows, key) else { continue }
            let isOpen = !watermark.hasPassed(record.end)
            if isOpen, record.revision == 0, superseded.isEmpty { continue }
            record.revision &+= 1
            try transaction.put(tables.windows, key, record)
            emissions.append(
                EmissionRecord(key, record, isOpen: isOpen, superseded: superseded.sorted()))
        }
        for (key, var record) in vanished {
            record.revision &+= 1
            try transaction.put(tables.gone, key, record.revision)
            emissions.append(
                EmissionRecord(key, record, isOpen: !watermark.hasPassed(record.end), superseded: []))
        }
        guard !emissions.isEmpty else { return }
        emissions.sort { $0.precedes($1) }
        let end = EmissionKey(place, WindowPosition(size: size, ordinal: .max))
        var ordinal: UInt32 = 0
        if let last = try transaction.last(tables.emissions, atOrBefore: end)?.key,
            last.definition == end.definition, last.position.size == size
        {
            ordinal = last.position.ordinal
        }
        for emission in emissions {
            ordinal &+= 1
            let key = EmissionKey(place, WindowPosition(size: size, ordinal: ordinal))
            try transaction.put(tables.emissions, key, emission)
        }
    }
}

extension EmissionRecord {
    fileprivate init(_ key: WindowKey, _ record: WindowRecord, isOpen: Bool, superseded: [Int64]) {
        self.init(
            group: key.group, span: WindowSpan(start: key.start, end: record.end), revision: record.revision,
            isOpen: isOpen, superseded: superseded)
    }

    /// By end, then by group, then by start: the same on every node.
    fileprivate func precedes(_ other: EmissionRecord) -> Bool {
        if span.end != other.span.end { return span.end < other.span.end }
        if group != other.group { return group < other.group }
        return span.start < other.span.start
    }
}
