import Ledger
import Synchronization

/// Entries that this node has checked and that are not final yet, so that none is opened twice: those of its own clients
/// come back in the proposals of others.
///
/// What is final is forgotten at once, while it is in the processor's cache; what never becomes final when two
/// generations are full.
final class CheckedEntries: Sendable {
    private struct Generation: Sendable {
        var entries: [Digest: CheckedEntry] = [:]
        var byteCount = 0

        /// - Returns: Whether it was there.
        mutating func remove(_ digest: Digest) -> Bool {
            guard let removed = entries.removeValue(forKey: digest) else { return false }
            byteCount -= removed.entry.byteCount
            return true
        }
    }

    private let generations = Mutex((new: Generation(), old: Generation()))
    private let generationBytes: Int

    init(generationBytes: Int = Limits.checkedBytes) { self.generationBytes = generationBytes }

    func insert(_ checked: CheckedEntry) {
        guard case .document = checked.content else { return }
        let digest = checked.entry.statement.digest
        generations.withLock { generations in
            guard generations.new.entries.updateValue(checked, forKey: digest) == nil else { return }
            generations.new.byteCount += checked.entry.byteCount
            guard
                generations.new.entries.count >= Limits.waitingEntries
                    || generations.new.byteCount >= generationBytes
            else { return }
            generations = (Generation(), generations.new)
        }
    }

    /// These are final.
    func forget(_ entries: some Sequence<CheckedEntry>) {
        generations.withLock { generations in
            for digest in entries.lazy.map(\.entry.statement.digest) where !generations.new.remove(digest) {
                _ = generations.old.remove(digest)
            }
        }
    }

    /// What was found out about the very same bytes, under the very same key.
    func find(_ entry: EntryBytes) -> CheckedEntry? {
        let known = generations.withLock { $0.new.entries[entry.digest] ?? $0.old.entries[entry.digest] }
        guard let known, entry.isSame(as: known.entry) else { return nil }
        return known
    }
}
