import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Ledger

@Suite struct `A store` {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    static let schema = Store.Schema(format: 1, tables: ["numbers", "words"], mapBytes: 1 << 30)

    func open(_ access: Store.Access = .writing(.full)) throws -> Store {
        try Store(directory: directory.path, schema: Self.schema, access: access)
    }

    @Test func `keeps what a transaction wrote and undoes one that throws`() throws {
        let store = try open()
        let numbers = store.table("numbers", of: UInt64.self, to: UInt64.self)
        try store.write { transaction throws(StoreError) in try transaction.put(numbers, 1, 10) }
        #expect(throws: StoreError.missing(directory: "on purpose")) {
            try store.write { transaction throws(StoreError) in
                try transaction.put(numbers, 2, 20)
                throw .missing(directory: "on purpose")
            }
        }
        try store.read { transaction throws(StoreError) in
            #expect(try transaction.value(numbers, 1) == 10)
            #expect(try transaction.value(numbers, 2) == nil)
            #expect(try transaction.count(numbers) == 1)
        }
    }

    @Test func `scans in key order from any key, both ways, as an array would`() throws {
        let store = try open()
        let numbers = store.table("numbers", of: UInt64.self, to: UInt64.self)
        let keys: [UInt64] = (0..<500).map { $0 * 3 }
        try store.write { transaction throws(StoreError) in
            for key in keys.shuffled() { try transaction.put(numbers, key, key + 1) }
        }
        try store.read { transaction throws(StoreError) in
            for start: UInt64 in [0, 1, 2, 3, 700, 1496, 1497, 1498, 9999] {
                var found: [UInt64] = []
                try transaction.scan(numbers, from: start) { key, value throws(StoreError) in
                    #expect(value == key + 1)
                    found.append(key)
                    return .next
                }
                #expect(found == keys.filter { $0 >= start })
                found = []
                try transaction.scanBackward(numbers, from: start) { key, _ throws(StoreError) in
                    found.append(key)
                    return .next
                }
                #expect(found == keys.filter { $0 <= start }.reversed())
                #expect(try transaction.first(numbers, atOrAfter: start)?.key == keys.first { $0 >= start })
                #expect(try transaction.last(numbers, atOrBefore: start)?.key == keys.last { $0 <= start })
            }
        }
    }

    @Test func `shows a reader one state while a writer goes on`() throws {
        let store = try open()
        let numbers = store.table("numbers", of: UInt64.self, to: UInt64.self)
        try store.write { transaction throws(StoreError) in try transaction.put(numbers, 1, 1) }
        try store.read { before throws(StoreError) in
            try store.write { transaction throws(StoreError) in try transaction.put(numbers, 1, 2) }
            #expect(try before.value(numbers, 1) == 1)
        }
        try store.read { after throws(StoreError) in #expect(try after.value(numbers, 1) == 2) }
    }

    @Test func `shows several threads the state of one reader, or says that it is gone`() throws {
        let store = try open()
        let numbers = store.table("numbers", of: UInt64.self, to: UInt64.self)
        try store.write { transaction throws(StoreError) in
            for key in 0..<64 as Range<UInt64> { try transaction.put(numbers, key, key * key) }
        }
        let seen = Mutex<[Int: UInt64]>([:])
        try store.read { before throws(StoreError) in
            let isDone = before.alongside(16) { number, transaction in
                let value = try? transaction.value(numbers, UInt64(number))
                seen.withLock { $0[number] = value }
            }
            #expect(isDone)
            #expect(seen.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } == (0..<16).map { $0 * $0 })
            try store.write { transaction throws(StoreError) in try transaction.put(numbers, 1, 7) }
            #expect(!before.alongside(2) { _, _ in Issue.record("it has seen another state") })
        }
        // Readers that it began and did not need are gone: there is room for as many as before.
        for _ in 0..<400 {
            try store.read { transaction throws(StoreError) in #expect(transaction.alongside(4) { _, _ in }) }
        }
    }

    @Test func `is refused to a second writer, and open to a reader`() throws {
        let store = try open()
        #expect(throws: StoreError.locked(directory: directory.path)) { try open() }
        _ = try open(.reading)
        withExtendedLifetime(store) {}
    }

    @Test func `of another format is refused, not misread`() throws {
        _ = try open()
        #expect(throws: StoreError.otherFormat(directory: directory.path, found: 1, expected: 2)) {
            try Store(
                directory: directory.path, schema: .init(format: 2, tables: ["numbers"]),
                access: .writing(.full))
        }
    }

    @Test func `that is not there is named to a reader`() throws {
        #expect(throws: StoreError.missing(directory: directory.path)) { try open(.reading) }
    }

    @Test func `that is full says so, keeps what it had, and goes on when there is room`() throws {
        let small = Store.Schema(format: 1, tables: ["words"], mapBytes: 1 << 20)
        let store = try Store(directory: directory.path, schema: small, access: .writing(.full))
        let words = store.table("words", of: UInt64.self, to: [UInt8].self)
        try store.write { transaction throws(StoreError) in try transaction.put(words, 1, [1, 2, 3]) }
        #expect(throws: StoreError.full(directory: directory.path)) {
            try store.write { transaction throws(StoreError) in
                for key: UInt64 in 2..<1000 {
                    try transaction.put(words, key, [UInt8](repeating: 7, count: 4000))
                }
            }
        }
        try store.write { transaction throws(StoreError) in try transaction.put(words, 2, [4]) }
        try store.read { transaction throws(StoreError) in
            #expect(try transaction.value(words, 1) == [1, 2, 3])
            #expect(try transaction.count(words) == 2)
        }
    }

    @Test func `tells a disk that fails from one that is full`() {
        for code: Int32 in [28, 122, 27] {
            #expect(throws: StoreError.full(directory: directory.path)) {
                try check(code, "mdb_txn_commit", in: directory.path)
            }
        }
        // A write that came short means a full disk only where there is no room: here there is.
        let failure = #expect(throws: StoreError.self) { try check(5, "mdb_txn_commit", in: directory.path) }
        guard case .system(_, 5, _) = failure else {
            Issue.record("an input/output error is taken for \(String(describing: failure))")
            return
        }
    }

    @Test func `names table and key of a value that does not decode`() throws {
        let store = try open()
        let bytes = store.table("numbers", of: UInt64.self, to: [UInt8].self)
        let numbers = store.table("numbers", of: UInt64.self, to: UInt64.self)
        try store.write { transaction throws(StoreError) in try transaction.put(bytes, 5, [1, 2, 3]) }
        #expect(
            throws: StoreError.damaged(
                place: "table numbers, key 0000000000000005", reason: "key is cut short at byte 0")
        ) {
            try store.read { transaction throws(StoreError) in try transaction.value(numbers, 5) }
        }
    }
}

