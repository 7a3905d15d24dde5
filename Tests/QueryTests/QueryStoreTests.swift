import Foundation
import Ledger
import Synchronization
import TestSupport
import Testing

@testable import Query

@Suite struct `A query store` {
    private func open(_ path: String, ledger: Digest = StoreFixture.ledger) throws -> QueryStore {
        try QueryStore.open(directory: path, ledger: ledger).store
    }

    @Test func `refuses a gap and skips what it has`() throws {
        let fixture = try StoreFixture([feed(0, [measure("a", at: 0, "1")])])
        #expect(throws: QueryStoreError.gap(expected: EntryIndex(1), found: EntryIndex(2))) {
            try fixture.store.apply([try feed(2, nil)])
        }
        #expect(throws: QueryStoreError.gap(expected: EntryIndex(2), found: EntryIndex(3))) {
            try fixture.store.apply([try feed(1, [measure("a", at: 1, "1")]), try feed(3, nil)])
        }
        #expect(try fixture.engine.show("count_over_time(a[1m])", at: 1) == ["{} 1"])
        let outcome = try fixture.store.apply([
            feed(0, [measure("a", at: 0, "1")]),
            feed(1, [measure("a", at: 1, "1"), measure("b", at: 1, "1")]),
            feed(2, nil),
        ])
        #expect(outcome.entries == 2)
        #expect(outcome.repeated == 1)
        #expect(outcome.samples == 2)
        #expect(outcome.newSeries == 1)
        #expect(try fixture.store.nextIndex() == EntryIndex(3))
        #expect(try fixture.engine.show("count_over_time(a[1m])", at: 1) == ["{} 2"])
        #expect(try fixture.store.apply([]).entries == 0)
    }

    @Test func `counts each entry once, whatever batches, repetitions and reopenings`() throws {
        var generator = SeededGenerator(seed: 7)
        let feeds = try RandomFeed.entries(count: 80, using: &generator)
        let whole = try StoreFixture(feeds)
        let expected = try whole.store.digest()
        for _ in 0..<6 {
            let directory = try TemporaryDirectory()
            let path = directory.path + "/query"
            while true {
                // Opened again for every batch; what was in memory is gone, as after a crash.
                let store = try open(path)
                let next = Int(try store.nextIndex().value)
                if next == feeds.count { break }
                let start = max(0, next - Int.random(in: 0...5, using: &generator))
                let end = min(feeds.count, next + Int.random(in: 0...20, using: &generator))
                _ = try store.apply(Array(feeds[start..<end]))
                try store.checkTrees()
            }
            let store = try open(path)
            #expect(try store.digest() == expected)
            #expect(try store.status().samples == whole.store.status().samples)
        }
    }

    @Test func `forgets an erased entry and nothing else`() throws {
        var generator = SeededGenerator(seed: 8)
        let feeds = try RandomFeed.entries(count: 60, using: &generator)
        for _ in 0..<4 {
            let erased = Set((0..<12).map { _ in UInt64.random(in: 0..<60, using: &generator) })
            let fixture = try StoreFixture(feeds)
            for index in erased.sorted() {
                let count = try fixture.store.erase(EntryIndex(index))
                #expect(count == feeds[Int(index)].document?.measures.count ?? 0)
                #expect(try fixture.store.erase(EntryIndex(index)) == 0)
                try fixture.store.checkTrees()
            }
            // As if the payloads had been gone from the beginning: series that lost all samples are gone too.
            let never = try StoreFixture(
                feeds.map {
                    try feed($0.index.value, erased.contains($0.index.value) ? nil : $0.document?.measures)
                })
            #expect(try fixture.store.digest() == never.store.digest())
            #expect(try fixture.store.status().series == never.store.status().series)
            #expect(fixture.store.index.withLock { $0.count } == never.store.index.withLock { $0.count })
        }
    }

    @Test func `carries out an erasure that the log orders, in order`() throws {
        let fixture = try StoreFixture([
            feed(0, [measure("a", ["person": "x"], at: 0, "1")]),
            feed(1, [measure("a", at: 0, "5")]),
            feed(2, nil, erases: [0, 4]),
            feed(3, [measure("a", ["person": "x"], at: 9, "2")]),
            feed(4, [measure("a", ["person": "x"], at: 9, "7")]),
        ])
        #expect(try fixture.engine.show("a", at: 9) == ["a{person=\"x\"} 2", "a 5"].sorted())
        #expect(try fixture.engine.labelValues("person", through: time(8)) == [])
        #expect(try fixture.store.erase(EntryIndex(3)) == 1)
        #expect(try fixture.engine.labelValues("person") == [])
        #expect(try fixture.store.status().erasedEntries == 3)
        // Erased before it is followed: it never comes in.
        try fixture.store.erase(EntryIndex(5))
        _ = try fixture.store.apply([feed(5, [measure("b", at: 0, "1")])])
        #expect(try fixture.engine.show("b", at: 0) == [])
    }

    @Test func `is rebuilt when it was deleted`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/query"
        let feeds = [try feed(0, [measure("a", at: 0, "1")]), try feed(1, nil)]
        var digest: Digest
        do {
            let store = try open(path)
            _ = try store.apply(feeds)
            digest = try store.digest()
        }
        try FileManager.default.removeItem(atPath: path)
        let (store, rebuilt) = try QueryStore.open(directory: path, ledger: StoreFixture.ledger)
        #expect(rebuilt == nil)
        #expect(try store.nextIndex() == EntryIndex(0))
        _ = try store.apply(feeds)
        #expect(try store.digest() == digest)
        try store.reset()
        #expect(try store.nextIndex() == EntryIndex(0))
        #expect(try QueryEngine(store: store).labels() == [])
    }

    @Test func `starts over when it belongs to another ledger`() throws {
        let directory = try TemporaryDirectory()
        do { _ = try open(directory.path).apply([feed(0, [measure("a", at: 0, "1")])]) }
        let other = Digest.sha256(Array("another".utf8))
        do {
            let (store, rebuilt) = try QueryStore.open(directory: directory.path, ledger: other)
            #expect(rebuilt == .otherLedger)
            #expect(try store.status().samples == 0)
            #expect(try store.nextIndex() == EntryIndex(0))
        }
        #expect(try QueryStore.open(directory: directory.path, ledger: other).rebuilt == nil)
    }

    @Test func `starts over when it has another format or is damaged`() throws {
        let directory = try TemporaryDirectory()
        do {
            let schema = Store.Schema(format: 999, tables: ["samples", "other"], mapBytes: 1 << 20)
            _ = try Store(directory: directory.path, schema: schema, access: .writing(.full))
        }
        do {
            let (store, rebuilt) = try QueryStore.open(directory: directory.path, ledger: StoreFixture.ledger)
            #expect(rebuilt == .otherFormat(found: 999, expected: QueryTables.format))
            _ = try store.apply([feed(0, [measure("a", at: 0, "1")])])
        }
        let file = directory.path + "/data.mdb"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        for place in 0..<8192 { bytes[place] = 0xAA }
        try bytes.write(to: URL(fileURLWithPath: file))
        let (store, rebuilt) = try QueryStore.open(directory: directory.path, ledger: StoreFixture.ledger)
        guard case .damaged = rebuilt else {
            Issue.record("damage is told")
            return
        }
        #expect(try store.nextIndex() == EntryIndex(0))
        #expect(throws: StoreError.locked(directory: directory.path)) {
            try QueryStore.open(directory: directory.path, ledger: StoreFixture.ledger)
        }
    }

    @Test func `starts over when a stored series does not decode`() throws {
        let directory = try TemporaryDirectory()
        do {
            let store = try open(directory.path)
            _ = try store.apply([feed(0, [measure("a", at: 0, "1")])])
            let raw = store.store.table("series", of: SeriesID.self, to: [UInt8].self)
            try store.store.write { transaction throws(StoreError) in
                try transaction.put(raw, SeriesID(0), [0, 0, 0, 9, 1])
            }
        }
        let (store, rebuilt) = try QueryStore.open(directory: directory.path, ledger: StoreFixture.ledger)
        guard case .damaged = rebuilt else {
            Issue.record("damage is told")
            return
        }
        #expect(try store.status().series == 0)
    }

    @Test func `lets many read one state while it is written`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for index in 0..<200 as Range<UInt64> {
                    // Each batch keeps the two sums equal, so any reader must see them equal.
                    _ = try store.apply([
                        feed(
                            index,
                            [
                                measure("left", ["n": "\(index % 7)"], at: Int64(index), "2"),
                                measure("right", ["n": "\(index % 5)"], at: Int64(index), "2"),
                            ])
                    ])
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    let engine = QueryEngine(store: store)
                    for _ in 0..<100 {
                        let lines = try engine.show(
                            "sum(sum_over_time(left[1h])) - sum(sum_over_time(right[1h]))", at: 1000)
                        #expect(lines.isEmpty || lines == ["{} 0"])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try QueryEngine(store: store).show("sum(count_over_time(left[1h]))", at: 1000) == ["{} 200"])
    }

    @Test func `decodes its records only whole and never traps on damage`() throws {
        var chunk = SampleChunk(
            live: try (0..<40).map {
                Sample(
                    time: -5 + $0 * $0, index: EntryIndex(UInt64(7 * $0 % 13)), position: UInt32($0 % 3),
                    value: try #require(Quantity("-12.\($0 + 1)")))
            })
        chunk.withdrawn = [SampleChunk.Withdrawn(sample: chunk.live[9], by: EntryIndex(99))]
        let branch = try #require(Branch(chunk, SampleColumns(chunk.live), id: 12, .all))
        let node = TreeNode(level: 2, parts: .all, branches: [branch, branch])
        var record = TreeRecord()
        (record.level, record.root, record.head) = (2, 77, chunk)
        var watermark = Watermark(latenessMilliseconds: 0, idleMilliseconds: 1000)
        watermark.advance(blockTime: 1000, submitter: "ci", newest: 900)
        let records: [([UInt8], ([UInt8]) throws -> [UInt8])] = [
            (chunk.valueBytes, { try SampleChunk(valueBytes: $0).valueBytes }),
            (node.valueBytes, { try TreeNode(valueBytes: $0).valueBytes }),
            (record.valueBytes, { try TreeRecord(valueBytes: $0).valueBytes }),
            (LogBuckets(chunk.live).valueBytes, { try LogBuckets(valueBytes: $0).valueBytes }),
            (
                SeriesRecord(name: "a.b", unit: "s", labels: [Label(name: "x", value: "y")]).valueBytes,
                { try SeriesRecord(valueBytes: $0).valueBytes }
            ),
            (
                AggregateRecord(kind: 1, name: "a.b", unit: "s", values: ["x"]).valueBytes,
                { try AggregateRecord(valueBytes: $0).valueBytes }
            ),
            (
                SeriesList([SeriesID(300), SeriesID(1)]).valueBytes,
                { try SeriesList(valueBytes: $0).valueBytes }
            ),
            (
                CorrectionChain([EntryIndex(4), EntryIndex(900)]).valueBytes,
                { try CorrectionChain(valueBytes: $0).valueBytes }
            ),
            (
                WindowRecord(end: -7, revision: 300).valueBytes,
                { try WindowRecord(valueBytes: $0).valueBytes }
            ),
            (
                WindowGroupRecord(values: ["x", ""]).valueBytes,
                { try WindowGroupRecord(valueBytes: $0).valueBytes }
            ),
            (
                EmissionRecord(
                    group: WindowGroupID(9), span: WindowSpan(start: -5, end: 60_000), revision: 2,
                    isOpen: true, superseded: [-100, 3]
                ).valueBytes,
                { try EmissionRecord(valueBytes: $0).valueBytes }
            ),
            (WatermarkRecord(watermark).valueBytes, { try WatermarkRecord(valueBytes: $0).valueBytes }),
        ]
        var generator = SeededGenerator(seed: 9)
        for (bytes, decode) in records {
            #expect(try decode(bytes) == bytes)
            for length in 0..<bytes.count { _ = try? decode(Array(bytes[..<length])) }
            for _ in 0..<500 {
                var damaged = bytes
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
                _ = try? decode(damaged)
            }
        }
        for value in [Int64.min, -1, 0, 1, .max] {
            var writer = ByteWriter()
            writer.writeSignedVarint(value)
            var reader = ByteReader(writer.bytes)
            #expect(try reader.readSignedVarint("value") == value)
            #expect(Int64(ordered: value.ordered) == value)
        }
        #expect(
            [Int64.min, -1, 0, 1, .max].map(\.ordered) == [Int64.min, -1, 0, 1, .max].map(\.ordered).sorted())
    }
}
