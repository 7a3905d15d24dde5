import Ledger

/// Checked entries that wait for a block, in the order in which they came.
struct EntryQueue: Sendable {
    struct Waiting: Sendable {
        let entry: CheckedEntry
        let since: Duration
    }

    private(set) var waiting: [Waiting] = []
    private var keys: Set<EntryKey> = []
    private var byteCount = 0
    /// What clients of this node wait for, here or in a block that is not final: this node sees to it that it is ordered.
    private var own: Set<EntryKey> = []

    var isEmpty: Bool { waiting.isEmpty }
    var count: Int { waiting.count }
    var oldest: Duration? { waiting.first?.since }
    var hasRoom: Bool { waiting.count < Limits.waitingEntries && byteCount < Limits.waitingBytes }

    func contains(_ key: EntryKey) -> Bool { keys.contains(key) }

    var ownCount: Int { own.count }
    var ownEntries: some Sequence<CheckedEntry> {
        waiting.lazy.map(\.entry).filter { [own] entry in own.contains(entry.key) }
    }

    mutating func own(_ key: EntryKey) { own.insert(key) }
    /// It is final, or was refused: nobody waits for it any more.
    mutating func disown(_ key: EntryKey) { own.remove(key) }

    /// - Returns: Whether it was new.
    @discardableResult
    mutating func append(_ entry: CheckedEntry, at now: Duration) -> Bool {
        guard keys.insert(entry.key).inserted else { return false }
        waiting.append(Waiting(entry: entry, since: now))
        byteCount += entry.entry.byteCount
        return true
    }

    /// Takes back what stood in a block that is not on the chain any more; it has waited longest.
    mutating func prepend(_ entries: [CheckedEntry], at now: Duration) {
        let new = entries.filter { keys.insert($0.key).inserted }
        waiting.insert(contentsOf: new.map { Waiting(entry: $0, since: now) }, at: 0)
        byteCount += new.reduce(0) { $0 + $1.entry.byteCount }
    }

    mutating func removeFirst(_ count: Int) {
        for waiting in waiting.prefix(count) { forget(waiting.entry) }
        waiting.removeFirst(count)
    }

    mutating func remove(_ isUnwanted: (CheckedEntry) -> Bool) {
        guard waiting.contains(where: { isUnwanted($0.entry) }) else { return }
        for waiting in waiting where isUnwanted(waiting.entry) { forget(waiting.entry) }
        waiting.removeAll { isUnwanted($0.entry) }
    }

    mutating func removeAll() -> [CheckedEntry] {
        let entries = waiting.map(\.entry)
        waiting = []
        keys = []
        byteCount = 0
        return entries
    }

    private mutating func forget(_ entry: CheckedEntry) {
        keys.remove(entry.key)
        byteCount -= entry.entry.byteCount
    }
}
