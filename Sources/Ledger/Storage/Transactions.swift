internal import CLMDB
internal import Dispatch
internal import Glibc

/// The LMDB transaction behind a typed one. Only `Storage` can look inside.
@safe public struct TransactionHandle: ~Copyable {
    let pointer: OpaquePointer
}

/// What both kinds of transaction can do. A transaction sees one state of the store, however long it lives.
public protocol StoreReading: ~Copyable {
    var handle: TransactionHandle { get }
    /// Rows that come on top of LMDB's.
    var pending: PendingRows { get }
}

/// A snapshot for reading; it ends with the closure it was passed to.
public struct ReadTransaction: ~Copyable, StoreReading {
    public let handle: TransactionHandle
    public let pending: PendingRows
}

extension ReadTransaction {
    /// Calls `body` for each number below `count`, on several threads at once, each with a transaction of its own that
    /// sees what this one sees.
    ///
    /// - Returns: `false`, and nothing was called, where the store has been written to since this transaction began, or
    ///   has no room for more readers.
    public func alongside(
        _ count: Int, _ body: @Sendable (Int, borrowing ReadTransaction) -> Void
    ) -> Bool {
        guard let environment = unsafe mdb_txn_env(handle.pointer) else { return false }
        let state = unsafe mdb_txn_id(handle.pointer)
        var others: [UInt] = []
        defer {
            for other in others { unsafe mdb_txn_abort(OpaquePointer(bitPattern: other)) }
        }
        for _ in 0..<count {
            var begun: OpaquePointer?
            guard unsafe mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun) == 0,
                let pointer = unsafe begun
            else { return false }
            others.append(UInt(bitPattern: pointer))
            guard unsafe mdb_txn_id(pointer) == state else { return false }
        }
        let (pointers, pending) = (others, self.pending)
        DispatchQueue.concurrentPerform(iterations: count) { number in
            guard let pointer = unsafe OpaquePointer(bitPattern: pointers[number]) else { return }
            body(
                number,
                ReadTransaction(handle: unsafe TransactionHandle(pointer: pointer), pending: pending))
        }
        return true
    }
}

/// The one writer's transaction. It is committed when its closure returns and undone when it throws.
public struct WriteTransaction: ~Copyable, StoreReading {
    public let handle: TransactionHandle
    let directory: String
    /// A writer gives LMDB what was pending first.
    public var pending: PendingRows { PendingRows() }
}

/// Whether a scan goes on.
public enum ScanStep: Sendable {
    case next
    case stop
}

