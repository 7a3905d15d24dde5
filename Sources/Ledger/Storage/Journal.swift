internal import Glibc

/// What a store has promised and not yet written into its tables: one file, one write and one wait for the disk a
/// record. LMDB would write a path of pages in each table, and wait twice; it gets many records at once
/// (docs/decisions/0010-a-journal-before-the-tables.md).
///
/// The file has a fixed size, so that a record changes nothing but its own bytes. Records follow each other from its
/// beginning, each at a multiple of 4096, so that a torn one spoils none before it:
///
///     number u64 ‖ sized batch ‖ SHA256(06 ‖ all before it)
///
/// Numbers rise by one. When the tables have all that is in it, the next record goes to the beginning again; the store
/// says up to which number they have it.
struct Journal: Sendable {
    static let byteCount = 4 << 20
    private static let blockBytes = 4096
    private static let headBytes = 8 + 4
    private static let tag: UInt8 = 6
    /// The largest batch: what is larger costs a transaction of LMDB less than it costs to be written twice.
    static let batchBytes = 256 << 10

    let file: DiskFile
    /// Of the newest record that is whole.
    private(set) var newest: UInt64
    /// Where the next record goes.
    private var place = 0
    /// Bytes beyond this one are zeros.
    private var used = byteCount
    /// The companion could not be flushed, and may have lost what the records hold for it.
    var mayLackCompanion = false

    struct Record: Sendable {
        let number: UInt64
        let batch: [UInt8]
    }

    /// Opens the file, making it where there is none.
    ///
    /// - Parameters:
    ///   - done: the number up to which the tables have it; `nil` for a store that never had a journal. One that had
    ///     is refused without: what the file held may be all that is left.
    init(path: String, done: UInt64?) throws(StoreError) {
        let flags = O_RDWR | O_DSYNC
        do throws(StoreError) { file = try DiskFile(path: path, flags: flags) } catch .missing {
            guard done == nil else { throw Self.lost(path) }
            file = try DiskFile(path: path, flags: flags | O_CREAT)
        }
        newest = done ?? 0
        if done != nil {
            try Self.check(file, done: newest)
            return
        }
        // Again where a crash cut it short.
        let size = try file.byteCount
        if size < Self.byteCount {
            try file.write([UInt8](repeating: 0, count: Self.byteCount - size), at: size)
            try file.flush()
        }
    }

    /// Whether a file that was used before can be what it was.
    static func check(_ file: DiskFile, done: UInt64) throws(StoreError) {
        guard try file.byteCount >= byteCount else {
            throw .damaged(place: file.path, reason: "it is shorter than it was")
        }
        guard done < UInt64.max >> 1 else {
            throw .damaged(place: "table meta, journal", reason: "there were never \(done) records")
        }
    }

    static func lost(_ path: String) -> StoreError {
        .damaged(place: path, reason: "it is not there any more")
    }

    /// Takes over records that were found in the file: the next one goes behind them.
    mutating func goOn(behind records: [Record]) {
        for record in records {
            newest = record.number
            place += Self.room(record.batch.count)
        }
    }

    /// Whether a record of this size fits behind the others.
    func hasRoom(for batchBytes: Int) -> Bool { place + Self.room(batchBytes) <= Self.byteCount }

    /// Writes a record; when it returns, it is on the disk.
    ///
    /// - Precondition: there is room.
    mutating func write(_ batch: RowBatch) throws(StoreError) {
        precondition(hasRoom(for: batch.byteCount), "a record fits into the journal")
        let room = Self.room(batch.byteCount)
        var writer = ByteWriter(capacity: room)
        writer.write(newest + 1)
        writer.write(UInt32(batch.byteCount))
        batch.write(to: &writer)
        writer.write(Self.check(writer.bytes))
        used = max(used, place + room)
        do throws(StoreError) {
            try file.write(writer.bytes, at: place)
        } catch {
            // Whoever asked for it is told that it never was.
            try? file.write([UInt8](repeating: 0, count: Self.headBytes), at: place)
            throw error
        }
        newest += 1
        place += room
    }

    /// The tables have it all.
    mutating func startAgain() { place = 0 }

    /// Overwrites what the file held; durable when it returns.
    ///
    /// - Precondition: the tables have it all.
    mutating func scrub() throws(StoreError) {
        precondition(place == 0, "nothing is overwritten that the tables lack")
        guard used > 0 else { return }
        try file.write([UInt8](repeating: 0, count: used), at: 0)
        used = 0
    }

    /// The records behind number `done`, in order.
    ///
    /// - Throws: `.damaged` where one between them is missing.
    static func records(in file: DiskFile, after done: UInt64) throws(StoreError) -> [Record] {
        let bytes = try file.read(byteCount, at: 0)
        var found: [Record] = []
        var place = 0
        while let record = record(in: bytes, at: place), record.number == done + UInt64(found.count) + 1 {
            found.append(record)
            place += room(record.batch.count)
        }
        // A torn one is the last: the next is not begun before it is whole.
        let last = done + UInt64(found.count)
        for place in stride(from: 0, to: bytes.count, by: blockBytes) {
            guard let number = number(in: bytes, at: place), number > last,
                let record = record(in: bytes, at: place)
            else { continue }
            throw .damaged(
                place: file.path, reason: "record \(last + 1) is missing, while \(record.number) is there")
        }
        return found
    }

    private static func number(in bytes: [UInt8], at place: Int) -> UInt64? {
        guard place + 8 <= bytes.count else { return nil }
        return bytes[place..<place + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func record(in bytes: [UInt8], at place: Int) -> Record? {
        guard place < bytes.count else { return nil }
        let most = headBytes + batchBytes + Digest.byteCount
        let slot = Array(bytes[place..<min(place + most, bytes.count)])
        var reader = ByteReader(slot)
        do throws(DecodingFailure) {
            let number = try reader.read(UInt64.self, "number")
            let batch = try reader.readSized("batch", limitBytes: batchBytes)
            let body = Array(slot.prefix(reader.offset))
            guard number > 0, try reader.readDigest("check") == check(body) else { return nil }
            return Record(number: number, batch: batch)
        } catch { return nil }
    }

    private static func room(_ batchBytes: Int) -> Int {
        let size = headBytes + batchBytes + Digest.byteCount
        return (size + blockBytes - 1) / blockBytes * blockBytes
    }

    private static func check(_ body: [UInt8]) -> Digest {
        Digest.sha256 { hash in
            hash.update(tag)
            hash.update(body)
        }
    }
}
