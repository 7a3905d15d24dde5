internal import Ledger

// What the query store keeps of windows, and how. Never their values: those follow from the samples, as of any height.
// `definition` is a place among the definitions of the store; times are ordered `u64`.

/// `definition u8 ‖ group u64 ‖ start u64`
struct WindowKey: TableKey, Hashable {
    let definition: UInt8
    let group: WindowGroupID
    let start: Int64

    init(_ definition: Int, _ group: WindowGroupID, start: Int64) {
        self.definition = UInt8(truncatingIfNeeded: definition)
        self.group = group
        self.start = start
    }

    func starting(at start: Int64) -> WindowKey { WindowKey(Int(definition), group, start: start) }
    func isBeside(_ other: WindowKey) -> Bool { definition == other.definition && group == other.group }

    var keyBytes: [UInt8] { [definition] + group.value.keyBytes + start.ordered.keyBytes }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            let definition = try reader.read(UInt8.self, "definition")
            let group = WindowGroupID(try reader.read(UInt64.self, "group"))
            return WindowKey(
                Int(definition), group, start: Int64(ordered: try reader.read(UInt64.self, "start")))
        }
    }
}

/// A window that holds events, or held some: `end signed varint ‖ revision varint`.
struct WindowRecord: TableValue, Hashable {
    let end: Int64
    /// Of the last emission; 0 before the first.
    var revision: UInt64

    init(end: Int64, revision: UInt64) {
        self.end = end
        self.revision = revision
    }

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 12)
        writer.writeSignedVarint(end)
        writer.writeVarint(revision)
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            WindowRecord(
                end: try reader.readSignedVarint("end"), revision: try reader.readVarint("revision"))
        }
    }
}

/// An open window, found by its end: `definition u8 ‖ end u64 ‖ group u64 ‖ start u64`.
struct OpenWindowKey: TableKey, Hashable {
    let end: Int64
    let window: WindowKey

    init(_ window: WindowKey, end: Int64) {
        self.window = window
        self.end = end
    }

    var keyBytes: [UInt8] {
        [window.definition] + end.ordered.keyBytes + window.group.value.keyBytes
            + window.start.ordered.keyBytes
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            let definition = try reader.read(UInt8.self, "definition")
            let end = Int64(ordered: try reader.read(UInt64.self, "end"))
            let group = WindowGroupID(try reader.read(UInt64.self, "group"))
            let start = Int64(ordered: try reader.read(UInt64.self, "start"))
            return OpenWindowKey(WindowKey(Int(definition), group, start: start), end: end)
        }
    }
}

/// `definition u8 ‖ group u64`
struct WindowGroupKey: TableKey, Hashable {
    let definition: UInt8
    let group: WindowGroupID

    init(_ definition: Int, _ group: WindowGroupID) {
        self.definition = UInt8(truncatingIfNeeded: definition)
        self.group = group
    }

    var keyBytes: [UInt8] { [definition] + group.value.keyBytes }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            WindowGroupKey(
                Int(try reader.read(UInt8.self, "definition")),
                WindowGroupID(try reader.read(UInt64.self, "group")))
        }
    }
}

/// `known u8 ‖ the values of the labels that a definition groups by, each with its length`
struct WindowGroupRecord: TableValue, Hashable {
    /// `nil` where all series of the group were erased, and with them its labels.
    let values: [String]?

    init(values: [String]?) { self.values = values }

    var valueBytes: [UInt8] {
        guard let values else { return [0] }
        return [1] + WindowGroup(values: values).bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        values = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            guard try reader.read(UInt8.self, "known") == 1 else { return nil }
            var values: [String] = []
            while reader.remaining > 0 {
                values.append(try reader.readSizedText("value", limitBytes: valueBytes.count))
            }
            return values
        }
    }
}

/// `definition u8 ‖ size u64 ‖ ordinal u32`
struct EmissionKey: TableKey, Hashable {
    let definition: UInt8
    let position: WindowPosition

    init(_ definition: Int, _ position: WindowPosition) {
        self.definition = UInt8(truncatingIfNeeded: definition)
        self.position = position
    }

    var keyBytes: [UInt8] {
        var writer = ByteWriter(capacity: 13)
        writer.write(definition)
        writer.write(position.size)
        writer.write(position.ordinal)
        return writer.bytes
    }

    init(keyBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(keyBytes) { reader throws(DecodingFailure) in
            let definition = try reader.read(UInt8.self, "definition")
            let size = try reader.read(UInt64.self, "size")
            return EmissionKey(
                Int(definition), WindowPosition(size: size, ordinal: try reader.read(UInt32.self, "ordinal")))
        }
    }
}

/// `group varint ‖ start ‖ end signed varints ‖ revision varint ‖ open u8 ‖ (start of a superseded window signed
/// varint)*`
struct EmissionRecord: TableValue, Hashable {
    let group: WindowGroupID
    let span: WindowSpan
    let revision: UInt64
    let isOpen: Bool
    /// Ascending.
    let superseded: [Int64]

    init(group: WindowGroupID, span: WindowSpan, revision: UInt64, isOpen: Bool, superseded: [Int64]) {
        self.group = group
        self.span = span
        self.revision = revision
        self.isOpen = isOpen
        self.superseded = superseded
    }