@Suite struct `A reserve` {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    @Test func `changes nothing that a transaction larger than itself has written`() throws {
        let directory = try TemporaryDirectory()
        let schema = Store.Schema(format: 1, tables: ["words"], mapBytes: 1 << 30)
        var expected: [UInt64: [UInt8]] = [:]
        func check(_ store: Store) throws {
            let words = store.table("words", of: UInt64.self, to: [UInt8].self)
            try store.read { transaction throws(StoreError) in
                for (key, value) in expected { #expect(try transaction.value(words, key) == value) }
            }
        }
        // Small and large by turns: the file grows by more than was written ahead, and by less.
        for (round, count) in [1, 900, 2, 3, 2500, 1, 1, 40, 1200, 5].enumerated() {
            let store = try Store(directory: directory.path, schema: schema, access: .writing(.full))
            let words = store.table("words", of: UInt64.self, to: [UInt8].self)
            for part in 0..<2 {
                let keys = (0..<UInt64(count)).map { UInt64(round) << 32 | UInt64(part) << 20 | $0 }
                try store.write { transaction throws(StoreError) in
                    for key in keys {
                        let value = [UInt8](repeating: UInt8(truncatingIfNeeded: key &* 31 | 1), count: 1000)
                        try transaction.put(words, key, value)
                        expected[key] = value
                    }
                }
                try check(store)
            }
        }
        try check(Store(directory: directory.path, schema: schema, access: .writing(.full)))
    }

