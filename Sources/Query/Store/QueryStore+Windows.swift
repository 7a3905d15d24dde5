internal import Ledger
internal import Synchronization

extension QueryStore {
    /// The continuous aggregates that the store keeps.
    public var windowDefinitions: [WindowDefinition] { windows }

    /// The windows that share a moment with `span`, or the first of them.
    ///
    /// - Parameter newest: where there are too many, the last of them.
    /// - Returns: `nil` where no definition has the name.
    public func windows(
        _ name: String, overlapping span: WindowSpan, limit: Int = QueryLimits.windowsPerAnswer,
        newest isFromEnd: Bool = false, interruption: () -> Interruption? = { nil }
    ) throws(QueryError) -> WindowsAnswer? {
        guard let place = windows.firstIndex(where: { $0.name == name }) else { return nil }
        let definition = windows[place]
        return try readingWindows { transaction throws(QueryStoreReadingError) in
            let watermark = try transaction.stored { transaction throws(StoreError) in
                try tables.windows.watermark(place, definition, transaction)
            }
            var found: [(key: WindowKey, record: WindowRecord)] = []
            for group in try groups(place, transaction) {
                if let interruption = interruption() { throw .query(interruption.error) }
                found +=
                    isFromEnd
                    ? try newestWindows(place, group, overlapping: span, limit: limit, transaction)
                    : try windows(place, group, overlapping: span, limit: limit, transaction)
            }
            found.sort { ($0.key.start, $0.record.end) < ($1.key.start, $1.record.end) }
            var answers: [WindowAnswer] = []
            for (key, record) in isFromEnd ? found.suffix(limit) : found.prefix(limit) {
                if let interruption = interruption() { throw .query(interruption.error) }
                let window = WindowSpan(start: key.start, end: record.end)
                answers.append(
                    try answer(
                        place, key.group, window, asOf: .max, isOpen: !watermark.hasPassed(record.end),
                        revision: record.revision, transaction))
            }
            answers.sort {
                $0.span.start == $1.span.start ? $0.labels < $1.labels : $0.span.start < $1.span.start
            }
            return WindowsAnswer(
                windows: answers,
                size: try transaction.stored { transaction throws(StoreError) in
                    try tables.value(of: .next, transaction)
                },
                watermark: watermark.reached, position: try newest(place, transaction),
                isTruncated: found.count > limit)
        }
    }

    /// The emissions that come after a position, with the values that were known then.
    ///
    /// - Returns: At most `limit`; `nil` where no definition has the name.
    public func emissions(
        of name: String, after position: WindowPosition, limit: Int
    ) throws(QueryError) -> [WindowEmission]? {
        guard let place = windows.firstIndex(where: { $0.name == name }) else { return nil }
        return try readingWindows { transaction throws(QueryStoreReadingError) in
            var found: [(key: EmissionKey, record: EmissionRecord)] = []
            let first = EmissionKey(place, position.next)
            try transaction.stored { transaction throws(StoreError) in
                try transaction.scan(tables.windows.emissions, from: first) {
                    key, record throws(StoreError) in
                    guard key.definition == first.definition, found.count < limit else { return .stop }
                    found.append((key, record))
                    return .next
                }
            }
            var emissions: [WindowEmission] = []
            for (key, record) in found {
                let window = try answer(
                    place, record.group, record.span, asOf: key.position.size, isOpen: record.isOpen,
                    revision: record.revision, transaction)
                emissions.append(
                    WindowEmission(position: key.position, window: window, superseded: record.superseded))
            }
            return emissions
        }
    }

    /// The position of the newest emission.
    ///
    /// - Returns: `nil` where no definition has the name.
    public func newestEmission(of name: String) throws(QueryError) -> WindowPosition? {
        guard let place = windows.firstIndex(where: { $0.name == name }) else { return nil }
        return try readingWindows { transaction throws(QueryStoreReadingError) in
            try newest(place, transaction)
        }
    }

    // MARK: Reading

    private func newest(
        _ place: Int, _ transaction: borrowing ReadTransaction
    ) throws(QueryStoreReadingError) -> WindowPosition {
        try transaction.stored { transaction throws(StoreError) in
            let end = EmissionKey(place, WindowPosition(size: .max, ordinal: .max))
            let last = try transaction.last(tables.windows.emissions, atOrBefore: end)?.key
            guard let last, last.definition == end.definition else { return .start }
            return last.position
        }
    }

    private func groups(
        _ place: Int, _ transaction: borrowing ReadTransaction
    ) throws(QueryStoreReadingError) -> [WindowGroupID] {
        try transaction.stored { transaction throws(StoreError) in
            var groups: [WindowGroupID] = []
            let first = WindowGroupKey(place, WindowGroupID(0))
            try transaction.scan(tables.windows.groups, from: first) { key, _ throws(StoreError) in
                guard key.definition == first.definition else { return .stop }
                groups.append(key.group)
                return .next
            }
            return groups
        }
    }

