import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Ledger

/// What a store has promised before its tables have it.
@Suite struct `A store's journal` {
    private static let schema = Store.Schema(format: 1, tables: ["numbers", "words"], mapBytes: 1 << 30)
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private typealias Words = Table<UInt64, [UInt8]>
    private typealias Contents = [[UInt64: [UInt8]]]

    private func open(_ name: String = "store", _ access: Store.Access = .writing(.full)) throws -> Store {
        try Store(directory: directory.path + "/" + name, schema: Self.schema, access: access)
    }

    private func tables(_ store: Store) -> [Words] { ["numbers", "words"].map { store.table($0) } }

    private var journal: URL { URL(filePath: directory.path + "/store/journal") }

    /// What is on the disk when the process, or the machine, ends right now.
    private func crash(of store: String = "store", as name: String) throws {
        try FileManager.default.copyItem(
            atPath: directory.path + "/" + store, toPath: directory.path + "/" + name)
    }

    private func put(_ rows: [(Words, UInt64, [UInt8])], into store: Store) throws {
        var batch = RowBatch()
        for (table, key, value) in rows { batch.put(table, key, value) }
        try store.put(batch)
    }

    private func contents(_ store: Store) throws -> Contents {
        try tables(store).map { table in
            var found: [UInt64: [UInt8]] = [:]
            try store.read { transaction throws(StoreError) in
                try transaction.scan(table) { key, value throws(StoreError) in
                    #expect(found.updateValue(value, forKey: key) == nil, "a key comes once")
                    return .next
                }
            }
            return found
        }
    }

    /// Every way of reading against what was written.
    private func compare(
        _ store: Store, with expected: Contents, _ generator: inout SeededGenerator
    ) throws {
        #expect(try contents(store) == expected)
        let starts = (0..<6).map { _ in UInt64.random(in: 0..<260, using: &generator) }
        try store.read { transaction throws(StoreError) in
            for (table, expected) in zip(tables(store), expected) {
                #expect(try transaction.count(table) == expected.count)
                #expect(try transaction.last(table)?.key == expected.keys.max())
                #expect(try transaction.first(table)?.key == expected.keys.min())
                for start in starts {
                    #expect(try transaction.value(table, start) == expected[start])
                    #expect(try transaction.contains(table, start) == (expected[start] != nil))
                    var found: [UInt64] = []
                    try transaction.scan(table, from: start) { key, value throws(StoreError) in
                        #expect(value == expected[key])
                        found.append(key)
                        return found.count < 40 ? .next : .stop
                    }
                    #expect(found == Array(expected.keys.filter { $0 >= start }.sorted().prefix(40)))
                    found = []
                    try transaction.scanBackward(table, from: start) { key, _ throws(StoreError) in
                        found.append(key)
                        return .next
                    }
                    #expect(found == expected.keys.filter { $0 <= start }.sorted(by: >))
                }
            }
        }
    }

