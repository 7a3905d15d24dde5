internal import CLMDB
internal import Glibc

/// One LMDB environment: a directory with ordered tables, one writer at a time, any number of readers.
///
/// Readers take a snapshot and never wait. The values they see are lent from the memory map.
///
/// Safe to share: LMDB serialises writers itself, `MDB_NOTLS` frees readers from their thread, and the handles are
/// set once in `init`. A write transaction stays on the thread that began it, since its closure is synchronous.
@safe public final class Store: @unchecked Sendable {
    public let directory: String
    private let environment: OpaquePointer
    private let tables: [String: MDB_dbi]
    private let lock: DirectoryLock?
    private let mapBytes: Int
    /// `nil` where commits are not waited for.
    private let reserve: Reserve?
    /// `nil` where commits are not waited for.
    private let redo: RedoSlots?

    /// What a commit promises when it returns.
    public enum Durability: Sendable {
        /// It is on the disk.
        case full
        /// A loss of power may undo the last commits, never damage the store. For what can be computed again.
        case lastCommitMayBeLost
    }

    public enum Access: Sendable {
        /// The one process that writes; a second one is refused.
        case writing(Durability)
        /// Beside a writer or without one, never changing anything.
        case reading
    }

    /// How the directory and tables of a store came to be as they are.
    public struct Schema: Sendable {
        /// Told apart at opening: another number is refused, never misread.
        public let format: UInt32
        public let tables: [String]
        /// How far the sparse map may grow. It costs address space, not disk.
        public let mapBytes: Int

        public init(format: UInt32, tables: [String], mapBytes: Int = 256 << 30) {
            self.format = format
            self.tables = tables
            self.mapBytes = mapBytes
        }
    }

    private static let metaTable = "meta"
    private static let formatKey = Array("format".utf8)
    private static let redoKey = Array("redo".utf8)

    /// Opens the store in `directory`, making it first where there is none and `access` allows.
    public init(directory: String, schema: Schema, access: Access) throws(StoreError) {
        var flags = UInt32(MDB_NOTLS)
        var isFlushed = false
        switch access {
        case .writing(let durability):
            try Self.makeDirectory(directory)
            lock = try DirectoryLock(directory: directory)
            isFlushed = durability == .full
            // A full commit is promised by the redo slots.
            flags |= UInt32(MDB_NOMETASYNC)
        case .reading:
            guard Self.isReadable(directory + "/data.mdb") else { throw .missing(directory: directory) }
            lock = nil
            flags |= UInt32(MDB_RDONLY)
        }
        let opened = try unsafe Self.openEnvironment(directory, schema, flags)
        let hasRedo: Bool
        do throws(StoreError) {
            (tables, hasRedo) = try unsafe Self.openTables(opened, directory, schema, access)
        } catch {
            unsafe mdb_env_close(opened)
            throw error
        }
        self.directory = directory
        unsafe environment = opened
        mapBytes = schema.mapBytes
        reserve = isFlushed ? unsafe Self.reserve(of: opened) : nil
        do throws(StoreError) {
            redo = isFlushed ? try RedoSlots(path: directory + "/redo", mayBeMade: !hasRedo) : nil
        } catch {
            unsafe mdb_env_close(opened)
            throw error
        }
        try redoWhatWasUndone()
        guard isFlushed, !hasRedo else { return }
        // From here on it must be there.
        let meta = Table<[UInt8], UInt64>(name: Self.metaTable, handle: tables[Self.metaTable] ?? 0)
        try write { transaction throws(StoreError) in try transaction.put(meta, Self.redoKey, 1) }
    }

    deinit { unsafe mdb_env_close(environment) }

    /// A table that the schema names.
    ///
    /// - Precondition: the schema names it.
    public func table<Key, Value>(
        _ name: String, of key: Key.Type = Key.self, to value: Value.Type = Value.self
    ) -> Table<Key, Value> {
        guard let handle = tables[name] else { preconditionFailure("the schema names every table: \(name)") }
        return Table(name: name, handle: handle)
    }

    /// Runs `body` on a snapshot.
    public func read<Result>(
        _ body: (borrowing ReadTransaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        var begun: OpaquePointer?
        try unsafe check(
            mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &begun), "mdb_txn_begin", in: directory)
        guard let pointer = unsafe begun else {
            preconditionFailure("LMDB hands out the transaction it begins")
        }
        defer { unsafe mdb_txn_abort(pointer) }
        return try body(ReadTransaction(handle: unsafe TransactionHandle(pointer: pointer)))
    }