extension StoreReading where Self: ~Copyable {
    /// The value under `key`, or `nil`.
    public func value<Key, Value>(_ table: Table<Key, Value>, _ key: Key) throws(StoreError) -> Value? {
        let bytes = key.keyBytes
        let found: [UInt8]? = try withBytes(table, keyBytes: bytes) { span in
            unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
        guard let found else { return nil }
        do { return try Value(valueBytes: found) } catch { throw table.damaged(bytes, error) }
    }

    /// Lends the stored bytes of a value without copying them.
    public func withBytes<Key, Value, Result>(
        _ table: Table<Key, Value>, _ key: Key, _ body: (RawSpan) -> Result
    ) throws(StoreError) -> Result? {
        try withBytes(table, keyBytes: key.keyBytes, body)
    }

    public func contains<Key, Value>(_ table: Table<Key, Value>, _ key: Key) throws(StoreError) -> Bool {
        try withBytes(table, key) { _ in true } ?? false
    }

    /// How many keys the table holds.
    public func count<Key, Value>(_ table: Table<Key, Value>) throws(StoreError) -> Int {
        var statistics = MDB_stat()
        try unsafe check(mdb_stat(handle.pointer, table.handle, &statistics), "mdb_stat")
        var count = Int(statistics.ms_entries)
        for key in pending.tables[table.handle]?.keys ?? [] where try !isInLMDB(table, key) { count += 1 }
        return count
    }

    /// How much of the file the table takes, its free space within pages included.
    public func bytes<Key, Value>(of table: Table<Key, Value>) throws(StoreError) -> Int {
        var statistics = MDB_stat()
        try unsafe check(mdb_stat(handle.pointer, table.handle, &statistics), "mdb_stat")
        return Int(statistics.ms_psize)
            * (statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages)
    }

    /// The first entry whose key is at or after `key`.
    public func first<Key, Value>(
        _ table: Table<Key, Value>, atOrAfter key: Key? = nil
    ) throws(StoreError) -> (key: Key, value: Value)? {
        var result: (key: Key, value: Value)?
        try scan(table, from: key) { key, value throws(StoreError) in
            result = (key, value)
            return .stop
        }
        return result
    }

    /// The last entry whose key is at or before `key`; the last of all without one.
    public func last<Key, Value>(
        _ table: Table<Key, Value>, atOrBefore key: Key? = nil
    ) throws(StoreError) -> (key: Key, value: Value)? {
        var result: (key: Key, value: Value)?
        try scanBackward(table, from: key) { key, value throws(StoreError) in
            result = (key, value)
            return .stop
        }
        return result
    }

    /// Goes through the entries in key order from the first at or after `key`.
    public func scan<Key, Value>(
        _ table: Table<Key, Value>, from key: Key? = nil,
        _ body: (Key, Value) throws(StoreError) -> ScanStep
    ) throws(StoreError) {
        try scanBytes(table, from: key) { keyBytes, span throws(StoreError) in
            let bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            return try body(decodeKey(table, keyBytes), decodeValue(table, keyBytes, bytes))
        }
    }

    /// As `scan`, lending the stored bytes of each value without copying them.
    public func scanBytes<Key, Value>(
        _ table: Table<Key, Value>, from key: Key? = nil,
        _ body: ([UInt8], RawSpan) throws(StoreError) -> ScanStep
    ) throws(StoreError) {
        try walk(
            table, from: key?.keyBytes, start: key == nil ? MDB_FIRST : MDB_SET_RANGE, step: MDB_NEXT, body)
    }

    /// Goes through the entries in reverse key order from the last at or before `key`.
    public func scanBackward<Key, Value>(
        _ table: Table<Key, Value>, from key: Key? = nil,
        _ body: (Key, Value) throws(StoreError) -> ScanStep
    ) throws(StoreError) {
        try walk(table, from: key?.keyBytes, start: MDB_LAST, step: MDB_PREV) {
            keyBytes, span throws(StoreError) in
            let bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            return try body(decodeKey(table, keyBytes), decodeValue(table, keyBytes, bytes))
        }
    }
}

extension StoreReading where Self: ~Copyable {
    private func decodeKey<Key, Value>(
        _ table: Table<Key, Value>, _ bytes: [UInt8]
    ) throws(StoreError) -> Key {
        do { return try Key(keyBytes: bytes) } catch { throw table.damaged(bytes, error) }
    }

    private func decodeValue<Key, Value>(
        _ table: Table<Key, Value>, _ key: [UInt8], _ bytes: [UInt8]
    ) throws(StoreError) -> Value {
        do { return try Value(valueBytes: bytes) } catch { throw table.damaged(key, error) }
    }

    private func isInLMDB<Key, Value>(
        _ table: Table<Key, Value>, _ key: [UInt8]
    ) throws(StoreError) -> Bool {
        let code: Int32 = unsafe key.withLMDBValue { key in
            var found = unsafe MDB_val()
            return unsafe mdb_get(handle.pointer, table.handle, key, &found)
        }
        if code == MDB_NOTFOUND { return false }
        try check(code, "mdb_get")
        return true
    }

    private func withBytes<Key, Value, Result>(
        _ table: Table<Key, Value>, keyBytes: [UInt8], _ body: (RawSpan) -> Result
    ) throws(StoreError) -> Result? {
        if !pending.isEmpty, let value = pending.value(table.handle, keyBytes) {
            return unsafe body(value.span.bytes)
        }
        var result: Result?
        let code: Int32 = unsafe keyBytes.withLMDBValue { key in
            var found = unsafe MDB_val()
            let code = unsafe mdb_get(handle.pointer, table.handle, key, &found)
            // The bytes live as long as the transaction, which outlives this closure.
            if code == 0 { unsafe result = body(RawSpan(_unsafeBytes: found.buffer)) }
            return code
        }
        if code == MDB_NOTFOUND { return nil }
        try check(code, "mdb_get")
        return result
    }