    /// Something random, written by a batch or by a transaction.
    private func change(
        _ store: Store, _ expected: inout Contents, round: Int, _ generator: inout SeededGenerator
    ) throws {
        let tables = tables(store)
        if Int.random(in: 0..<4, using: &generator) > 0 {
            var batch = RowBatch()
            for _ in 0..<Int.random(in: 1...12, using: &generator) {
                let table = Int.random(in: 0...1, using: &generator)
                let key = UInt64.random(in: 0..<256, using: &generator)
                let size = Int.random(in: 0...3000, using: &generator)
                let value = [UInt8](repeating: UInt8(round), count: size)
                batch.put(tables[table], key, value)
                expected[table][key] = value
            }
            return try store.put(batch)
        }
        try store.write { transaction throws(StoreError) in
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                let table = Int.random(in: 0...1, using: &generator)
                let key = UInt64.random(in: 0..<256, using: &generator)
                switch Int.random(in: 0..<8, using: &generator) {
                case 0:
                    try transaction.deleteTail(tables[table], from: key)
                    expected[table] = expected[table].filter { $0.key < key }
                case 1...3:
                    let wasThere = try transaction.delete(tables[table], key)
                    #expect(wasThere == (expected[table].removeValue(forKey: key) != nil))
                default:
                    try transaction.put(tables[table], key, [UInt8(round)])
                    expected[table][key] = [UInt8(round)]
                }
            }
        }
    }

    @Test func `is one with the tables to readers, here and in another process, after a crash too`() throws {
        var generator = SeededGenerator(seed: 9)
        var expected: Contents = [[:], [:]]
        for run in 0..<8 {
            let store = try open()
            try compare(store, with: expected, &generator)
            let elsewhere = try open("store", .reading)
            for step in 0..<20 {
                try change(store, &expected, round: run * 20 + step, &generator)
                try compare(store, with: expected, &generator)
                // Another process sees the journal as it was when it looked, until the tables change.
                try compare(open("store", .reading), with: expected, &generator)
            }
            try store.write { _ throws(StoreError) in }
            try compare(elsewhere, with: expected, &generator)
            try crash(as: "crashed\(run)")
            try compare(open("crashed\(run)", .reading), with: expected, &generator)
            let again = try open("crashed\(run)")
            try compare(again, with: expected, &generator)
            try again.write { _ throws(StoreError) in }
            try compare(again, with: expected, &generator)
        }
    }

    @Test func `goes round and round, and loses nothing`() throws {
        let store = try open()
        let words = tables(store)[1]
        var expected: [UInt64: [UInt8]] = [:]
        // Of all sizes: below a page, some pages, the largest record, and what is larger than any.
        let sizes = [10, 3000, 60_000, 250_000, 262_000, 300_000, 700_000]
        for round in 0..<60 {
            let value = [UInt8](repeating: UInt8(round + 1), count: sizes[round % sizes.count])
            try put([(words, UInt64(round), value)], into: store)
            expected[UInt64(round)] = value
            if round % 7 == 3 {
                try crash(as: "crashed\(round)")
                #expect(try contents(open("crashed\(round)"))[1] == expected, "round \(round)")
            }
        }
        #expect(try contents(store)[1] == expected)
        #expect(try Data(contentsOf: journal).count == Journal.byteCount)
    }

    private struct Companion: JournalCompanion {
        let name = "keys"
        func put(_ key: [UInt8], _ value: [UInt8]) {}
        func flush() {}
    }

    /// The form is on disks: it never changes within a format.
    @Test func `holds rows in the form that its description says`() throws {
        let store = try open()
        let tables = tables(store)
        var batch = RowBatch()
        batch.put(tables[1], 7, [1, 2, 3])
        batch.put(tables[0], 0x0102_0304_0506_0708, [])
        batch.put(tables[1], 8, [9])
        batch.putBeside(Companion(), 5, [0xAA, 0xBB], [0xCC])
        var writer = ByteWriter()
        batch.write(to: &writer)
        let names: [UInt8] =
            [3, 0, 0, 0, 5] + Array("words".utf8) + [0, 0, 0, 7] + Array("numbers".utf8) + [0, 0, 0, 4]
            + Array("keys".utf8)
        let rows: [UInt8] =
            [0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 3, 1, 2, 3]
            + [1, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0]
            + [0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 9]
            + [2, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3, 0xAA, 0xBB, 0xCC]
        #expect(writer.bytes == names + rows)
        #expect(batch.byteCount == writer.bytes.count)
    }

    /// On both sides of what the journal takes, in many rows: what is more goes to the tables at once.
    @Test(arguments: [-1, 0, 1]) func `takes as many rows as its limit says`(more: Int) throws {
        let store = try open()
        let table = tables(store)[0]
        var batch = RowBatch()
        var expected: [UInt64: [UInt8]] = [:]
        let rowBytes = 1 + 4 + 8 + 4
        // One table's name, and rows of a kibibyte; the last one fills it up.
        var room = Journal.batchBytes - (1 + 4 + "numbers".utf8.count) + more
        while room > 0 {
            let size = min(1024, room - rowBytes)
            let rest = room - rowBytes - size
            let value = [UInt8](repeating: 1, count: rest < rowBytes ? size + rest : size)
            expected[UInt64(expected.count)] = value
            room -= rowBytes + value.count
            batch.put(table, UInt64(expected.count - 1), value)
        }
        #expect(batch.byteCount == Journal.batchBytes + more)
        let before = try Data(contentsOf: journal)
        try store.put(batch)
        #expect((try Data(contentsOf: journal) == before) == (more > 0))
        #expect(try contents(store)[0] == expected)
        try crash(as: "other")
        #expect(try contents(open("other"))[0] == expected)
    }

    @Test func `knows a record that did not reach the disk whole, whichever byte is missing`() throws {
        let store = try open()
        let numbers = tables(store)[0]
        try put([(numbers, 1, [1])], into: store)
        let earlier = try Data(contentsOf: journal)
        try put([(numbers, 2, [2])], into: store)
        let later = try Data(contentsOf: journal)
        let changed = later.indices.filter { later[$0] != earlier[$0] }
        #expect(changed.count > 40)
        try crash(as: "torn")
        for place in changed {
            var torn = later
            torn[place] ^= 0x10
            try torn.write(to: URL(filePath: directory.path + "/torn/journal"))
            #expect(try contents(open("torn", .reading))[0] == [1: [1]], "byte \(place)")
        }
        // What comes after a torn one takes its place.
        var torn = later
        torn[changed[changed.count / 2]] ^= 0x10
        try torn.write(to: URL(filePath: directory.path + "/torn/journal"))
        try put([(numbers, 3, [3])], into: open("torn"))
        #expect(try contents(open("torn"))[0] == [1: [1], 3: [3]])
    }

    @Test func `says that it is damaged where a record between others is`() throws {
        let store = try open()
        let numbers = tables(store)[0]
        for key in 1...3 as ClosedRange<UInt64> { try put([(numbers, key, [7])], into: store) }
        try crash(as: "damaged")
        var bytes = try Data(contentsOf: journal)
        bytes[4096 + 13] ^= 1
        let copy = directory.path + "/damaged/journal"
        try bytes.write(to: URL(filePath: copy))
        for access in [Store.Access.writing(.full), .reading] {
            #expect(
                throws: StoreError.damaged(
                    place: copy, reason: "record 2 is missing, while 3 is there")
            ) { try contents(open("damaged", access)) }
        }
    }

    @Test func `is missed where it is gone, and refused where it is of another time`() throws {
        let lost = StoreError.damaged(place: journal.path, reason: "it is not there any more")
        do {
            let store = try open()
            try put([(tables(store)[0], 1, [1])], into: store)
            try crash(as: "young")
        }
        let kept = try Data(contentsOf: journal)
        try FileManager.default.removeItem(at: journal)
        for _ in 0..<2 { #expect(throws: lost) { try open() } }
        #expect(throws: lost) { try open("store", .reading) }
        let shorter = StoreError.damaged(place: journal.path, reason: "it is shorter than it was")
        for count in [0, 5000, kept.count - 1] {
            try kept.prefix(count).write(to: journal)
            for access in [Store.Access.writing(.full), .reading] {
                #expect(throws: shorter) { try open("store", access) }
            }
        }
        try kept.write(to: journal)
        let store = try open()
        for key in 2..<9 as Range<UInt64> { try put([(tables(store)[0], key, [UInt8(key)])], into: store) }
        try store.write { _ throws(StoreError) in }
        try put([(tables(store)[0], 9, [9])], into: store)
        #expect(try contents(store)[0].count == 9)
        // The tables of "young" have none of the records, and this journal has only the last.
        try FileManager.default.removeItem(atPath: directory.path + "/young/journal")
        try FileManager.default.copyItem(
            atPath: journal.path, toPath: directory.path + "/young/journal")
        #expect(throws: StoreError.self) { try contents(open("young")) }
    }

    @Test func `shows whole batches to readers of two processes while it is carried out`() throws {
        let store = try open()
        let elsewhere = try open("store", .reading)
        let (numbers, words) = (tables(store)[0], tables(store)[1])
        try put([(numbers, 0, [0]), (words, 0, [0])], into: store)
        let isOver = Atomic(false)
        let reads = Mutex([0, 0])
        let faults = Mutex<[String]>([])
        let readers = DispatchGroup()
        for (number, store) in [store, elsewhere].enumerated() {
            // Threads of their own.
            DispatchQueue(label: "reader \(number)").async(group: readers) {
                var last = UInt64(0)
                while !isOver.load(ordering: .relaxed) {
                    do {
                        try store.read { transaction throws(StoreError) in
                            let (count, other) = (
                                try transaction.count(numbers), try transaction.count(words)
                            )
                            let newest = try transaction.last(numbers)?.key ?? 0
                            if count != other || newest < last {
                                faults.withLock { $0.append("\(count), \(other), \(last), \(newest)") }
                            }
                            last = newest
                        }
                    } catch { faults.withLock { $0.append("\(error)") } }
                    reads.withLock { $0[number] += 1 }
                }
            }
        }
        for round in 1...400 as ClosedRange<UInt64> {
            try put([(numbers, round, [1]), (words, round, [1])], into: store)
            guard round % 3 == 0 else { continue }
            try store.write { transaction throws(StoreError) in
                try transaction.delete(numbers, round - 1)
                try transaction.delete(words, round - 1)
            }
        }
        isOver.store(true, ordering: .relaxed)
        readers.wait()
        #expect(faults.withLock { $0 } == [])
        #expect(reads.withLock { $0 }.allSatisfy { $0 > 0 })
        #expect(try contents(store)[0].count == 401 - 133)
    }

    @Test func `keeps what it has where the tables are full, and goes on when they are not`() throws {
        let small = Store.Schema(format: 1, tables: ["words"], mapBytes: 512 << 10)
        let store = try Store(
            directory: directory.path + "/small", schema: small, access: .writing(.full))
        let words = store.table("words", of: UInt64.self, to: [UInt8].self)
        let value = [UInt8](repeating: 3, count: 100_000)
        var written: UInt64 = 0
        var failure: StoreError?
        while failure == nil, written < 100 {
            do {
                try put([(words, written, value)], into: store)
                written += 1
            } catch { failure = error as? StoreError }
        }
        #expect(failure == .full(directory: directory.path + "/small"))
        #expect(written == 40)
        // There is room in the journal for less, and in tables that may grow for all of it.
        try put([(words, 100, [1])], into: store)
        try crash(of: "small", as: "larger")
        let larger = try Store(
            directory: directory.path + "/larger",
            schema: .init(format: 1, tables: ["words"], mapBytes: 1 << 30), access: .writing(.full))
        try larger.write { _ throws(StoreError) in }
        for store in [store, larger] {
            let words = store.table("words", of: UInt64.self, to: [UInt8].self)
            let count = try store.read { transaction throws(StoreError) in try transaction.count(words) }
            #expect(count == 41)
        }
    }

    @Test func `holds nothing any more once it is scrubbed`() throws {
        let store = try open()
        let secret = Array("a secret that must go".utf8)
        for key in 0..<3000 as Range<UInt64> { try put([(tables(store)[1], key, secret)], into: store) }
        #expect(try Data(contentsOf: journal).range(of: Data(secret)) != nil)
        try store.scrubJournal()
        #expect(try Data(contentsOf: journal).allSatisfy { $0 == 0 })
        #expect(try contents(store)[1].count == 3000)
        try put([(tables(store)[1], 5000, [1])], into: store)
        try crash(as: "crashed")
        #expect(try contents(open("crashed"))[1].count == 3001)
    }
}
