internal import CLMDB

/// What rows can be put into: a transaction, or a batch that becomes one later.
protocol RowWriting: ~Copyable {
    /// Sets the value under `key`, new or not.
    mutating func put<Key, Value>(
        _ table: Table<Key, Value>, _ key: Key, _ value: Value
    ) throws(StoreError)

    /// Sets the value under a key that comes after every key in the table.
    mutating func append<Key, Value>(
        _ table: Table<Key, Value>, _ key: Key, _ value: Value
    ) throws(StoreError)
}

extension WriteTransaction: RowWriting {}

/// Rows of one store that are put together, all or none, and what is put into the file beside it with them.
///
/// The journal's form of it is made as it grows:
///
///     table count u8 ‖ for each table: sized name ‖ for each row: table u8 ‖ sized key ‖ sized value
///
/// The companion stands among the tables.
struct RowBatch: Sendable, RowWriting {
    struct Row: Hashable, Sendable {
        let table: MDB_dbi
        let key: [UInt8]
        let value: [UInt8]
    }

    /// What a batch holds that was read back from the journal.
    struct Contents: Sendable {
        var rows: [Row] = []
        /// For the store's companion.
        var beside: [(key: [UInt8], value: [UInt8])] = []
    }

    private(set) var rows: [Row] = []
    /// In the order of their numbers; the companion has no handle.
    private var tables: [(name: String, handle: MDB_dbi?)] = []
    /// The rows; nothing once they are too many for the journal.
    private var body = ByteWriter()
    private var bodyBytes = 0
    private var headBytes = 1

    var isEmpty: Bool { bodyBytes == 0 }
    /// In the journal's form.
    var byteCount: Int { headBytes + bodyBytes }

    mutating func put<Key, Value>(_ table: Table<Key, Value>, _ key: Key, _ value: Value) {
        let row = Row(table: table.handle, key: key.keyBytes, value: value.valueBytes)
        rows.append(row)
        guard makeRoom(for: row.key.count + row.value.count) else { return }
        body.writeByte(number(of: table.handle, table.name))
        body.writeSized(row.key)
        body.writeSized(row.value)
    }

    mutating func append<Key, Value>(_ table: Table<Key, Value>, _ key: Key, _ value: Value) {
        put(table, key, value)
    }

    /// - Parameters: both parts together are the value.
    mutating func putBeside(
        _ companion: any JournalCompanion, _ key: UInt64, _ first: [UInt8], _ second: [UInt8]
    ) {
        let valueBytes = first.count + second.count
        guard makeRoom(for: 8 + valueBytes) else { return }
        body.writeByte(number(of: nil, companion.name))
        body.write(UInt32(8))
        body.write(key)
        body.write(UInt32(valueBytes))
        body.write(first)
        body.write(second)
    }

    /// - Parameter count: bytes of a row's key and value.
    /// - Returns: Whether the row is to be written: of a batch that is too large for the journal, none is.
    private mutating func makeRoom(for count: Int) -> Bool {
        bodyBytes += 1 + 4 + 4 + count
        if bodyBytes > Journal.batchBytes { body = ByteWriter() }
        return bodyBytes <= Journal.batchBytes
    }

    /// - Parameter handle: `nil` for the companion, of which a store has one.
    private mutating func number(of handle: MDB_dbi?, _ name: String) -> UInt8 {
        if let known = tables.firstIndex(where: { $0.handle == handle }) {
            return UInt8(truncatingIfNeeded: known)
        }
        tables.append((name, handle))
        headBytes += 4 + name.utf8.count
        return UInt8(truncatingIfNeeded: tables.count - 1)
    }

    /// Writes the journal's form.
    ///
    /// - Precondition: it is not over the journal's limit.
    func write(to writer: inout ByteWriter) {
        precondition(byteCount <= Journal.batchBytes, "a larger batch is not kept in the journal's form")
        writer.writeByte(UInt8(truncatingIfNeeded: tables.count))
        for table in tables { writer.writeSized(table.name) }
        writer.write(body.bytes)
    }
}

extension RowBatch.Contents {
    /// - Parameters:
    ///   - tables: those of the store that may stand in a batch.
    ///   - companion: the name of the store's companion.
    init(decoding bytes: [UInt8], tables: [String: MDB_dbi], companion: String?) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        var handles: [MDB_dbi?] = []
        for _ in 0..<(try reader.readByte("tables")) {
            let name = try reader.readSizedText("table", limitBytes: 64)
            guard tables[name] != nil || name == companion else {
                throw DecodingFailure("there is no table \(name)", at: reader.offset)
            }
            handles.append(name == companion ? nil : tables[name])
        }
        while reader.remaining > 0 {
            let place = Int(try reader.readByte("table"))
            guard place < handles.count else { throw DecodingFailure("no such table", at: reader.offset) }
            let key = try reader.readSized("key", limitBytes: bytes.count)
            let value = try reader.readSized("value", limitBytes: bytes.count)
            if let handle = handles[place] {
                rows.append(RowBatch.Row(table: handle, key: key, value: value))
            } else {
                beside.append((key, value))
            }
        }
    }
}

/// A file beside a store, written in place, whose writes the store's journal promises together with its own.
protocol JournalCompanion: Sendable {
    /// What it is called in the journal, among the tables.
    var name: String { get }
    /// Writes again what a record holds; durable only after `flush`.
    func put(_ key: [UInt8], _ value: [UInt8]) throws(StoreError)
    func flush() throws(StoreError)
}
