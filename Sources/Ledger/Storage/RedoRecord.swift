/// What one transaction wrote, so that it can be written again: what LMDB would take a second flush to promise.
///
/// Layout: `transaction u64 ‖ table count u8 ‖ for each table: sized name ‖ for each operation: kind u8 ‖ table u8 ‖
/// sized key ‖ (put) sized value`. Kinds: 1 put, 2 delete, 3 clear.
struct RedoRecord: Sendable {
    enum Operation: Hashable, Sendable {
        case put(table: String, key: [UInt8], value: [UInt8])
        case delete(table: String, key: [UInt8])
        case clear(table: String)
    }

    private var names: [String] = []
    private var writer = ByteWriter()
    /// Beyond what a slot holds nothing is gathered: the transaction is flushed twice.
    private(set) var isTooLarge = false
    private let limitBytes: Int
    /// Whether nothing was written.
    var isEmpty: Bool { writer.bytes.isEmpty }

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    mutating func put(_ table: String, _ key: [UInt8], _ value: [UInt8]) {
        guard hasRoom(for: key.count + value.count) else { return }
        begin(1, table)
        writer.writeSized(key)
        writer.writeSized(value)
    }

    mutating func delete(_ table: String, _ key: [UInt8]) {
        guard hasRoom(for: key.count) else { return }
        begin(2, table)
        writer.writeSized(key)
    }

    mutating func clear(_ table: String) {
        guard hasRoom(for: 0) else { return }
        begin(3, table)
    }

    private mutating func begin(_ kind: UInt8, _ table: String) {
        var place = names.firstIndex(of: table)
        if place == nil {
            names.append(table)
            place = names.count - 1
        }
        writer.writeByte(kind)
        writer.writeByte(UInt8(truncatingIfNeeded: place ?? 0))
    }

    private mutating func hasRoom(for byteCount: Int) -> Bool {
        let overhead = 16 + names.reduce(16) { $0 + $1.utf8.count + 4 } + 64
        if writer.bytes.count + byteCount + overhead > limitBytes {
            isTooLarge = true
            writer = ByteWriter()
        }
        return !isTooLarge
    }

    func bytes(of transaction: UInt64) -> [UInt8] {
        var head = ByteWriter(capacity: writer.bytes.count + 256)
        head.write(transaction)
        head.writeByte(UInt8(truncatingIfNeeded: names.count))
        for name in names { head.writeSized(name) }
        head.write(writer.bytes)
        return head.bytes
    }

    static func decode(
        _ bytes: [UInt8]
    ) throws(DecodingFailure) -> (transaction: UInt64, operations: [Operation]) {
        var reader = ByteReader(bytes)
        let transaction = try reader.read(UInt64.self, "transaction")
        var names: [String] = []
        for _ in 0..<(try reader.readByte("tables")) {
            names.append(try reader.readSizedText("table", limitBytes: 64))
        }
        var operations: [Operation] = []
        while reader.remaining > 0 {
            let kind = try reader.readByte("operation")
            let place = Int(try reader.readByte("table"))
            guard place < names.count else { throw DecodingFailure("no such table", at: reader.offset) }
            switch kind {
            case 1:
                let key = try reader.readSized("key", limitBytes: bytes.count)
                let value = try reader.readSized("value", limitBytes: bytes.count)
                operations.append(.put(table: names[place], key: key, value: value))
            case 2:
                operations.append(
                    .delete(
                        table: names[place], key: try reader.readSized("key", limitBytes: bytes.count)))
            case 3: operations.append(.clear(table: names[place]))
            default: throw DecodingFailure("no such operation", at: reader.offset)
            }
        }
        return (transaction, operations)
    }
}