    /// - Returns: Up to one more than `limit`, so that it shows whether there are more.
    private func newestWindows(
        _ place: Int, _ group: WindowGroupID, overlapping span: WindowSpan, limit: Int,
        _ transaction: borrowing ReadTransaction
    ) throws(QueryStoreReadingError) -> [(key: WindowKey, record: WindowRecord)] {
        guard span.end > .min else { return [] }
        let last = WindowKey(place, group, start: span.end - 1)
        return try transaction.stored { transaction throws(StoreError) in
            var found: [(key: WindowKey, record: WindowRecord)] = []
            try transaction.scanBackward(tables.windows.windows, from: last) {
                key, record throws(StoreError) in
                guard key.isBeside(last), record.end > span.start, found.count <= limit else { return .stop }
                found.append((key, record))
                return .next
            }
            return found
        }
    }

    private func windows(
        _ place: Int, _ group: WindowGroupID, overlapping span: WindowSpan, limit: Int,
        _ transaction: borrowing ReadTransaction
    ) throws(QueryStoreReadingError) -> [(key: WindowKey, record: WindowRecord)] {
        // The first that can reach into the span: a fixed window of that length, or the session before.
        let first: WindowKey
        switch windows[place].shape {
        case .fixed(let length, _):
            first = WindowKey(place, group, start: max(span.start, .min + length) - length)
        case .session:
            let key = WindowKey(place, group, start: span.start)
            let before = try transaction.stored { transaction throws(StoreError) in
                try transaction.last(tables.windows.windows, atOrBefore: key)?.key
            }
            first = before.flatMap { $0.isBeside(key) ? $0 : nil } ?? key
        }
        return try transaction.stored { transaction throws(StoreError) in
            var found: [(key: WindowKey, record: WindowRecord)] = []
            try transaction.scan(tables.windows.windows, from: first) { key, record throws(StoreError) in
                guard key.isBeside(first), key.start < span.end, found.count <= limit else { return .stop }
                if record.end > span.start { found.append((key, record)) }
                return .next
            }
            return found
        }
    }

    private func answer(
        _ place: Int, _ group: WindowGroupID, _ span: WindowSpan, asOf size: UInt64, isOpen: Bool,
        revision: UInt64, _ transaction: borrowing ReadTransaction
    ) throws(QueryStoreReadingError) -> WindowAnswer {
        let definition = windows[place]
        return try transaction.stored { transaction throws(StoreError) in
            let key = WindowGroupKey(place, group)
            let values = try transaction.value(tables.windows.groups, key)?.values
            var rollup: Rollup?
            var buckets = LogBuckets()
            for series in values.map({ self.series(of: definition, $0) }) ?? [] {
                rollup = Rollup.joined(
                    rollup,
                    try transaction.rollup(
                        of: series, in: span.asTimeWindow, asOf: size, .all, tables.trees))
                buckets.add(
                    try transaction.buckets(of: series, in: span.asTimeWindow, asOf: size, tables.trees))
            }
            let labels = zip(definition.by, values ?? []).map { Label(name: $0, value: $1) }
            return WindowAnswer(
                span: span, labels: LabelSet(labels), rollup: rollup, buckets: buckets, isOpen: isOpen,
                revision: revision)
        }
    }

    private func readingWindows<Value>(
        _ body: (borrowing ReadTransaction) throws(QueryStoreReadingError) -> Value
    ) throws(QueryError) -> Value {
        let result: Result<Value, QueryError>
        do throws(StoreError) {
            result = try read { transaction throws(StoreError) in
                do throws(QueryStoreReadingError) { return .success(try body(transaction)) } catch {
                    switch error {
                    case .query(let error): return .failure(error)
                    case .store(let error): throw error
                    }
                }
            }
        } catch { throw QueryError(error) }
        return try result.get()
    }

    // MARK: Series

    /// The series of a group.
    func series(of definition: WindowDefinition, _ values: [String]) -> [SeriesID] {
        let wanted = WindowGroup(values: values)
        // A matcher for equality compiles no pattern, so none fails.
        let labels = zip(definition.by, values).compactMap {
            try? LabelMatcher(name: $0, kind: .equal, value: $1)
        }
        return index.withLock { $0.candidates(for: definition.matchers + labels) }
            .filter { definition.group(of: $0) == wanted }.map(\.id)
    }

    /// The group that a series belongs to; `nil` where a definition does not select it.
    ///
    /// - Precondition: a writer asks, so that the groups are in memory.
    func windowGroup(of series: SeriesID, _ place: Int) -> WindowGroup? {
        windowGroups.withLock { groups in
            if let known = groups?.ofSeries[place][series] { return known }
            let group = index.withLock { $0[series] }.flatMap { windows[place].group(of: $0) }
            groups?.ofSeries[place][series] = .some(group)
            return group
        }
    }
}

/// What may go wrong within a transaction that reads windows.
private enum QueryStoreReadingError: Error {
    case query(QueryError)
    case store(StoreError)
}

extension ReadTransaction {
    fileprivate borrowing func stored<Value>(
        _ body: (borrowing ReadTransaction) throws(StoreError) -> Value
    ) throws(QueryStoreReadingError) -> Value {
        do throws(StoreError) { return try body(self) } catch { throw .store(error) }
    }
}
