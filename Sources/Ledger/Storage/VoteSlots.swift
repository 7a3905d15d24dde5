internal import Glibc
internal import Synchronization

/// What this node must remember of its votes, where nothing else changes: a file of two slots that are written in turn.
///
/// A transaction writes a path of pages in each table and waits for the disk twice; a slot is one page and waits once.
/// A slot is 4096 bytes:
///
///     number u64 ‖ u32 size ‖ state ‖ check 32 ‖ zeros
///
/// `check` is `SHA256(05 ‖ all before it)`, so that a torn slot is known; the one before it is in the other slot, or in
/// the log.
///
/// Safe to share: `pread` and `pwrite` carry their own offsets; one writer, the ledger's.
final class VoteSlots: Sendable {
    struct Record: Hashable, Sendable {
        /// Rises with each state that is saved, here or in the log.
        let number: UInt64
        let state: [UInt8]
    }

    private static let slotBytes = 4096
    private static let slotCount = 2
    private static let tag: UInt8 = 5
    /// The largest state that fits; a larger one goes to the log.
    static let stateBytes = slotBytes - 8 - 4 - Digest.byteCount

    private let file: DiskFile
    /// Whether there was no file before.
    let isNew: Bool
    private let known = Mutex<Record?>(nil)

    /// The newest state that is on the disk, here or in the log; `nil` before the first.
    var latest: Record? { known.withLock { $0 } }
    func note(_ record: Record?) { known.withLock { $0 = record } }

    /// Opens the file, making it where there is none.
    init(path: String) throws(StoreError) {
        let flags = O_RDWR | O_DSYNC
        do throws(StoreError) {
            file = try DiskFile(path: path, flags: flags)
            isNew = false
        } catch .missing {
            file = try DiskFile(path: path, flags: flags | O_CREAT | O_EXCL)
            isNew = true
            // From here on a write changes nothing but its own page.
            try file.write([UInt8](repeating: 0, count: Self.slotBytes * Self.slotCount), at: 0)
        }
    }

    /// The newest record that is whole.
    func newest() throws(StoreError) -> Record? {
        var newest: Record?
        for slot in 0..<Self.slotCount {
            guard let record = try read(slot) else { continue }
            if newest.map({ $0.number < record.number }) ?? true { newest = record }
        }
        return newest
    }

    /// Writes a record; when it returns, it is on the disk.
    ///
    /// - Precondition: its state fits, and the record numbered one less is on the disk, here or in the log.
    func write(_ record: Record) throws(StoreError) {
        precondition(record.state.count <= Self.stateBytes, "a state fits into its slot")
        var writer = ByteWriter(capacity: Self.slotBytes)
        writer.write(record.number)
        writer.writeSized(record.state)
        let bytes = CheckedSlot.bytes(writer.bytes, tag: Self.tag)
        let padding = [UInt8](repeating: 0, count: Self.slotBytes - bytes.count)
        let slot = Int(record.number % UInt64(Self.slotCount))
        try file.write(bytes + padding, at: slot * Self.slotBytes)
    }

    private func read(_ slot: Int) throws(StoreError) -> Record? {
        let bytes = try file.read(Self.slotBytes, at: slot * Self.slotBytes)
        return CheckedSlot.read(bytes, tag: Self.tag) { reader throws(DecodingFailure) in
            Record(
                number: try reader.read(UInt64.self, "number"),
                state: try reader.readSized("state", limitBytes: Self.stateBytes))
        }
    }
}
