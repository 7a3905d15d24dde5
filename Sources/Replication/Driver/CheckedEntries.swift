import Ledger
import Synchronization

/// Entries that this node has checked, so that none is opened twice: those of its own clients come back in the proposals
/// of others.
///
/// What becomes final is forgotten at once, while it is in the processor's cache. What does not, or comes once more when it
/// is final, goes with its generation: there are two, and when the newer is full, or as many have become final meanwhile as
/// fill one, the older is forgotten.
final class CheckedEntries: Sendable {
    private struct Generation: Sendable {
        var entries: [Digest: CheckedEntry] = [:]
        var byteCount = 0

        mutating func remove(_ digest: Digest) {
            guard let removed = entries.removeValue(forKey: digest) else { return }
            byteCount -= removed.entry.byteCount
        }
    }

    private struct Memory: Sendable {
        var new = Generation()
        var old = Generation()
        /// Entries that have become final since the last change of generation.
        var finalCount = 0

        mutating func rotate() { self = Memory(old: new) }
    }

    private let memory = Mutex(Memory())
    private let generationBytes: Int

    init(generationBytes: Int = Limits.checkedBytes) { self.generationBytes = generationBytes }

    func insert(_ checked: CheckedEntry) {
        guard case .document = checked.content else { return }
        let digest = checked.entry.statement.digest
        memory.withLock { memory in
            guard memory.new.entries.updateValue(checked, forKey: digest) == nil else { return }
            memory.new.byteCount += checked.entry.byteCount
            let isFull =
                memory.new.entries.count >= Limits.waitingEntries || memory.new.byteCount >= generationBytes
            if isFull { memory.rotate() }
        }
    }

    /// These are final.
    func forget(_ entries: [CheckedEntry]) {
        memory.withLock { memory in
            for checked in entries {
                let digest = checked.entry.statement.digest
                memory.new.remove(digest)
                memory.old.remove(digest)
            }
            memory.finalCount += entries.count
            if memory.finalCount >= Limits.waitingEntries { memory.rotate() }
        }
    }

    /// An entry was erased: nothing that was opened stays here.
    func forgetAll() { memory.withLock { $0 = Memory() } }

    /// What was found out about the very same bytes, under the very same key.
    func find(_ entry: EntryBytes) -> CheckedEntry? {
        let known = memory.withLock { $0.new.entries[entry.digest] ?? $0.old.entries[entry.digest] }
        guard let known, entry.isSame(as: known.entry) else { return nil }
        return known
    }
}
