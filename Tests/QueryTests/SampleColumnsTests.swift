import Ledger
import TestSupport
import Testing

@testable import Query

@Suite struct `Columns of samples` {
    /// Times from all alike to far apart, indexes that follow them, lag behind, or have nothing to do with them.
    private func randomSamples(_ count: Int, using generator: inout SeededGenerator) -> [Sample] {
        let span = Int64(1) << Int64.random(in: 0...48, using: &generator)
        let unit = generator.pick([1, 10, 1000, 3_600_000] as [Int64])
        let first = UInt64.random(
            in: 0...(.max >> UInt64.random(in: 0...63, using: &generator)), using: &generator)
        let perUnit = generator.pick([0, 1, 50] as [UInt64])
        let lag = generator.pick([1, 100, 1 << 40] as [UInt64])
        let scales = generator.pick([0...0, 3...3, 0...9] as [ClosedRange<UInt8>])
        return (0..<count).map { number in
            let time = Int64.random(in: -span...span, using: &generator) / unit * unit
            let steady = UInt64(bitPattern: time / unit) &* perUnit
            return Sample(
                time: time,
                index: EntryIndex(first &+ steady &+ UInt64.random(in: 0..<lag, using: &generator)),
                position: UInt32(number),
                value: Quantity(
                    coefficient: Int64.random(in: -999_999...999_999_999, using: &generator),
                    scale: UInt8.random(in: scales, using: &generator)) ?? .zero)
        }.sorted { $0.precedes($1) }
    }

    @Test(arguments: 1...400 as ClosedRange<UInt64>)
    func `come back from their bytes as they were, and amount to the same`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let samples = randomSamples(Int.random(in: 0...256, using: &generator), using: &generator)
        let chunk = SampleChunk(live: samples)
        #expect(try SampleChunk(valueBytes: chunk.valueBytes) == chunk)
        let columns = SampleColumns(samples)
        #expect(columns.rollup(0..<samples.count, .all) == Rollup(samples))
        #expect(LogBuckets(keys: columns.keys(0..<samples.count)) == LogBuckets(samples))
    }

    @Test func `take fewer bits for indexes where the log grows evenly`() throws {
        var generator = SeededGenerator(seed: 7)
        let samples = (0..<80).map { number in
            // An entry every eight seconds, of which one in six hundred is of this series, up to ten minutes before.
            let index = UInt64(number * 600) + UInt64.random(in: 0..<600, using: &generator)
            return Sample(
                time: Int64(index) * 8000 - Int64.random(in: 0..<600_000, using: &generator),
                index: EntryIndex(index), position: 0, value: .zero)
        }.sorted { $0.precedes($1) }
        let bytes = SampleChunk(live: samples).valueBytes.count
        let timesAlone = SampleChunk(live: samples.map(\.withoutPlace)).valueBytes.count
        #expect(Double(bytes - timesAlone) / 80 < 1.2)
    }

    @Test func `wait in a head as they came, loose or packed`() throws {
        var generator = SeededGenerator(seed: 11)
        let samples = randomSamples(60, using: &generator)
        var bytes: [UInt8] = []
        var record = TreeRecord()
        for sample in samples.shuffled(using: &generator) {
            if let grown = try TreeRecord.adding([sample], to: bytes, limit: 24) {
                bytes = grown
            } else {
                record = try TreeRecord(valueBytes: bytes)
                record.head.merge(SampleChunk(live: [sample]))
                bytes = record.valueBytes
            }
        }
        #expect(try TreeRecord(valueBytes: bytes).head == SampleChunk(live: samples))
        #expect(try TreeRecord.adding(samples, to: bytes, limit: 24) == nil)
    }

    /// A store that is damaged is to be made anew, not to bring its node down.
    @Test(arguments: 1...100 as ClosedRange<UInt64>)
    func `that are damaged are refused, or can be written again`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let samples = randomSamples(Int.random(in: 1...64, using: &generator), using: &generator)
        let withdrawn = samples.prefix(3).map { SampleChunk.Withdrawn(sample: $0, by: EntryIndex(.max)) }
        let chunk = SampleChunk(live: samples, withdrawn: withdrawn)
        let branches = (1...20 as ClosedRange<NodeID>).compactMap { id in
            Branch(chunk, SampleColumns(samples), id: id, .all)
        }
        let node = TreeNode(level: 2, parts: .all, branches: branches)
        let packed = TreeRecord(
            level: 1, root: 7, sealed: samples[0].place, head: SampleChunk(live: samples)
        ).valueBytes
        let head = try #require(try TreeRecord.adding(Array(samples.prefix(9)), to: packed, limit: 24))
        for _ in 0..<60 {
            func damaged(_ bytes: [UInt8]) -> [UInt8] {
                var bytes = bytes
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                        1 << UInt8.random(in: 0..<8, using: &generator)
                }
                return bytes
            }
            if let chunk = try? SampleChunk(valueBytes: damaged(chunk.valueBytes)) {
                _ = chunk.valueBytes
                _ = Branch(chunk, SampleColumns(chunk.live), id: 1, .all)
            }
            if let node = try? TreeNode(valueBytes: damaged(node.valueBytes)) {
                _ = node.valueBytes
                _ = Branch(node, id: 1)
            }
            let bytes = damaged(head)
            if let grown = try? TreeRecord.adding([samples[0]], to: bytes, limit: 24) {
                _ = try? TreeRecord(valueBytes: grown)
            }
            if let record = try? TreeRecord(valueBytes: bytes) { _ = record.valueBytes }
        }
    }
}
