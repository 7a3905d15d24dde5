/// Tallies by key, in the order in which the keys first came. Bounded by `Limits.reportGroups`.
struct GroupTable<Key: Hashable & Sendable, Tally: Sendable>: Sendable {
    private(set) var groups: [(key: Key, tally: Tally)] = []
    /// Only ever asked for one key: its own order differs between processes.
    private var positions: [Key: Int] = [:]

    /// Changes the tally of `key`, which begins as `fresh`.
    mutating func update(
        _ key: Key, default fresh: @autoclosure () -> Tally, _ body: (inout Tally) -> Void
    ) throws(ReportError) {
        if let position = positions[key] { return body(&groups[position].tally) }
        guard groups.count < Limits.reportGroups else { throw .tooManyGroups }
        positions[key] = groups.count
        var tally = fresh()
        body(&tally)
        groups.append((key, tally))
    }
}

extension Int128 {
    /// Adds, held at the largest value: a report cannot be long enough for that, but a stream might.
    mutating func addClamped(_ other: Int128) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}

extension Quantity {
    /// A count as a quantity; `nil` with more than 18 digits.
    init?(count: Int128) {
        guard let count = Int64(exactly: count) else { return nil }
        self.init(whole: count)
    }
}
