import Dispatch
import Ledger

/// The least that makes one document durable: a value of 1 KiB in LMDB with full synchronisation, and beside it the
/// keys of a payload in their slot.
final class DurableCommit {
    private let store: Store
    private let table: Table<UInt64, [UInt8]>
    private let slots: KeySlots
    private let queue = DispatchQueue(label: "slots")
    private var next: UInt64 = 0

    init(directory: String) throws {
        store = try Store(
            directory: directory, schema: .init(format: 1, tables: ["values"]), access: .writing(.full))
        table = store.table("values")
        slots = try KeySlots(path: directory + "/keys", writing: true)
    }

    /// How long each of `count` commits in a row took.
    func microseconds(_ count: Int) throws -> [Double] {
        let value = [UInt8](repeating: 0xA5, count: 1024)
        let keys = KeySlots.Keys(
            dataKey: [UInt8](repeating: 1, count: 32), contentKey: [UInt8](repeating: 2, count: 32))
        return try (0..<count).map { _ in
            let start = ContinuousClock.now
            try slots.write([keys], from: next)
            queue.async { [slots] in try? slots.flush() }
            try store.write { transaction throws(StoreError) in try transaction.append(table, next, value) }
            queue.sync {}
            next += 1
            return (ContinuousClock.now - start).microseconds
        }
    }
}
