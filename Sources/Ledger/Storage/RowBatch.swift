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
struct RowBatch: Sendable, RowWriting {
    struct Row: Hashable, Sendable {
        let table: String
        let key: [UInt8]
        let value: [UInt8]
    }

    private(set) var rows: [Row] = []
    /// For the store's companion.
    private(set) var beside: [Row] = []
    private(set) var byteCount = 0

    var isEmpty: Bool { rows.isEmpty && beside.isEmpty }

    mutating func put<Key, Value>(_ table: Table<Key, Value>, _ key: Key, _ value: Value) {
        add(Row(table: table.name, key: key.keyBytes, value: value.valueBytes))
    }

    mutating func append<Key, Value>(_ table: Table<Key, Value>, _ key: Key, _ value: Value) {
        put(table, key, value)
    }

    mutating func putBeside(_ companion: any JournalCompanion, _ key: [UInt8], _ value: [UInt8]) {
        beside.append(Row(table: companion.name, key: key, value: value))
        byteCount += key.count + value.count
    }

    private mutating func add(_ row: Row) {
        rows.append(row)
        byteCount += row.key.count + row.value.count
    }
}

extension RowBatch {
    /// `table count u8 ‖ for each table: sized name ‖ for each row: table u8 ‖ sized key ‖ sized value`. The companion
    /// stands among the tables.
    var encoded: [UInt8] {
        var names: [String] = []
        var body = ByteWriter(capacity: byteCount + 16 * (rows.count + beside.count))
        for row in rows + beside {
            var place = names.firstIndex(of: row.table)
            if place == nil {
                names.append(row.table)
                place = names.count - 1
            }
            body.writeByte(UInt8(truncatingIfNeeded: place ?? 0))
            body.writeSized(row.key)
            body.writeSized(row.value)
        }
        var writer = ByteWriter(capacity: body.bytes.count + 256)
        writer.writeByte(UInt8(truncatingIfNeeded: names.count))
        for name in names { writer.writeSized(name) }
        writer.write(body.bytes)
        return writer.bytes
    }

    /// - Parameter companion: the name of the store's companion.
    init(decoding bytes: [UInt8], companion: String?) throws(DecodingFailure) {
        var reader = ByteReader(bytes)
        var names: [String] = []
        for _ in 0..<(try reader.readByte("tables")) {
            names.append(try reader.readSizedText("table", limitBytes: 64))
        }
        while reader.remaining > 0 {
            let place = Int(try reader.readByte("table"))
            guard place < names.count else { throw DecodingFailure("no such table", at: reader.offset) }
            let row = Row(
                table: names[place], key: try reader.readSized("key", limitBytes: bytes.count),
                value: try reader.readSized("value", limitBytes: bytes.count))
            if row.table == companion { beside.append(row) } else { rows.append(row) }
            byteCount += row.key.count + row.value.count
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
