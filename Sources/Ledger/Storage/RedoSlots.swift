internal import Glibc

/// The last transactions of a store, each in a slot of a file beside it, written while LMDB flushes its pages.
///
/// LMDB makes a commit durable in two flushes, one after the other: the pages, then the page that says which are valid.
/// The second is left out here (`MDB_NOMETASYNC`): it comes with the first flush of the next transaction, and a loss of
/// power in between undoes one transaction, never two, and damages nothing. What was undone is written again from
/// here (docs/decisions/0009-one-flush-a-transaction.md).
///
/// A slot is 256 KiB; transactions take turns:
///
///     size u32 ‖ record ‖ check 32
///
/// `check` is `SHA256(06 ‖ all before it)`.
final class RedoSlots: Sendable {
    static let slotBytes = 256 << 10
    private static let slotCount: UInt64 = 2
    private static let tag: UInt8 = 6
    /// The largest record.
    static let recordBytes = slotBytes - 4 - Digest.byteCount

    private let file: DiskFile
    private let thread = FlushThread("redo")

    /// Opens the file, making it where there is none.
    ///
    /// - Parameter mayBeMade: not so for a store that has lived with one: what it held may be all that is left.
    init(path: String, mayBeMade: Bool) throws(StoreError) {
        let flags = O_RDWR | O_DSYNC
        let known: DiskFile?
        do throws(StoreError) { known = try DiskFile(path: path, flags: flags) } catch .missing {
            known = nil
        }
        guard known != nil || mayBeMade else {
            throw .damaged(place: path, reason: "it is not there any more")
        }
        if let known { file = known } else { file = try DiskFile(path: path, flags: flags | O_CREAT) }
        // Written in full, so that a slot changes nothing but its own bytes from here on. Again where a crash cut it short.
        let size = Int(Self.slotCount) * Self.slotBytes
        if try file.byteCount < size {
            try file.write([UInt8](repeating: 0, count: size), at: 0)
            try file.flush()
        }
    }

    /// The records that are whole, the older one first.
    func records() throws(StoreError) -> [(transaction: UInt64, operations: [RedoRecord.Operation])] {
        var records: [(transaction: UInt64, operations: [RedoRecord.Operation])] = []
        for slot in 0..<Int(Self.slotCount) {
            let bytes = try file.read(Self.slotBytes, at: slot * Self.slotBytes)
            let found = CheckedSlot.read(bytes, tag: Self.tag) { reader throws(DecodingFailure) in
                try reader.readSized("record", limitBytes: Self.recordBytes)
            }
            guard let record = found, !record.isEmpty else { continue }
            do throws(DecodingFailure) { records.append(try RedoRecord.decode(record)) } catch {
                throw .damaged(place: file.path, reason: error.description)
            }
        }
        return records.sorted { $0.transaction < $1.transaction }
    }

    /// Begins to write a record; durable when `finish` returns.
    ///
    /// - Precondition: it fits.
    func begin(_ record: RedoRecord, of transaction: UInt64) {
        let bytes = record.bytes(of: transaction)
        precondition(bytes.count <= Self.recordBytes, "a record fits into its slot")
        var writer = ByteWriter(capacity: bytes.count + 64)
        writer.writeSized(bytes)
        let slot = CheckedSlot.bytes(writer.bytes, tag: Self.tag)
        thread.begin { [file] () throws(StoreError) in
            try file.write(slot, at: Self.place(of: transaction))
        }
    }

    func finish() throws(StoreError) { try thread.finish() }

    /// A transaction that was begun here came to nothing: it must not be written again.
    func forget(_ transaction: UInt64) throws(StoreError) {
        try file.write([UInt8](repeating: 0, count: 64), at: Self.place(of: transaction))
    }

    private static func place(of transaction: UInt64) -> Int { Int(transaction % slotCount) * slotBytes }
}