    /// Runs `body` as the one writer and commits what it wrote; undoes all of it when `body` throws.
    ///
    /// Blocks until other writers are done and, with full durability, until the disk has the data: call it from a
    /// thread of your own, not from the cooperative pool.
    public func write<Result>(
        _ body: (inout WriteTransaction) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        var begun: OpaquePointer?
        try unsafe check(mdb_txn_begin(environment, nil, 0, &begun), "mdb_txn_begin", in: directory)
        guard let pointer = unsafe begun else {
            preconditionFailure("LMDB hands out the transaction it begins")
        }
        var transaction = WriteTransaction(
            handle: unsafe TransactionHandle(pointer: pointer), directory: directory,
            redo: redo == nil ? nil : RedoRecord(limitBytes: RedoSlots.recordBytes))
        let result: Result
        do throws(StoreError) {
            // LMDB has written nothing of this transaction yet, and lets nobody else write.
            try reserve?.grow(past: usedBytes(), limit: mapBytes)
            result = try body(&transaction)
        } catch {
            unsafe mdb_txn_abort(pointer)
            throw error
        }
        try unsafe commit(pointer, transaction.redo)
        return result
    }

    /// Commits, and promises it: by its record, which is written meanwhile, or where it is too large for one, by
    /// waiting for the disk once more.
    private func commit(_ pointer: OpaquePointer, _ record: RedoRecord?) throws(StoreError) {
        let number = UInt64(unsafe mdb_txn_id(pointer))
        guard let redo, let record, !record.isTooLarge, !record.isEmpty else {
            // A commit frees the transaction even when it fails.
            try unsafe check(mdb_txn_commit(pointer), "mdb_txn_commit", in: directory)
            if record?.isTooLarge ?? false { try flush() }
            return
        }
        redo.begin(record, of: number)
        do throws(StoreError) {
            try unsafe check(mdb_txn_commit(pointer), "mdb_txn_commit", in: directory)
        } catch {
            try? redo.finish()
            // Whoever asked for it is told that it never was.
            try redo.forget(number)
            throw error
        }
        do throws(StoreError) { try redo.finish() } catch { try flush() }
    }

    /// Waits for all that was committed.
    private func flush() throws(StoreError) {
        try unsafe check(mdb_env_sync(environment, 1), "mdb_env_sync", in: directory)
    }

    /// Writes again what a loss of power undid.
    private func redoWhatWasUndone() throws(StoreError) {
        guard let redo else { return }
        for (number, operations) in try redo.records() {
            let last = unsafe Self.lastTransaction(environment)
            guard number > last else { continue }
            guard number == last + 1 else {
                throw .damaged(
                    place: directory, reason: "transactions before number \(number) are not there any more")
            }
            try write { transaction throws(StoreError) in
                for operation in operations { try transaction.perform(operation, tables) }
            }
        }
        try flush()
    }

    private static func lastTransaction(_ environment: OpaquePointer) -> UInt64 {
        var info = unsafe MDB_envinfo()
        guard unsafe mdb_env_info(environment, &info) == 0 else { return 0 }
        return UInt64(unsafe info.me_last_txnid)
    }

    /// Deletes the data of a store that no process has open, whatever state it is in. The directory stays.
    public static func remove(directory: String) throws(StoreError) {
        let lock = try DirectoryLock(directory: directory)
        defer { withExtendedLifetime(lock) {} }
        for file in ["data.mdb", "lock.mdb", "redo"] {
            let path = directory + "/" + file
            guard unsafe unlink(path) != 0, errno != ENOENT else { continue }
            throw .system(
                operation: "unlink \(path)", code: errno, reason: unsafe String(cString: strerror(errno)))
        }
    }

    /// Bytes of the data file that are in use.
    public func usedBytes() throws(StoreError) -> Int {
        var info = unsafe MDB_envinfo()
        var statistics = MDB_stat()
        try unsafe check(mdb_env_info(environment, &info), "mdb_env_info", in: directory)
        try unsafe check(mdb_env_stat(environment, &statistics), "mdb_env_stat", in: directory)
        return unsafe (Int(info.me_last_pgno) + 1) * Int(statistics.ms_psize)
    }
}

