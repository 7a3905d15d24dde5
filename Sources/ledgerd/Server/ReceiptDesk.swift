import Ledger
import Replication
import Synchronization

/// Writes receipts against the newest checkpoint, and keeps what they share: the signed note of a block, and the
/// subtrees at the tree's right edge, to which the next block only adds.
final class ReceiptDesk: Sendable {
    private struct Current: Sendable {
        var note: CheckpointNote
        var subtrees: SubtreeHashes
        /// The size up to which the subtrees follow the tree. Kept for ever, they would grow with the log.
        var subtreesLimit: UInt64

        init(_ note: CheckpointNote) {
            self.note = note
            subtrees = SubtreeHashes(size: note.checkpoint.size)
            subtreesLimit = note.checkpoint.size + ReceiptDesk.sharedEntries
        }

        mutating func follow(_ note: CheckpointNote) {
            guard note.checkpoint.size <= subtreesLimit else {
                self = Current(note)
                return
            }
            self.note = note
            subtrees.grow(to: note.checkpoint.size)
        }

        mutating func proof(of index: EntryIndex, _ tree: LogTree) throws -> InclusionProof {
            try .make(index: index, size: note.checkpoint.size, from: tree, sharing: &subtrees)
        }
    }

    /// How many of the newest entries share what was read for them: a few tiles, 16 KB each.
    private static let sharedEntries: UInt64 = 4096

    private let log: LogStore
    private let electorate: Electorate
    private let ledgerKey: NoteSigningKey
    private let current = Mutex<Current?>(nil)

    init(log: LogStore, electorate: Electorate, ledgerKey: NoteSigningKey) {
        self.log = log
        self.electorate = electorate
        self.ledgerKey = ledgerKey
    }

    /// The newest checkpoint with its signatures; `nil` while nothing but the genesis block is final.
    func checkpoint(_ published: Published) throws -> CheckpointNote? {
        try current.withLock { current in
            try refresh(&current, published)
            return current?.note
        }
    }

    /// The receipt of a final entry.
    ///
    /// - Throws: `Problem.noSuchEntry` for an index that is not final.
    func receipt(_ index: EntryIndex, _ published: Published) throws -> Receipt {
        try current.withLock { current in
            try refresh(&current, published)
            guard let note = current?.note, index.value < note.checkpoint.size else {
                throw Problem.noSuchEntry(size: published.size)
            }
            let size = note.checkpoint.size
            // For an old entry it would read tiles that no other receipt asks for soon.
            let isRecent = index.value + Self.sharedEntries >= size
            let shared = isRecent ? try current?.proof(of: index, LogTree(log)) : nil
            let proof = try shared ?? InclusionProof.make(index: index, size: size, from: LogTree(log))
            return Receipt(index: index, proof: proof, checkpoint: note)
        }
    }

    /// The receipt against an older checkpoint; `nil` where this node has no certificate of that size.
    func receipt(_ index: EntryIndex, ofSize size: UInt64) throws -> Receipt? {
        guard let certificate = try log.certificate(ofSize: size) else { return nil }
        return Receipt(
            index: index, proof: try InclusionProof.make(index: index, size: size, from: LogTree(log)),
            checkpoint: try certificate.checkpointNote(of: electorate, ledgerKey: ledgerKey))
    }

    private func refresh(_ current: inout Current?, _ published: Published) throws {
        if let known = current?.note.checkpoint.height, known >= published.header.height { return }
        guard let certificate = published.certificate else { return }
        let note = try certificate.checkpointNote(of: electorate, ledgerKey: ledgerKey)
        if current == nil { current = Current(note) } else { current?.follow(note) }
    }
}