    var valueBytes: [UInt8] {
        var writer = ByteWriter(capacity: 32)
        writer.writeVarint(group.value)
        writer.writeSignedVarint(span.start)
        writer.writeSignedVarint(span.end)
        writer.writeVarint(revision)
        writer.write(UInt8(isOpen ? 1 : 0))
        for start in superseded { writer.writeSignedVarint(start) }
        return writer.bytes
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            let group = WindowGroupID(try reader.readVarint("group"))
            let start = try reader.readSignedVarint("start")
            let end = try reader.readSignedVarint("end")
            let revision = try reader.readVarint("revision")
            let isOpen = try reader.read(UInt8.self, "open") == 1
            var superseded: [Int64] = []
            while reader.remaining > 0 { superseded.append(try reader.readSignedVarint("superseded")) }
            return EmissionRecord(
                group: group, span: WindowSpan(start: start, end: end), revision: revision, isOpen: isOpen,
                superseded: superseded)
        }
    }
}

/// `has reached u8 ‖ reached u64 ‖ block time u64 ‖ (name ‖ newest u64 ‖ heard at u64)*`
struct WatermarkRecord: TableValue, Hashable {
    let reached: Int64?
    let blockTime: Int64
    let submitters: [Watermark.Submitter]

    init(_ watermark: Watermark) {
        reached = watermark.reached
        blockTime = watermark.blockTime
        submitters = watermark.submitters
    }

    var valueBytes: [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt8(reached == nil ? 0 : 1))
        writer.write((reached ?? 0).ordered)
        writer.write(blockTime.ordered)
        for submitter in submitters {
            writer.writeSized(submitter.name)
            writer.write(submitter.newest.ordered)
            writer.write(submitter.heardAt.ordered)
        }
        return writer.bytes
    }

    private init(reached: Int64?, blockTime: Int64, submitters: [Watermark.Submitter]) {
        self.reached = reached
        self.blockTime = blockTime
        self.submitters = submitters
    }

    init(valueBytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(valueBytes) { reader throws(DecodingFailure) in
            // Whatever follows from real times lies far inside; sums of them do not overflow.
            func time(_ what: String) throws(DecodingFailure) -> Int64 {
                let time = Int64(ordered: try reader.read(UInt64.self, what))
                guard time.magnitude < 1 << 60 else { throw DecodingFailure("\(what) is no time", at: 0) }
                return time
            }
            let hasReached = try reader.read(UInt8.self, "has reached") == 1
            let reached = try time("reached")
            let blockTime = try time("block time")
            var submitters: [Watermark.Submitter] = []
            while reader.remaining > 0 {
                let name = try reader.readSizedText("submitter", limitBytes: valueBytes.count)
                submitters.append(
                    .init(name: name, newest: try time("newest"), heardAt: try time("heard at")))
            }
            return WatermarkRecord(
                reached: hasReached ? reached : nil, blockTime: blockTime, submitters: submitters)
        }
    }
}

/// The tables of windows.
struct WindowTables: Sendable {
    static let names = [
        "windows", "open windows", "gone windows", "window groups", "window emissions", "watermarks",
    ]

    let windows: Table<WindowKey, WindowRecord>
    let open: Table<OpenWindowKey, [UInt8]>
    /// The last revision of sessions that were emitted once and are no longer: their start may come back.
    let gone: Table<WindowKey, UInt64>
    let groups: Table<WindowGroupKey, WindowGroupRecord>
    let emissions: Table<EmissionKey, EmissionRecord>
    /// By the place of the definition.
    let watermarks: Table<UInt64, WatermarkRecord>

    init(_ store: Store) {
        windows = store.table("windows")
        open = store.table("open windows")
        gone = store.table("gone windows")
        groups = store.table("window groups")
        emissions = store.table("window emissions")
        watermarks = store.table("watermarks")
    }

    func watermark<Transaction: StoreReading & ~Copyable>(
        _ place: Int, _ definition: WindowDefinition, _ transaction: borrowing Transaction
    ) throws(StoreError) -> Watermark {
        guard let record = try transaction.value(watermarks, UInt64(place)) else {
            return definition.watermark
        }
        return Watermark(
            latenessMilliseconds: definition.latenessMilliseconds,
            idleMilliseconds: definition.idleMilliseconds, reached: record.reached,
            blockTime: record.blockTime, submitters: record.submitters)
    }

    /// The groups that are known, with their numbers.
    func groups<Transaction: StoreReading & ~Copyable>(
        of definitions: Int, _ transaction: borrowing Transaction
    ) throws(StoreError) -> WindowGroups {
        var known = WindowGroups(definitions: definitions)
        try transaction.scan(groups) { key, record throws(StoreError) in
            if let values = record.values, Int(key.definition) < definitions {
                known.numbers[Int(key.definition)][WindowGroup(values: values)] = key.group
            }
            return .next
        }
        return known
    }

    func clear(_ transaction: inout WriteTransaction) throws(StoreError) {
        try transaction.clear(windows)
        try transaction.clear(open)
        try transaction.clear(gone)
        try transaction.clear(groups)
        try transaction.clear(emissions)
        try transaction.clear(watermarks)
    }
}
