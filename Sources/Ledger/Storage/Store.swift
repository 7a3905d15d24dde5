internal import CLMDB
internal import Glibc
internal import Synchronization

/// One LMDB environment: a directory with ordered tables, one writer at a time, any number of readers.
///
/// Readers take a snapshot and never wait. The values they see are lent from the memory map.
///
/// Where commits are waited for, there is a journal before the tables: `put` is one write to it, and the tables get what
/// it holds with the next transaction, or when it is full. Readers see both as one.
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
    /// `nil` where commits are not waited for, and for a reader. Held by whoever writes.
    private let journal: Mutex<Journal?>
    private let companion: (any JournalCompanion)?
    /// Where the journal of another process is read, as far as the tables do not have it.
    private let foreignJournal: DiskFile?
    private let visible = Mutex(Visible())

    /// What readers see beside the tables.
    private struct Visible: Sendable {
        var pending = PendingRows()
        /// What another process's journal holds for the companion.
        var beside: [[UInt8]: [UInt8]] = [:]
        /// The transaction of LMDB that `pending` comes on top of.
        var base: UInt64 = 0

        mutating func show(_ rows: [RowBatch.Row]) {
            for row in rows { pending.put(row.table, row.key, row.value) }
        }
    }

    /// What a commit promises when it returns.
    public enum Durability: Sendable {
        /// It is on the disk.
        case full
        /// A loss of power may undo the last commits, never damage the store. For what can be computed again; a store
        /// that has a journal keeps its promise.
        case lastCommitMayBeLost
    }

    public enum Access: Sendable {
        /// The one process that writes; a second one is refused.
        case writing(Durability)
        /// Beside a writer or without one, never changing anything. What a writer in another process puts into its
        /// journal is seen as it was at the opening, or when the tables changed last.
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
    private static let journalKey = Array("journal".utf8)

    /// Opens the store in `directory`, making it first where there is none and `access` allows.
    public convenience init(directory: String, schema: Schema, access: Access) throws(StoreError) {
        try self.init(directory: directory, schema: schema, access: access, journal: directory + "/journal")
    }

    /// - Parameters:
    ///   - journal: where the journal lies.
    ///   - companion: what its records hold beside rows.
    init(
        directory: String, schema: Schema, access: Access, journal path: String,
        companion: (any JournalCompanion)? = nil
    ) throws(StoreError) {
        var flags = UInt32(MDB_NOTLS)
        var isFlushed = false
        var isReader = false
        switch access {
        case .writing(let durability):
            try Self.makeDirectory(directory)
            lock = try DirectoryLock(directory: directory)
            isFlushed = durability == .full
            if !isFlushed { flags |= UInt32(MDB_NOMETASYNC) }
        case .reading:
            guard Self.isReadable(directory + "/data.mdb") else { throw .missing(directory: directory) }
            lock = nil
            isReader = true
            flags |= UInt32(MDB_RDONLY)
        }
        let opened = try unsafe Self.openEnvironment(directory, schema, flags)
        let done: UInt64?
        do throws(StoreError) {
            (tables, done) = try unsafe Self.openTables(opened, directory, schema, access)
            if done != nil, !isReader {
                // A journal is written over when the tables have it for certain.
                isFlushed = true
                try unsafe check(mdb_env_set_flags(opened, UInt32(MDB_NOMETASYNC), 0), "mdb_env_set_flags")
            }
        } catch {
            unsafe mdb_env_close(opened)
            throw error
        }
        self.directory = directory
        unsafe environment = opened
        self.companion = companion
        mapBytes = schema.mapBytes
        reserve = isFlushed ? unsafe Self.reserve(of: opened) : nil
        do throws(StoreError) {
            journal = Mutex(isFlushed ? try Journal(path: path, done: done) : nil)
            do throws(StoreError) {
                foreignJournal = isReader && done != nil ? try DiskFile(path: path, flags: O_RDONLY) : nil
            } catch .missing {
                throw Journal.lost(path)
            }
        } catch {
            unsafe mdb_env_close(opened)
            throw error
        }
        // From here on `deinit` closes what was opened.
        if let foreignJournal { try Journal.check(foreignJournal, done: done ?? 0) }
        guard isFlushed else { return }
        try takeUp(after: done ?? 0)
        // From here on it must be there.
        if done == nil { try write { _ in } }
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
        while true {
            let visible = self.visible.withLock { $0 }
            let pointer = try unsafe begin(UInt32(MDB_RDONLY))
            defer { unsafe mdb_txn_abort(pointer) }
            let number = UInt64(unsafe mdb_txn_id(pointer))
            if foreignJournal != nil, number != visible.base {
                guard let found = try unsafe readForeignJournal(pointer) else { continue }
                self.visible.withLock { $0 = found }
                return try body(
                    ReadTransaction(
                        handle: unsafe TransactionHandle(pointer: pointer), pending: found.pending))
            }
            // Else the tables have just been given what was pending: it is taken away in a moment.
            guard visible.pending.isEmpty || number == visible.base else {
                sched_yield()
                continue
            }
            return try body(
                ReadTransaction(
                    handle: unsafe TransactionHandle(pointer: pointer), pending: visible.pending))
        }
    }

    /// Runs `body` as the one writer and commits what it wrote; undoes all of it when `body` throws.
    ///
    /// Blocks until other writers are done and, with full durability, until the disk has the data: call it from a
    /// thread of your own, not from the cooperative pool.
    public func write<Outcome>(
        _ body: (inout WriteTransaction) throws(StoreError) -> Outcome
    ) throws(StoreError) -> Outcome {
        var outcome: Result<Outcome, StoreError>?
        journal.withLock { journal in
            do throws(StoreError) {
                outcome = .success(try write(&journal, body))
            } catch { outcome = .failure(error) }
        }
        guard let outcome else { preconditionFailure("a lock is given to whoever waits for it") }
        return try outcome.get()
    }

    private func write<Outcome>(
        _ journal: inout Journal?, _ body: (inout WriteTransaction) throws(StoreError) -> Outcome
    ) throws(StoreError) -> Outcome {
        let pointer = try unsafe begin(0)
        var transaction = WriteTransaction(
            handle: unsafe TransactionHandle(pointer: pointer), directory: directory)
        let outcome: Outcome
        do throws(StoreError) {
            // LMDB has written nothing of this transaction yet, and lets nobody else write.
            try reserve?.grow(past: usedBytes(), limit: mapBytes)
            try carryOut(&journal, in: &transaction)
            outcome = try body(&transaction)
        } catch {
            unsafe mdb_txn_abort(pointer)
            throw error
        }
        // A commit frees the transaction even when it fails.
        try unsafe check(mdb_txn_commit(pointer), "mdb_txn_commit", in: directory)
        if journal != nil {
            // One that changed nothing has no number.
            let base = unsafe Self.lastTransaction(environment)
            visible.withLock { $0 = Visible(pending: PendingRows(), base: base) }
            journal?.startAgain()
        }
        return outcome
    }

    /// Puts rows, all or none; when it returns, they are on the disk, and readers see them. What is put beside them was
    /// put into the companion by the caller, who need not flush it.
    func put(_ batch: RowBatch) throws(StoreError) {
        guard !batch.isEmpty else { return }
        try journal.withLock { journal throws(StoreError) in
            guard journal != nil, batch.byteCount <= Journal.batchBytes else {
                try companion?.flush()
                return try write(&journal) { transaction throws(StoreError) in
                    for row in batch.rows { try transaction.put(row) }
                }
            }
            if journal?.hasRoom(for: batch.byteCount) == false {
                try write(&journal) { _ throws(StoreError) in }
            }
            try journal?.write(batch)
            visible.withLock { $0.show(batch.rows) }
        }
    }

    /// Whether the next batch goes to the journal alone, if it goes there at all.
    var isJournalRoomy: Bool { journal.withLock { $0?.hasRoom(for: Journal.batchBytes) ?? false } }

    /// Overwrites the journal, once the tables have what it held: what was in it cannot be read there any more.
    func scrubJournal() throws(StoreError) {
        try journal.withLock { journal throws(StoreError) in
            try write(&journal) { _ throws(StoreError) in }
            try journal?.scrub()
        }
    }

    /// Gives the tables what they lack of the journal.
    private func carryOut(
        _ journal: inout Journal?, in transaction: inout WriteTransaction
    ) throws(StoreError) {
        guard let known = journal else { return }
        let pending = visible.withLock { $0.pending }
        let meta = Table<[UInt8], UInt64>(name: Self.metaTable, handle: tables[Self.metaTable] ?? 0)
        let done = try transaction.value(meta, Self.journalKey)
        guard done != known.newest else { return }
        if known.mayLackCompanion {
            for record in try batches(Journal.records(in: known.file, after: done ?? 0), known.file.path) {
                for row in record.beside { try companion?.put(row.key, row.value) }
            }
        }
        // The records that would put them there again are about to be written over; and a disk that has failed once
        // says that all is well the next time, whatever it lost.
        journal?.mayLackCompanion = true
        try companion?.flush()
        journal?.mayLackCompanion = false
        for (table, rows) in pending.tables.sorted(by: { $0.key < $1.key }) {
            try transaction.put(rows, into: table)
        }
        try transaction.put(meta, Self.journalKey, known.newest)
    }

    /// Shows what the journal holds and the tables lack, as after a crash, or a loss of power.
    private func takeUp(after done: UInt64) throws(StoreError) {
        try journal.withLock { journal throws(StoreError) in
            guard let file = journal?.file else { return }
            let records = try Journal.records(in: file, after: done)
            var found = Visible(pending: PendingRows(), base: unsafe Self.lastTransaction(environment))
            for batch in try batches(records, file.path) {
                for row in batch.beside { try companion?.put(row.key, row.value) }
                found.show(batch.rows)
            }
            journal?.goOn(behind: records)
            visible.withLock { $0 = found }
        }
    }

    private func batches(
        _ records: [Journal.Record], _ path: String
    ) throws(StoreError) -> [RowBatch.Contents] {
        let tables = self.tables.filter { $0.key != Self.metaTable }
        var batches: [RowBatch.Contents] = []
        for record in records {
            do throws(DecodingFailure) {
                batches.append(
                    try RowBatch.Contents(
                        decoding: record.batch, tables: tables, companion: companion?.name))
            } catch {
                throw .damaged(place: "\(path), record \(record.number)", reason: error.description)
            }
        }
        return batches
    }

    /// What another process's journal adds to the state that a transaction sees; `nil` where that process has just given
    /// it to the tables, and a newer transaction sees it there.
    private func readForeignJournal(_ pointer: OpaquePointer) throws(StoreError) -> Visible? {
        guard let foreignJournal else { return Visible() }
        let transaction = ReadTransaction(
            handle: unsafe TransactionHandle(pointer: pointer), pending: PendingRows())
        let meta = Table<[UInt8], UInt64>(name: Self.metaTable, handle: tables[Self.metaTable] ?? 0)
        let done = try transaction.value(meta, Self.journalKey) ?? 0
        var found = Visible(base: UInt64(unsafe mdb_txn_id(pointer)))
        var attempts = 0
        while true {
            do throws(StoreError) {
                let records = try Journal.records(in: foreignJournal, after: done)
                for batch in try batches(records, foreignJournal.path) {
                    found.show(batch.rows)
                    for row in batch.beside { found.beside[row.key] = row.value }
                }
                return found
            } catch {
                guard unsafe Self.lastTransaction(environment) == found.base else { return nil }
                // Reading and writing may have overlapped.
                attempts += 1
                guard attempts < 3 else { throw error }
            }
        }
    }

    /// What another process's journal holds for the companion, which may not be on the disk in its own place.
    func foreign(_ key: [UInt8]) -> [UInt8]? { visible.withLock { $0.beside[key] } }

    private func begin(_ flags: UInt32) throws(StoreError) -> OpaquePointer {
        var begun: OpaquePointer?
        try unsafe check(mdb_txn_begin(environment, nil, flags, &begun), "mdb_txn_begin", in: directory)
        guard let pointer = unsafe begun else {
            preconditionFailure("LMDB hands out the transaction it begins")
        }
        return unsafe pointer
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
        for file in ["data.mdb", "lock.mdb", "journal"] {
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
    ) throws(StoreError) -> (handles: [String: MDB_dbi], done: UInt64?) {
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
        let done: UInt64?
        do throws(StoreError) {
            for name in [metaTable] + schema.tables {
                var handle: MDB_dbi = 0
                try unsafe check(
                    mdb_dbi_open(pointer, name, mayWrite ? UInt32(MDB_CREATE) : 0, &handle), "mdb_dbi_open",
                    in: directory)
                handles[name] = handle
            }
            try unsafe checkFormat(pointer, handles[metaTable] ?? 0, directory, schema.format, mayWrite)
            done = try ReadTransaction(
                handle: unsafe TransactionHandle(pointer: pointer), pending: PendingRows()
            ).value(
                Table<[UInt8], UInt64>(name: metaTable, handle: handles[metaTable] ?? 0), journalKey)
        } catch {
            unsafe mdb_txn_abort(pointer)
            throw error
        }
        try unsafe check(mdb_txn_commit(pointer), "mdb_txn_commit", in: directory)
        return (handles, done)
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