extension Store {
    private static func reserve(of environment: OpaquePointer) -> Reserve? {
        var descriptor: Int32 = -1
        guard unsafe mdb_env_get_fd(environment, &descriptor) == 0 else { return nil }
        return Reserve(of: descriptor)
    }

    private static func openEnvironment(
        _ directory: String, _ schema: Schema, _ flags: UInt32
    ) throws(StoreError) -> OpaquePointer {
        var created: OpaquePointer?
        try unsafe check(mdb_env_create(&created), "mdb_env_create", in: directory)
        guard let environment = unsafe created else {
            preconditionFailure("LMDB hands out the environment it creates")
        }
        do throws(StoreError) {
            try unsafe check(mdb_env_set_mapsize(environment, schema.mapBytes), "mdb_env_set_mapsize")
            try unsafe check(
                mdb_env_set_maxdbs(environment, MDB_dbi(schema.tables.count + 1)), "mdb_env_set_maxdbs")
            try unsafe check(mdb_env_set_maxreaders(environment, 512), "mdb_env_set_maxreaders")
            try unsafe check(
                mdb_env_open(environment, directory, flags, 0o600), "mdb_env_open", in: directory)
            // Readers of processes that were killed would keep old pages alive for ever.
            var dead: Int32 = 0
            try unsafe check(mdb_reader_check(environment, &dead), "mdb_reader_check")
        } catch {
            unsafe mdb_env_close(environment)
            throw error
        }
        return unsafe environment
    }

    private static func openTables(
        _ environment: OpaquePointer, _ directory: String, _ schema: Schema, _ access: Access
    ) throws(StoreError) -> (handles: [String: MDB_dbi], hasRedo: Bool) {
        let mayWrite: Bool
        switch access {
        case .writing: mayWrite = true
        case .reading: mayWrite = false
        }
        var begun: OpaquePointer?
        try unsafe check(
            mdb_txn_begin(environment, nil, mayWrite ? 0 : UInt32(MDB_RDONLY), &begun), "mdb_txn_begin",
            in: directory)
        guard let pointer = unsafe begun else {
            preconditionFailure("LMDB hands out the transaction it begins")
        }
        var handles: [String: MDB_dbi] = [:]
        let hasRedo: Bool
        do throws(StoreError) {
            for name in [metaTable] + schema.tables {
                var handle: MDB_dbi = 0
                try unsafe check(
                    mdb_dbi_open(pointer, name, mayWrite ? UInt32(MDB_CREATE) : 0, &handle), "mdb_dbi_open",
                    in: directory)
                handles[name] = handle
            }
            try unsafe checkFormat(pointer, handles[metaTable] ?? 0, directory, schema.format, mayWrite)
            hasRedo = try ReadTransaction(handle: unsafe TransactionHandle(pointer: pointer)).contains(
                Table<[UInt8], UInt64>(name: metaTable, handle: handles[metaTable] ?? 0), redoKey)
        } catch {
            unsafe mdb_txn_abort(pointer)
            throw error
        }
        try unsafe check(mdb_txn_commit(pointer), "mdb_txn_commit", in: directory)
        return (handles, hasRedo)
    }

    private static func checkFormat(
        _ pointer: OpaquePointer, _ meta: MDB_dbi, _ directory: String, _ expected: UInt32, _ mayWrite: Bool
    ) throws(StoreError) {
        let table = Table<[UInt8], UInt64>(name: metaTable, handle: meta)
        var transaction = WriteTransaction(
            handle: unsafe TransactionHandle(pointer: pointer), directory: directory)
        if let found = try transaction.value(table, formatKey) {
            guard found == UInt64(expected) else {
                throw .otherFormat(
                    directory: directory, found: UInt32(truncatingIfNeeded: found), expected: expected)
            }
        } else if mayWrite {
            try transaction.put(table, formatKey, UInt64(expected))
        } else {
            throw .missing(directory: directory)
        }
    }

    /// Makes the last component of the path, private to the user that runs the node.
    private static func makeDirectory(_ path: String) throws(StoreError) {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw .system(
            operation: "mkdir \(path)", code: errno, reason: unsafe String(cString: strerror(errno)))
    }

    private static func isReadable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
}
