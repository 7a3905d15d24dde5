public import Ledger

/// How a query store stands.
public struct QueryStoreStatus: Hashable, Sendable {
    public let nextIndex: EntryIndex
    public let series: Int
    public let samples: Int
    /// Samples that the limit of series kept out.
    public let refusedSamples: UInt64
    /// Entries whose erasure was carried out here. LMDB reuses the pages of what was deleted, but does not overwrite
    /// them at once: `reset` after deleting the directory, then following the log again, leaves no remnant.
    public let erasedEntries: Int
    /// The size of the file as far as it was ever used.
    public let usedBytes: Int
    /// What each table takes of it now, by name.
    public let tableBytes: [String: Int]
}

extension QueryStore {
    public func status() throws(StoreError) -> QueryStoreStatus {
        let tables = tables
        let usedBytes = try store.usedBytes()
        return try read { transaction throws(StoreError) in
            QueryStoreStatus(
                nextIndex: EntryIndex(try tables.value(of: .next, transaction)),
                series: try transaction.count(tables.series),
                samples: Int(clamping: try tables.value(of: .samples, transaction)),
                refusedSamples: try tables.value(of: .refused, transaction),
                erasedEntries: try transaction.count(tables.erased), usedBytes: usedBytes,
                tableBytes: try tables.bytes(transaction))
        }
    }

    /// SHA-256 over all samples: the same on every node that followed the same prefix of the log, in whatever
    /// batches, however often rebuilt, whether an entry was erased before or after it was followed.
    ///
    /// Layout: `"kpi-ledger query 2" ‖ next index u64`, then for each series in the order of its bytes:
    /// `u32 length ‖ name, unit and labels ‖ sample count u64`, then for each sample in order: `time u64 ‖ index u64 ‖
    /// position u32 ‖ coefficient u64 ‖ scale u8`; then the samples that corrections took out, in the same way, with
    /// the index of the correction `u64` behind each. Reads everything. What is computed from the samples is not part
    /// of it.
    public func digest() throws(StoreError) -> Digest {
        let tables = tables
        return try read { transaction throws(StoreError) in
            var series: [(identity: [UInt8], id: SeriesID)] = []
            try transaction.scan(tables.series) { id, record throws(StoreError) in
                series.append((record.valueBytes, id))
                return .next
            }
            series.sort { $0.identity.lexicographicallyPrecedes($1.identity) }
            var hash = Digest.Hash()
            hash.update(Array("kpi-ledger query 2".utf8))
            hash.update(try tables.value(of: .next, transaction).keyBytes)
            for (identity, id) in series {
                var head = ByteWriter()
                head.writeSized(identity)
                hash.update(head.bytes)
                let chunk = try transaction.everything(in: id, tables.trees)
                hash.update(UInt64(chunk.live.count).keyBytes)
                for sample in chunk.live { hash.update(sample.digestBytes) }
                hash.update(UInt64(chunk.withdrawn.count).keyBytes)
                for one in chunk.withdrawn {
                    hash.update(one.sample.digestBytes)
                    hash.update(one.by.keyBytes)
                }
            }
            return hash.finish()
        }
    }
}

extension Sample {
    fileprivate var digestBytes: [UInt8] {
        var writer = ByteWriter(capacity: 29)
        writer.write(time.ordered)
        writer.write(index.value)
        writer.write(position)
        writer.write(UInt64(bitPattern: value.coefficient))
        writer.write(value.scale)
        return writer.bytes
    }
}