    @Test func `is written ahead of the keys, and changes none of them`() throws {
        let path = directory.path + "/keys"
        let slots = try KeySlots(path: path, writing: true)
        #expect(try slots.isEmpty)
        var last = UInt64(0)
        var lengths: Set<Int> = []
        for round in 0..<60 {
            let keys = (0..<100).map { `Key slots`.keys(UInt8((round + $0) % 251 + 1)) }
            try slots.write(keys, from: last)
            last += 100
            let size = try Data(contentsOf: URL(filePath: path)).count
            #expect(size > Int(last) * 128)
            lengths.insert(size)
        }
        #expect(lengths.count < 10, "the file grows in few steps")
        for number in stride(from: UInt64(0), to: last, by: 37) {
            let seed = UInt8((Int(number) / 100 + Int(number) % 100) % 251 + 1)
            #expect(try slots.read(number) == .held(`Key slots`.keys(seed)))
        }
        #expect(try slots.read(last) == .absent)
        #expect(try KeySlots(path: path, writing: true).read(last - 1) != .absent)
    }

    @Test func `of a store ends where its map ends`() throws {
        let schema = Store.Schema(format: 1, tables: ["a"], mapBytes: 320 << 10)
        let store = try Store(directory: directory.path + "/store", schema: schema, access: .writing(.full))
        let table: Table<UInt64, UInt64> = store.table("a")
        for number: UInt64 in 0..<50 {
            try store.write { transaction throws(StoreError) in
                try transaction.put(table, number, number)
            }
        }
        let size = try Data(contentsOf: URL(filePath: store.directory + "/data.mdb")).count
        #expect(size == 320 << 10)
        let again = try Store(directory: store.directory, schema: schema, access: .reading)
        let newest = try again.read { transaction throws(StoreError) in try transaction.last(table) }
        #expect(newest?.key == 49)
    }
}

@Suite struct `Key slots` {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    static func keys(_ seed: UInt8) -> KeySlots.Keys {
        .init(
            dataKey: [UInt8](repeating: seed, count: 32),
            contentKey: [UInt8](repeating: seed ^ 0x55, count: 32))
    }

    @Test func `give back what was written, and nothing for what was not`() throws {
        let path = directory.path + "/keys"
        let slots = try KeySlots(path: path, writing: true)
        try slots.write([Self.keys(1), Self.keys(2)], from: 5)
        try slots.flush()
        let again = try KeySlots(path: path, writing: false)
        #expect(try again.read(5) == .held(Self.keys(1)))
        #expect(try again.read(6) == .held(Self.keys(2)))
        #expect(try again.read(4) == .absent)
        #expect(try again.read(7) == .absent)
    }

    @Test func `leave no key bytes in the file after an erasure`() throws {
        let path = directory.path + "/keys"
        let slots = try KeySlots(path: path, writing: true)
        try slots.write([Self.keys(1), Self.keys(2)], from: 0)
        try slots.erase(0)
        try slots.flush()
        #expect(try slots.read(0) == .erased)
        #expect(try slots.read(1) == .held(Self.keys(2)))
        let file = try Data(contentsOf: URL(filePath: path))
        #expect(!file.contains(1))
        #expect(!file.contains(1 ^ 0x55))
    }

    @Test func `notice every changed byte`() throws {
        let path = directory.path + "/keys"
        let slots = try KeySlots(path: path, writing: true)
        try slots.write([Self.keys(9)], from: 0)
        let whole = try Data(contentsOf: URL(filePath: path))
        for position in 0..<96 {
            var changed = whole
            changed[position] ^= 1
            try changed.write(to: URL(filePath: path))
            #expect(try KeySlots(path: path, writing: false).read(0) == .absent)
        }
    }
}
