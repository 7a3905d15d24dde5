import Foundation
import TestSupport
import Testing

@testable import Ledger

/// A loss of power between the flush of a transaction's pages and that of the page which makes them valid.
@Suite struct `A transaction that a loss of power undid` {
    private static let schema = Store.Schema(format: 1, tables: ["numbers", "words"], mapBytes: 1 << 30)
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ name: String = "store") throws -> Store {
        try Store(
            directory: directory.path + "/" + name, schema: Self.schema, access: .writing(.full))
    }

    private var file: URL { URL(filePath: directory.path + "/store/data.mdb") }
    private var redo: URL { URL(filePath: directory.path + "/store/redo") }

    /// The two pages of which the newer says what is valid.
    private func roots() throws -> Data {
        let handle = try FileHandle(forReadingFrom: file)
        defer { try? handle.close() }
        return try handle.read(upToCount: 2 * 4096) ?? Data()
    }

    /// What is on the disk if the newest of these pages is not.
    private func copy(to name: String, with roots: Data) throws {
        let copy = directory.path + "/" + name
        try FileManager.default.copyItem(atPath: directory.path + "/store", toPath: copy)
        let handle = try FileHandle(forWritingTo: URL(filePath: copy + "/data.mdb"))
        try handle.write(contentsOf: roots)
        try handle.close()
    }

    private func contents(_ store: Store) throws -> [[UInt64: [UInt8]]] {
        try ["numbers", "words"].map { name in
            let table = store.table(name, of: UInt64.self, to: [UInt8].self)
            var found: [UInt64: [UInt8]] = [:]
            try store.read { transaction throws(StoreError) in
                try transaction.scan(table) { key, value throws(StoreError) in
                    found[key] = value
                    return .next
                }
            }
            return found
        }
    }

    @Test func `is there again, whatever it wrote`() throws {
        var generator = SeededGenerator(seed: 9)
        let store = try open()
        let tables = ["numbers", "words"].map { store.table($0, of: UInt64.self, to: [UInt8].self) }
        for round in 0..<60 {
            let before = try roots()
            try store.write { transaction throws(StoreError) in
                for step in 0..<Int.random(in: 1...30, using: &generator) {
                    let table = generator.pick(tables)
                    let key = UInt64.random(in: 0..<200, using: &generator)
                    switch Int.random(in: 0..<20, using: &generator) {
                    case 0: try transaction.clear(table)
                    case 1: try transaction.deleteTail(table, from: key)
                    case 2...5: try transaction.delete(table, key)
                    case 6: try transaction.append(table, UInt64(round + 1) << 20 | UInt64(step), [])
                    default:
                        let size = Int.random(in: 0...3000, using: &generator)
                        try transaction.put(table, key, [UInt8](repeating: UInt8(round), count: size))
                    }
                }
            }
            try copy(to: "undone\(round)", with: before)
            let undone = try open("undone\(round)")
            #expect(try contents(undone) == contents(store), "round \(round)")
        }
    }

    @Test func `is gone where its record did not reach the disk whole`() throws {
        let store = try open()
        let numbers = store.table("numbers", of: UInt64.self, to: [UInt8].self)
        try store.write { transaction throws(StoreError) in try transaction.put(numbers, 1, [1]) }
        let before = try roots()
        let earlier = try Data(contentsOf: redo)
        try store.write { transaction throws(StoreError) in try transaction.put(numbers, 2, [2]) }
        let later = try Data(contentsOf: redo)
        let changed = later.indices.filter { later[$0] != earlier[$0] }
        #expect(!changed.isEmpty)
        for (number, place) in changed.enumerated() where number % 7 == 0 {
            var torn = later
            torn[place] ^= 0x10
            try copy(to: "torn\(number)", with: before)
            try torn.write(to: URL(filePath: directory.path + "/torn\(number)/redo"))
            #expect(try contents(open("torn\(number)"))[0] == [1: [1]])
        }
        // Cut short, as a crash of its making leaves it.
        try copy(to: "short", with: before)
        try later.prefix(1000).write(to: URL(filePath: directory.path + "/short/redo"))
        #expect(try contents(open("short"))[0] == [1: [1]])
    }

    @Test func `was flushed twice where it is too large for a record`() throws {
        let store = try open()
        let words = store.table("words", of: UInt64.self, to: [UInt8].self)
        let value = [UInt8](repeating: 3, count: 1000)
        try store.write { transaction throws(StoreError) in
            for key in 0..<400 as Range<UInt64> { try transaction.put(words, key, value) }
        }
        try store.write { transaction throws(StoreError) in try transaction.put(words, 1000, value) }
        let before = try roots()
        try store.write { transaction throws(StoreError) in try transaction.put(words, 1001, value) }
        try copy(to: "undone", with: before)
        #expect(try contents(open("undone"))[1].count == 402)
    }

    @Test func `is not done again where it was refused`() throws {
        let slots = try RedoSlots(path: directory.path + "/redo", mayBeMade: true)
        var record = RedoRecord(limitBytes: RedoSlots.recordBytes)
        record.put("numbers", [1], [2])
        for number in 7...8 as ClosedRange<UInt64> {
            slots.begin(record, of: number)
            try slots.finish()
        }
        #expect(try slots.records().map(\.transaction) == [7, 8])
        try slots.forget(8)
        let again = try RedoSlots(path: directory.path + "/redo", mayBeMade: false)
        #expect(try again.records().map(\.transaction) == [7])
        #expect(
            try again.records().first?.operations == [.put(table: "numbers", key: [1], value: [2])])
    }

    @Test func `is missed where what would tell of it is gone`() throws {
        let numbers: Table<UInt64, [UInt8]>
        do {
            let store = try open()
            numbers = store.table("numbers")
            try store.write { transaction throws(StoreError) in try transaction.put(numbers, 1, [1]) }
        }
        let kept = try Data(contentsOf: redo)
        try FileManager.default.removeItem(at: redo)
        for _ in 0..<2 { #expect(throws: StoreError.self) { try open() } }
        // One of another time tells of transactions that this store does not know.
        try kept.write(to: redo)
        do {
            let store = try open()
            for key in 2..<9 as Range<UInt64> {
                try store.write { transaction throws(StoreError) in
                    try transaction.put(numbers, key, [UInt8(key)])
                }
            }
        }
        let late = try Data(contentsOf: redo)
        let other = try TemporaryDirectory()
        let young = try Store(directory: other.path, schema: Self.schema, access: .writing(.full))
        try young.write { transaction throws(StoreError) in try transaction.put(numbers, 1, [1]) }
        try FileManager.default.createDirectory(
            atPath: directory.path + "/young", withIntermediateDirectories: false)
        try FileManager.default.copyItem(
            atPath: other.path + "/data.mdb", toPath: directory.path + "/young/data.mdb")
        try late.write(to: URL(filePath: directory.path + "/young/redo"))
        #expect(throws: StoreError.self) { try open("young") }
    }
}
