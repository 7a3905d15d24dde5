internal import CLMDB

/// How a key is laid out. LMDB orders keys by their bytes, so integers are big-endian.
public protocol TableKey: Sendable {
    /// 1 to 511 bytes (LMDB's limit).
    var keyBytes: [UInt8] { get }
    init(keyBytes: [UInt8]) throws(DecodingFailure)
}

/// How a value is laid out.
public protocol TableValue: Sendable {
    var valueBytes: [UInt8] { get }
    init(valueBytes: [UInt8]) throws(DecodingFailure)
}

/// One ordered map of a store, with the types of its keys and values. Made by `Store.table`.
public struct Table<Key: TableKey, Value: TableValue>: Sendable {
    public let name: String
    let handle: MDB_dbi

    func damaged(_ key: [UInt8], _ failure: DecodingFailure) -> StoreError {
        .damaged(place: "table \(name), key \(key.hexadecimal)", reason: failure.description)
    }
}

extension UInt64: TableKey {
    public var keyBytes: [UInt8] {
        var writer = ByteWriter(capacity: 8)
        writer.write(self)
        return writer.bytes
    }
    public init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            try reader.read(UInt64.self, "key")
        }
    }
}

extension UInt64: TableValue {
    public var valueBytes: [UInt8] { keyBytes }
    public init(valueBytes: [UInt8]) throws(DecodingFailure) { try self.init(keyBytes: valueBytes) }
}

extension EntryIndex: TableKey {
    public var keyBytes: [UInt8] { value.keyBytes }
    public init(keyBytes: [UInt8]) throws(DecodingFailure) { self.init(try UInt64(keyBytes: keyBytes)) }
}

extension BlockHeight: TableKey, TableValue {
    public var valueBytes: [UInt8] { keyBytes }
    public init(valueBytes: [UInt8]) throws(DecodingFailure) { try self.init(keyBytes: valueBytes) }

    public var keyBytes: [UInt8] { value.keyBytes }
    public init(keyBytes: [UInt8]) throws(DecodingFailure) { self.init(try UInt64(keyBytes: keyBytes)) }
}

extension [UInt8]: TableKey, TableValue {
    public var keyBytes: [UInt8] { self }
    public init(keyBytes: [UInt8]) { self = keyBytes }
    public var valueBytes: [UInt8] { self }
    public init(valueBytes: [UInt8]) { self = valueBytes }
}

extension Digest: TableValue {
    public var valueBytes: [UInt8] { bytes }
    public init(valueBytes: [UInt8]) throws(DecodingFailure) {
        guard let digest = Digest(valueBytes) else {
            throw DecodingFailure("a digest has 32 bytes, not \(valueBytes.count)", at: 0)
        }
        self = digest
    }
}
