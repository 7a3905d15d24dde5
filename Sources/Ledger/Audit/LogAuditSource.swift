/// A node's directory, read beside the node or without it.
///
/// LMDB pages have no checksums: a damaged file may crash the reader, so the command reads in a child process.
public struct LogAuditSource: AuditSource {
    private let log: LogStore

    public init(_ log: LogStore) { self.log = log }

    /// Blocks of one answer.
    private static let blockLimit = 512
    /// Bytes of leaves and payloads after which an answer ends.
    private static let answerBytes = 4 << 20

    public func extent() throws -> AuditExtent {
        let tables = log.tables
        return try log.store.read { transaction throws(StoreError) in
            AuditExtent(
                height: try transaction.last(tables.chain)?.key ?? .genesis, checkpoint: nil,
                documents: UInt64(try transaction.count(tables.documents)),
                ruleChanges: UInt64(try transaction.count(tables.special)))
        }
    }

    public func blocks(_ heights: Range<UInt64>) throws -> [AuditBlock] {
        var found: [AuditBlock] = []
        var fault: AuditFault?
        do throws(StoreError) {
            try log.store.read { transaction throws(StoreError) in
                var before: BlockHeader?
                if let below = heights.first, below > 0 {
                    before = try? header(at: below - 1, in: transaction)
                }
                for height in heights.prefix(Self.blockLimit) {
                    do throws(AuditFault) {
                        let block = try block(at: height, after: before, in: transaction)
                        found.append(block)
                        before = block.header
                    } catch {
                        fault = error
                        return
                    }
                }
            }
        } catch { throw Self.fault(error, height: heights.first.map(BlockHeight.init)) }
        if found.isEmpty, let fault { throw fault }
        return found
    }

    private func header(
        at height: UInt64, in transaction: borrowing ReadTransaction
    ) throws(AuditFault) -> BlockHeader {
        let height = BlockHeight(height)
        do throws(StoreError) {
            guard let hash = try transaction.value(log.tables.chain, height) else {
                throw StoreError.damaged(place: "block \(height)", reason: "it is missing from the chain")
            }
            guard let header = try transaction.value(log.tables.blocks, BlockKey(height: height, hash: hash))
            else {
                throw StoreError.damaged(place: "block \(height)", reason: "it is missing")
            }
            guard header.hash == hash else {
                throw StoreError.damaged(
                    place: "block \(height)", reason: "the header is not that of its hash \(hash)")
            }
            return header
        } catch {
            guard case .damaged(_, let reason) = error else {
                throw AuditFault(.store, error.description, height: height)
            }
            throw AuditFault(.header, reason, height: height)
        }
    }

    private func block(
        at height: UInt64, after before: BlockHeader?, in transaction: borrowing ReadTransaction
    ) throws(AuditFault) -> AuditBlock {
        let header = try header(at: height, in: transaction)
        var faults: [AuditFault] = []
        var certificate: CommitCertificate?
        do throws(StoreError) {
            certificate = try transaction.value(log.tables.certificates, header.height)
        } catch {
            faults.append(AuditFault(.certificate, error.description, height: header.height))
        }
        if let before, before.treeSize <= header.treeSize {
            do throws(StoreError) {
                faults += try rowFaults(header, firstIndex: before.treeSize, in: transaction)
            } catch { faults.append(AuditFault(.store, error.description, height: header.height)) }
        }
        return AuditBlock(header: header, certificate: certificate, faults: faults)
    }

    /// Rows beyond the end of a block, and the row that finds its first entry.
    private func rowFaults(
        _ header: BlockHeader, firstIndex: UInt64, in transaction: borrowing ReadTransaction
    ) throws(StoreError) -> [AuditFault] {
        var faults: [AuditFault] = []
        let count = header.treeSize - firstIndex
        guard count <= UInt64(Limits.blockEntries) else { return [] }
        let end = EntryKey(height: header.height, hash: header.hash, position: UInt32(count))
        try transaction.scanBytes(log.tables.entries, from: end) { bytes, _ throws(StoreError) in
            guard let key = try? EntryKey(keyBytes: bytes) else { return .stop }
            if key.height == end.height, key.hashStart == end.hashStart {
                faults.append(
                    AuditFault(
                        .count, "the block has an entry more than its header counts",
                        index: EntryIndex(header.treeSize), height: header.height))
            }
            return .stop
        }
        let start =
            count > 0 ? try transaction.value(log.tables.starts, EntryIndex(firstIndex)) : header.height
        if start != header.height {
            faults.append(
                AuditFault(
                    .store, "the index of blocks does not find the entry", index: EntryIndex(firstIndex),
                    height: header.height))
        }
        return faults
    }

    public func leaves(_ indexes: Range<UInt64>) throws -> [[UInt8]] {
        try rows(indexes).map(\.stored.statement)
    }

