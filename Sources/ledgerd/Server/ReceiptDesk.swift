import Ledger
import Replication
import Synchronization

/// Writes receipts against the newest checkpoint, and keeps what the receipts of one block share: the signed note, and
/// the subtrees at the tree's right edge.
final class ReceiptDesk: Sendable {
    private struct Current: Sendable {
        let note: CheckpointNote
        var subtrees: SubtreeHashes
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
        try current.withLock { current in try refresh(&current, published)?.note }
    }

    /// The receipt of a final entry.
    ///
    /// - Throws: `Problem.noSuchEntry` for an index that is not final.
    func receipt(_ index: EntryIndex, _ published: Published) throws -> Receipt {
        try current.withLock { current in
            guard var fresh = try refresh(&current, published), index.value < fresh.note.checkpoint.size
            else {
                throw Problem.noSuchEntry(size: published.size)
            }
            let size = fresh.note.checkpoint.size
            let proof: InclusionProof
            if index.value + Self.sharedEntries >= size {
                proof = try InclusionProof.make(
                    index: index, size: size, from: LogTree(log), sharing: &fresh.subtrees)
                current = fresh
            } else {
                // Kept for all entries, the subtrees would grow with the log.
                proof = try InclusionProof.make(index: index, size: size, from: LogTree(log))
            }
            return Receipt(index: index, proof: proof, checkpoint: fresh.note)
        }
    }

    /// The receipt against an older checkpoint; `nil` where this node has no certificate of that size.
    func receipt(_ index: EntryIndex, ofSize size: UInt64) throws -> Receipt? {
        guard let certificate = try log.certificate(ofSize: size) else { return nil }
        return Receipt(
            index: index, proof: try InclusionProof.make(index: index, size: size, from: LogTree(log)),
            checkpoint: try certificate.checkpointNote(of: electorate, ledgerKey: ledgerKey))
    }

    private func refresh(_ current: inout Current?, _ published: Published) throws -> Current? {
        if let known = current, known.note.checkpoint.height >= published.header.height { return known }
        guard let certificate = published.certificate else { return nil }
        let fresh = Current(
            note: try certificate.checkpointNote(of: electorate, ledgerKey: ledgerKey),
            subtrees: SubtreeHashes(size: published.size))
        current = fresh
        return fresh
    }
}
