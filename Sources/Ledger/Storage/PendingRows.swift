internal import CLMDB

/// Rows that are on the disk in the journal, and not yet in LMDB: sorted as LMDB sorts, so that readers see both as one.
public struct PendingRows: Sendable {
    /// Of one table, keys ascending.
    struct Rows: Sendable {
        private(set) var keys: [[UInt8]] = []
        private(set) var values: [[UInt8]] = []

        mutating func put(_ key: [UInt8], _ value: [UInt8]) {
            let (place, isThere) = find(key)
            if isThere {
                values[place] = value
            } else {
                keys.insert(key, at: place)
                values.insert(value, at: place)
            }
        }

        /// The first place whose key is at or after `key`, and whether it is that key's.
        func find(_ key: [UInt8]) -> (place: Int, isThere: Bool) {
            // Most keys come last.
            guard let last = keys.last, !last.lexicographicallyPrecedes(key) else {
                return (keys.count, false)
            }
            var (low, high) = (0, keys.count)
            while low < high {
                let middle = low + (high - low) / 2
                if keys[middle].lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
            }
            return (low, low < keys.count && keys[low] == key)
        }
    }

    private(set) var tables: [MDB_dbi: Rows] = [:]

    var isEmpty: Bool { tables.isEmpty }

    mutating func put(_ table: MDB_dbi, _ key: [UInt8], _ value: [UInt8]) {
        tables[table, default: Rows()].put(key, value)
    }

    func value(_ table: MDB_dbi, _ key: [UInt8]) -> [UInt8]? {
        guard let rows = tables[table] else { return nil }
        let (place, isThere) = rows.find(key)
        return isThere ? rows.values[place] : nil
    }
}