    private func walk<Key, Value>(
        _ table: Table<Key, Value>, from key: [UInt8]?, start: MDB_cursor_op, step: MDB_cursor_op,
        _ body: ([UInt8], RawSpan) throws(StoreError) -> ScanStep
    ) throws(StoreError) {
        var opened: OpaquePointer?
        try unsafe check(mdb_cursor_open(handle.pointer, table.handle, &opened), "mdb_cursor_open")
        guard let cursor = unsafe opened else { return }
        defer { unsafe mdb_cursor_close(cursor) }

        let isForward = step == MDB_NEXT
        var keyValue = unsafe MDB_val()
        var value = unsafe MDB_val()
        var code: Int32
        if let key {
            code = unsafe key.withLMDBValue { wanted in
                unsafe keyValue = wanted.pointee
                var code = unsafe mdb_cursor_get(cursor, &keyValue, &value, MDB_SET_RANGE)
                if !isForward {
                    if code == MDB_NOTFOUND {
                        code = unsafe mdb_cursor_get(cursor, &keyValue, &value, MDB_LAST)
                    } else if code == 0, !(unsafe keyValue.buffer.elementsEqual(key)) {
                        code = unsafe mdb_cursor_get(cursor, &keyValue, &value, MDB_PREV)
                    }
                }
                return code
            }
        } else {
            code = unsafe mdb_cursor_get(cursor, &keyValue, &value, start)
        }
        var others = PendingWalk(pending.tables[table.handle], from: key, isForward: isForward)
        while true {
            if code != 0, code != MDB_NOTFOUND { try check(code, "mdb_cursor_get") }
            let keyBytes = code == 0 ? unsafe Array(keyValue.buffer) : nil
            let taken: ScanStep
            if let other = others.next(before: keyBytes) {
                // What is pending under the same key is newer.
                if other.key == keyBytes { code = unsafe mdb_cursor_get(cursor, &keyValue, &value, step) }
                taken = unsafe try body(other.key, other.value.span.bytes)
            } else if let keyBytes {
                taken = unsafe try body(keyBytes, RawSpan(_unsafeBytes: value.buffer))
                if case .next = taken { code = unsafe mdb_cursor_get(cursor, &keyValue, &value, step) }
            } else {
                return
            }
            if case .stop = taken { return }
        }
    }
}

/// Goes through pending rows beside a cursor.
private struct PendingWalk {
    private let rows: PendingRows.Rows?
    private let isForward: Bool
    /// Of the next row; where it is out of range there is none.
    private var place: Int

    init(_ rows: PendingRows.Rows?, from key: [UInt8]?, isForward: Bool) {
        self.rows = rows
        self.isForward = isForward
        guard let rows else {
            place = -1
            return
        }
        guard let key else {
            place = isForward ? 0 : rows.keys.count - 1
            return
        }
        let (found, isThere) = rows.find(key)
        place = isForward || isThere ? found : found - 1
    }

    /// The next row, if it comes before LMDB's next or in its place.
    mutating func next(before other: [UInt8]?) -> (key: [UInt8], value: [UInt8])? {
        guard let rows, rows.keys.indices.contains(place) else { return nil }
        let key = rows.keys[place]
        if let other {
            let comesLater =
                isForward ? other.lexicographicallyPrecedes(key) : key.lexicographicallyPrecedes(other)
            if comesLater { return nil }
        }
        defer { place += isForward ? 1 : -1 }
        return (key, rows.values[place])
    }
}

extension WriteTransaction {
    /// Sets the value under `key`, new or not.
    public mutating func put<Key, Value>(
        _ table: Table<Key, Value>, _ key: Key, _ value: Value
    ) throws(StoreError) {
        try write(table.handle, key.keyBytes, value.valueBytes, flags: 0)
    }

    /// Sets the value under a key that comes after every key in the table: quicker, and fills pages fully.
    public mutating func append<Key, Value>(
        _ table: Table<Key, Value>, _ key: Key, _ value: Value
    ) throws(StoreError) {
        try write(table.handle, key.keyBytes, value.valueBytes, flags: UInt32(MDB_APPEND))
    }