    public func entries(_ indexes: Range<UInt64>) throws -> [AuditEntry] {
        var entries: [AuditEntry] = []
        for row in try rows(indexes) {
            let stored = row.stored
            let payload: AuditEntry.Payload
            do throws(StoreError) {
                payload =
                    switch try log.open(stored) {
                    case .none: .none
                    case .erased: .erased(commitment: stored.commitment)
                    case .held(let sealed): .held(sealed)
                    case .damaged(let reason): .damaged(reason: reason)
                    }
            } catch { payload = .damaged(reason: error.description) }
            entries.append(
                AuditEntry(
                    leaf: stored.statement, payload: payload,
                    rows: .init(
                        identity: stored.identity, documentIndex: row.documentIndex,
                        changesRules: row.changesRules,
                        commitment: stored.commitment)))
        }
        return entries
    }

    private struct Row {
        let stored: StoredEntry
        let documentIndex: UInt64?
        let changesRules: Bool
    }

    private func rows(_ indexes: Range<UInt64>) throws(AuditFault) -> [Row] {
        var found: [Row] = []
        var byteCount = 0
        let tables = log.tables
        do throws(StoreError) {
            try log.store.read { transaction throws(StoreError) in
                var block: BlockRows?
                for number in indexes where byteCount < Self.answerBytes {
                    let index = EntryIndex(number)
                    if block?.holds(index) != true { block = try blockRows(of: index, in: transaction) }
                    guard let key = block?.key(of: index),
                        let stored = try transaction.value(tables.entries, key)
                    else { throw LogTables.lost(index) }
                    byteCount += stored.statement.count + stored.payload.count
                    var documentIndex: UInt64?
                    if let identity = stored.identity {
                        documentIndex = try transaction.value(tables.documents, DocumentKey(identity))
                    }
                    found.append(
                        Row(
                            stored: stored, documentIndex: documentIndex,
                            changesRules: try transaction.contains(tables.special, index)))
                }
            }
        } catch {
            // The beginning of the range can be judged; whoever asks for the rest is told of the fault.
            guard found.isEmpty else { return found }
            let index = indexes.first.map(EntryIndex.init)
            if let index, error == LogTables.lost(index) {
                throw AuditFault(.count, "the entry is missing", index: index)
            }
            throw AuditFault(.store, error.description, index: index)
        }
        return found
    }

    /// Where the entries of one block lie: looked up once for all of them.
    private struct BlockRows {
        let height: BlockHeight
        let hash: Digest
        /// From its first entry to the first of the next block.
        let start: EntryIndex
        let end: EntryIndex?

        func holds(_ index: EntryIndex) -> Bool { start <= index && (end.map { index < $0 } ?? true) }

        func key(of index: EntryIndex) -> EntryKey {
            EntryKey(height: height, hash: hash, position: UInt32(clamping: index.value - start.value))
        }
    }

    private func blockRows(
        of index: EntryIndex, in transaction: borrowing ReadTransaction
    ) throws(StoreError) -> BlockRows {
        let tables = log.tables
        guard let start = try transaction.last(tables.starts, atOrBefore: index),
            let hash = try transaction.value(tables.chain, start.value)
        else { throw LogTables.lost(index) }
        let following = EntryIndex(index.value + 1)
        let end: EntryIndex?
        do throws(StoreError) {
            end = try transaction.first(tables.starts, atOrAfter: following)?.key
        } catch {
            // A damaged row is told of by whoever needs it.
            end = following
        }
        return BlockRows(height: start.value, hash: hash, start: start.key, end: end)
    }

    public func tileHashes(level: Int, range: Range<UInt64>) throws -> [Digest]? {
        guard level < LogTables.treeLevels else { return nil }
        let table = log.tables.tree[level]
        var found: [Digest] = []
        do throws(StoreError) {
            try log.store.read { transaction throws(StoreError) in
                try transaction.scan(table, from: range.lowerBound) { number, digest throws(StoreError) in
                    guard number == range.lowerBound + UInt64(found.count), number < range.upperBound else {
                        return .stop
                    }
                    found.append(digest)
                    return .next
                }
            }
        } catch { throw Self.missingTile(level, range.lowerBound + UInt64(found.count), error.description) }
        guard found.count == range.count else {
            throw Self.missingTile(level, range.lowerBound + UInt64(found.count), "it is missing")
        }
        return found
    }

    private static func missingTile(_ level: Int, _ number: UInt64, _ reason: String) -> AuditFault {
        AuditFault(
            .tile, "hash \(number) of level \(level): \(reason)",
            index: EntryIndex(number << UInt64(TileHash.heightPerLevel * level)))
    }

    private static func fault(_ error: StoreError, height: BlockHeight?) -> AuditFault {
        AuditFault(.store, error.description, height: height)
    }
}
