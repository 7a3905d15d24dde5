import Ledger
import Synchronization

/// Entries that this node has checked lately, so that none is opened twice: those of its own clients come back in the
/// proposals of others.
///
/// Two generations: when the newer is full, the older is forgotten.
final class CheckedEntries: Sendable {
    private struct Generation: Sendable {
        var entries: [Digest: CheckedEntry] = [:]
        var byteCount = 0

        var isFull: Bool {
            entries.count >= Limits.waitingEntries || byteCount >= Limits.checkedBytes
        }
    }

    private let generations = Mutex((new: Generation(), old: Generation()))

    func insert(_ checked: CheckedEntry) {
        guard case .document = checked.content else { return }
        let digest = checked.entry.statement.digest
        generations.withLock { generations in
            guard generations.new.entries.updateValue(checked, forKey: digest) == nil else { return }
            generations.new.byteCount += checked.entry.byteCount
            if generations.new.isFull { generations = (Generation(), generations.new) }
        }
    }

    /// What was found out about the very same bytes, under the very same key.
    func find(_ entry: EntryBytes) -> CheckedEntry? {
        let known = generations.withLock { $0.new.entries[entry.digest] ?? $0.old.entries[entry.digest] }
        guard let known, entry.isSame(as: known.entry) else { return nil }
        return known
    }
}