    /// - Returns: Whether there was something to delete.
    @discardableResult
    public mutating func delete<Key, Value>(
        _ table: Table<Key, Value>, _ key: Key
    ) throws(StoreError) -> Bool {
        let code = unsafe key.keyBytes.withLMDBValue {
            unsafe mdb_del(handle.pointer, table.handle, $0, nil)
        }
        if code == MDB_NOTFOUND { return false }
        try check(code, "mdb_del", in: directory)
        return true
    }

    /// Deletes every entry whose key is at or after `key`.
    public mutating func deleteTail<Key, Value>(
        _ table: Table<Key, Value>, from key: Key
    ) throws(StoreError) {
        var keys: [Key] = []
        try scanBytes(table, from: key) { bytes, _ throws(StoreError) in
            do throws(DecodingFailure) { keys.append(try Key(keyBytes: bytes)) } catch {
                throw table.damaged(bytes, error)
            }
            return .next
        }
        for key in keys { try delete(table, key) }
    }

    /// Deletes every entry of the table.
    public mutating func clear<Key, Value>(_ table: Table<Key, Value>) throws(StoreError) {
        try unsafe check(mdb_drop(handle.pointer, table.handle, 0), "mdb_drop", in: directory)
    }

    mutating func put(_ row: RowBatch.Row) throws(StoreError) {
        try write(row.table, row.key, row.value, flags: 0)
    }

    /// Rows of one table, ascending; those behind its last key fill pages fully.
    mutating func put(_ rows: PendingRows.Rows, into table: MDB_dbi) throws(StoreError) {
        let last = try last(Table<[UInt8], [UInt8]>(name: "", handle: table))?.key
        for (key, value) in zip(rows.keys, rows.values) {
            let isBehind = last.map { $0.lexicographicallyPrecedes(key) } ?? true
            try write(table, key, value, flags: isBehind ? UInt32(MDB_APPEND) : 0)
        }
    }

    private mutating func write(
        _ table: MDB_dbi, _ key: [UInt8], _ value: [UInt8], flags: UInt32
    ) throws(StoreError) {
        let code = unsafe key.withLMDBValue { key in
            unsafe value.withLMDBValue { value in
                unsafe mdb_put(handle.pointer, table, key, value, flags)
            }
        }
        try check(code, "mdb_put", in: directory)
    }
}

extension [UInt8] {
    /// Lends the bytes as an `MDB_val`, which dangles as soon as the closure ends.
    fileprivate func withLMDBValue<Result>(_ body: (UnsafeMutablePointer<MDB_val>) -> Result) -> Result {
        unsafe withUnsafeBytes { buffer in
            var value = unsafe MDB_val(
                mv_size: buffer.count, mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
            return unsafe body(&value)
        }
    }
}

extension MDB_val {
    fileprivate var buffer: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: mv_data, count: mv_size)
    }
}

/// Turns an LMDB code into an error.
func check(_ code: Int32, _ operation: String, in directory: String = "the store") throws(StoreError) {
    switch code {
    case 0: return
    case MDB_MAP_FULL: throw .full(directory: directory)
    case _ where StoreError.meansFull(code): throw .full(directory: directory)
    // LMDB's answer to a write that came short, which is how a disk becomes full.
    case EIO where hasNoRoom(directory): throw .full(directory: directory)
    case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INVALID, MDB_PANIC:
        throw .damaged(place: directory, reason: unsafe String(cString: mdb_strerror(code)))
    default:
        throw .system(operation: operation, code: code, reason: unsafe String(cString: mdb_strerror(code)))
    }
}

/// Whether the file system of a directory has less left than a small transaction takes.
private func hasNoRoom(_ directory: String) -> Bool {
    var statistics = statvfs()
    guard unsafe statvfs(directory, &statistics) == 0 else { return false }
    let (bytes, isHuge) = UInt64(statistics.f_bavail)
        .multipliedReportingOverflow(by: UInt64(statistics.f_frsize))
    return !isHuge && bytes < Limits.fullDiskBytes
}
