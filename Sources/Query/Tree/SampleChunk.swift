internal import Ledger

/// A run of samples of one tree: those that count, and those that a correction took out, which questions about the
/// past still see. Both in the order of time and place.
struct SampleChunk: Hashable, Sendable {
    /// A sample that no longer counts.
    struct Withdrawn: Hashable, Sendable {
        let sample: Sample
        /// The entry that took it out.
        let by: EntryIndex
    }

    var live: [Sample] = []
    var withdrawn: [Withdrawn] = []

    var count: Int { live.count + withdrawn.count }
    var isEmpty: Bool { live.isEmpty && withdrawn.isEmpty }
    /// Of the last sample, whether it counts or not.
    var end: SamplePlace? {
        [live.last, withdrawn.last?.sample].compactMap { $0?.place }.max()
    }

    mutating func merge(_ other: SampleChunk) {
        live += other.live
        withdrawn += other.withdrawn
        sort()
    }

    /// Brings samples into their order, which they nearly always have.
    mutating func sort() {
        if zip(live, live.dropFirst()).contains(where: { $1.precedes($0) }) {
            live.sort { $0.precedes($1) }
        }
        if withdrawn.count > 1 { withdrawn.sort { $0.sample.precedes($1.sample) } }
    }

    /// Takes off the first `number` samples, or all where there are fewer.
    mutating func removeFirst(_ number: Int) -> SampleChunk {
        var (counted, gone) = (0, 0)
        while counted + gone < number {
            if counted < live.count,
                gone == withdrawn.count || !withdrawn[gone].sample.precedes(live[counted])
            {
                counted += 1
            } else if gone < withdrawn.count {
                gone += 1
            } else {
                break
            }
        }
        let first = SampleChunk(live: Array(live[..<counted]), withdrawn: Array(withdrawn[..<gone]))
        live.removeFirst(counted)
        withdrawn.removeFirst(gone)
        return first
    }

    /// Takes off all that stand before `place`.
    mutating func removeAll(before place: SamplePlace) -> SampleChunk {
        let counted = live.prefix { $0.place < place }.count
        let gone = withdrawn.prefix { $0.sample.place < place }.count
        return removeFirst(counted + gone)
    }

    /// The samples of a window that counted when the log had `size` entries, in order.
    func samples(asOf size: UInt64, in window: TimeWindow) -> [Sample] {
        if size == .max { return live.filter { window.contains($0.time) } }
        let known = live.filter { $0.index.value < size && window.contains($0.time) }
        let gone = withdrawn.filter {
            $0.by.value >= size && $0.sample.index.value < size && window.contains($0.sample.time)
        }
        return gone.isEmpty ? known : (known + gone.map(\.sample)).sorted { $0.precedes($1) }
    }
}

/// Layout: those that count as `SampleColumns` says; then `withdrawn count varint`, and for each `time, signed varint ‖
/// index varint ‖ position varint ‖ quantity ‖ by varint`.
extension SampleChunk: TableValue {
    var valueBytes: [UInt8] { bytes(of: SampleColumns(live)) }

    /// - Parameter columns: of the samples that count.
    func bytes(of columns: SampleColumns) -> [UInt8] {
        var writer = ByteWriter(capacity: 32 + 9 * live.count + 24 * withdrawn.count)
        write(columns, to: &writer)
        return writer.bytes
    }

    /// - Parameter columns: of the samples that count.
    func write(_ columns: SampleColumns, to writer: inout ByteWriter) {
        columns.write(to: &writer)
        writer.writeVarint(UInt64(withdrawn.count))
        for one in withdrawn {
            writer.writeSignedVarint(one.sample.time)
            writer.writeVarint(one.sample.index.value)
            writer.writeVarint(UInt64(one.sample.position))
            writer.writeQuantity(one.sample.value)
            writer.writeVarint(one.by.value)
        }
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            try SampleChunk(reading: &reader)
        }
    }

    init(reading reader: inout ByteReader) throws(DecodingFailure) {
        live = try SampleColumns(reading: &reader, places: true).samples()
        for _ in 0..<(try reader.readVarint("withdrawn count")) {
            withdrawn.append(try Self.readWithdrawn(&reader))
        }
    }

    private static func readWithdrawn(_ reader: inout ByteReader) throws(DecodingFailure) -> Withdrawn {
        Withdrawn(
            sample: Sample(
                time: try reader.readTime(),
                index: EntryIndex(try reader.readVarint("index")),
                position: UInt32(truncatingIfNeeded: try reader.readVarint("position")),
                value: try reader.readQuantity("value")),
            by: EntryIndex(try reader.readVarint("correction")))
    }
}
