import Ledger
import TestSupport
import Testing

@testable import Query

/// What was said of a window, in a form that can be compared.
private struct Said: Hashable, CustomStringConvertible {
    let position: WindowPosition
    let group: [String]
    let span: WindowSpan
    let revision: UInt64
    let isOpen: Bool
    let superseded: [Int64]
    let values: Values

    var description: String {
        "\(position) \(group) [\(span.start), \(span.end)) r\(revision)\(isOpen ? " open" : "") \(superseded) \(values)"
    }
}

private struct Values: Hashable {
    let count: UInt64
    let sum: Int128
    let minimum: Quantity?
    let maximum: Quantity?
    let median: Double?

    init(_ values: [Quantity]) {
        count = UInt64(values.count)
        sum = values.reduce(0) { $0 + $1.nanos }
        minimum = values.min()
        maximum = values.max()
        // The value of rank ⌈n/2⌉, as the middle of its bucket.
        let sorted = values.sorted()
        median =
            sorted.isEmpty
            ? nil : LogBuckets.middle(of: LogBuckets.key(of: sorted[(sorted.count + 1) / 2 - 1].double))
    }

    init(_ window: WindowAnswer) {
        count = window.rollup?.count ?? 0
        sum = window.rollup?.sum ?? 0
        minimum = window.rollup?.minimum
        maximum = window.rollup?.maximum
        median = window.buckets.value(atRank: 0.5)
    }
}

/// One entry of a made-up log.
private struct Brought {
    struct Event: Hashable {
        let name: String
        let pipeline: String
        let time: Int64
        let value: Quantity
    }

    var submitter = ""
    var blockTime: Int64 = 0
    var events: [Event]?
    var replaces: UInt64?
    var erases: [UInt64] = []
}

/// Everything from scratch after every entry: no table, no increment.
private struct WindowRecount {
    struct Live: Hashable {
        let entry: Int
        let position: Int
        let group: [String]
        let time: Int64
        let value: Quantity
    }

    let definition: WindowDefinition
    let log: [Brought]

    /// The selected events that count when the log has `size` entries and what the first `erasing` entries erase is
    /// gone.
    func live(_ size: Int, erasing: Int) -> Set<Live> {
        let erased = Set(log.prefix(erasing).flatMap(\.erases))
        var origin: [UInt64: UInt64] = [:]
        var counting: [UInt64: UInt64] = [:]
        for (number, entry) in log.prefix(size).enumerated() {
            let index = UInt64(number)
            guard entry.events != nil, !erased.contains(index) else { continue }
            if let replaced = entry.replaces { origin[index] = origin[replaced] ?? replaced }
            counting[origin[index] ?? index] = index
        }
        var live: Set<Live> = []
        for index in counting.values {
            for (position, event) in (log[Int(index)].events ?? []).enumerated() where event.name == "a" {
                let group = definition.by.map { $0 == "pipeline" ? event.pipeline : "" }
                live.insert(
                    Live(
                        entry: Int(index), position: position, group: group, time: event.time,
                        value: event.value))
            }
        }
        return live
    }

    func watermark(_ size: Int) -> Int64? {
        var reached: Int64?
        var now = Int64.min
        for last in 0..<size {
            now = max(now, log[last].blockTime)
            // Silence forgets what was heard before it.
            var newest: [String: Int64] = [:]
            var heard: [String: Int64] = [:]
            var clock = Int64.min
            for entry in log[...last] {
                clock = max(clock, entry.blockTime)
                for (name, at) in heard where clock - at > definition.idleMilliseconds {
                    newest[name] = nil
                    heard[name] = nil
                }
                let times = (entry.events ?? []).filter { $0.name == "a" }.map(\.time)
                guard let time = times.max() else { continue }
                newest[entry.submitter] = max(newest[entry.submitter] ?? .min, min(time, clock))
                heard[entry.submitter] = clock
            }
            guard reached != nil || !newest.isEmpty else { continue }
            let mark = newest.values.min() ?? (now - definition.idleMilliseconds)
            reached = max(reached ?? .min, mark - definition.latenessMilliseconds)
        }
        return reached
    }

    func sessions(_ live: Set<Live>) -> [[String]: [WindowSpan]] {
        guard case .session(let gap) = definition.shape else { return [:] }
        var spans: [[String]: [WindowSpan]] = [:]
        for (group, events) in Dictionary(grouping: live, by: \.group) {
            for time in events.map(\.time).sorted() {
                if let last = spans[group]?.last, time - (last.end - gap) < gap {
                    spans[group]?.removeLast()
                    spans[group]?.append(WindowSpan(start: last.start, end: time + gap))
                } else {
                    spans[group, default: []].append(WindowSpan(start: time, end: time + gap))
                }
            }
        }
        return spans
    }

    /// All emissions, with the values that the log tells of in the end.
    func said() -> [Said] {
        var result: [Said] = []
        var revisions: [Window: UInt64] = [:]
        var openWhenSaid: Set<Window> = []
        var ever: Set<Window> = []
        var before: Set<Live> = []
        var groups: [[String]] = []
        for size in 1...log.count {
            let now = live(size, erasing: size)
            let moved = before.symmetricDifference(now)
            for one in now.subtracting(before).sorted(by: { $0.group.joined() < $1.group.joined() })
            where !groups.contains(one.group) { groups.append(one.group) }
            let reached = watermark(size) ?? .min
            var due: [(window: Window, superseded: [Int64], changed: Bool)] = []
            if case .fixed = definition.shape {
                let touched = Set(moved.flatMap { one in fixed(one.time).map { Window(one.group, $0) } })
                ever.formUnion(touched)
                due = ever.map { ($0, [], touched.contains($0)) }
            } else {
                let (old, new) = (sessions(before), sessions(now))
                for (group, spans) in new {
                    let gone = (old[group] ?? []).filter { o in
                        revisions[Window(group, o)] != nil && !spans.contains { $0.start == o.start }
                    }
                    for span in spans {
                        let superseded = gone.filter { o in
                            spans.first { $0.start < o.end && $0.end > o.start } == span
                        }
                        let isChanged =
                            old[group]?.contains(span) != true
                            || moved.contains { $0.group == group && span.contains($0.time) }
                        due.append((Window(group, span), superseded.map(\.start).sorted(), isChanged))
                    }
                }
                for (group, spans) in old {
                    for span in spans where revisions[Window(group, span)] != nil {
                        let isLeft = new[group]?.contains { $0.start < span.end && $0.end > span.start }
                        if isLeft != true { due.append((Window(group, span), [], true)) }
                    }
                }
            }
            let final = live(size, erasing: log.count)
            var saidNow: [(Window, WindowAnswerParts)] = []
            for (window, superseded, isChanged) in due {
                let isClosed = window.span.end <= reached
                let known = revisions[window]
                // One that was opened again is said when it closes, changed or not.
                let isDue = isClosed && (known == nil || openWhenSaid.contains(window))
                let isSaid = isDue || isChanged && (isClosed || known != nil || !superseded.isEmpty)
                guard isSaid else { continue }
                let revision = (known ?? 0) + 1
                revisions[window] = revision
                openWhenSaid.remove(window)
                if !isClosed { openWhenSaid.insert(window) }
                let values = final.filter { $0.group == window.group && window.span.contains($0.time) }
                saidNow.append(
                    (window, WindowAnswerParts(revision, !isClosed, superseded, values.map(\.value))))
            }
            saidNow.sort { $0.0.precedes($1.0, groups) }
            for (number, (window, parts)) in saidNow.enumerated() {
                result.append(
                    Said(
                        position: WindowPosition(size: UInt64(size), ordinal: UInt32(number + 1)),
                        group: window.group, span: window.span, revision: parts.revision,
                        isOpen: parts.isOpen,
                        superseded: parts.superseded, values: Values(parts.values)))
            }
            before = now
        }
        return result
    }

    /// By trial of every start.
    private func fixed(_ time: Int64) -> [WindowSpan] {
        guard case .fixed(let length, let hop) = definition.shape else { return [] }
        return (-200...400).map { WindowSpan(start: Int64($0) * hop, end: Int64($0) * hop + length) }
            .filter { time >= $0.start && time < $0.end }
    }

    /// Two windows that start together are one.
    struct Window: Hashable {
        let group: [String]
        let span: WindowSpan

        init(_ group: [String], _ span: WindowSpan) {
            self.group = group
            self.span = span
        }

        static func == (left: Self, right: Self) -> Bool {
            left.group == right.group && left.span.start == right.span.start
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(group)
            hasher.combine(span.start)
        }

        /// By end, then by the order in which groups came, then by start.
        func precedes(_ other: Window, _ groups: [[String]]) -> Bool {
            if span.end != other.span.end { return span.end < other.span.end }
            let (mine, theirs) = (groups.firstIndex(of: group) ?? 0, groups.firstIndex(of: other.group) ?? 0)
            if mine != theirs { return mine < theirs }
            return span.start < other.span.start
        }
    }

    private struct WindowAnswerParts {
        let revision: UInt64
        let isOpen: Bool
        let superseded: [Int64]
        let values: [Quantity]

        init(_ revision: UInt64, _ isOpen: Bool, _ superseded: [Int64], _ values: [Quantity]) {
            self.revision = revision
            self.isOpen = isOpen
            self.superseded = superseded
            self.values = values
        }
    }
}

@Suite struct `Continuous aggregates` {
    private static let settings = [
        WindowSettings(
            name: "tumbling", selector: "a", kind: "tumbling", size: "30s", by: ["pipeline"],
            allowedLateness: "10s", idleTimeout: "1m"),
        WindowSettings(
            name: "hopping", selector: "a", kind: "hopping", size: "1m", every: "20s", allowedLateness: "0s",
            idleTimeout: "2m"),
        WindowSettings(
            name: "sessions", selector: "a", kind: "session", gap: "8s", by: ["pipeline"],
            allowedLateness: "15s", idleTimeout: "1m"),
        WindowSettings(
            name: "wide-sessions", selector: #"{__name__=~"a"}"#, kind: "session", gap: "25s",
            allowedLateness: "0s", idleTimeout: "40s"),
    ]

    private func randomLog(_ count: Int, using generator: inout SeededGenerator) throws -> [Brought] {
        var log: [Brought] = []
        var now: Int64 = 0
        for number in 0..<UInt64(count) {
            now += Int64.random(in: 0...9, using: &generator) * 1000
            if Int.random(in: 0..<25, using: &generator) == 0 { now += 90_000 }
            var entry = Brought(submitter: "s\(Int.random(in: 0..<3, using: &generator))", blockTime: now)
            if number == 0 {
                // Never erased, so that all labels stay known.
                entry.events = ["p0", "p1"].map { .init(name: "a", pipeline: $0, time: 0, value: .zero) }
            } else if number > 1, Int.random(in: 0..<10, using: &generator) == 0 {
                entry.erases = [UInt64.random(in: 1..<number, using: &generator)]
            } else if Int.random(in: 0..<12, using: &generator) > 0 {
                entry.events = try (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                    let delay = Int64.random(in: -5...generator.pick([4, 20, 120]), using: &generator)
                    return Brought.Event(
                        name: Int.random(in: 0..<6, using: &generator) == 0 ? "b" : "a",
                        pipeline: "p\(Int.random(in: 0..<2, using: &generator))", time: now - delay * 1000,
                        value: try #require(Quantity("\(Int.random(in: -999...999, using: &generator)).25")))
                }
                if number > 0, Int.random(in: 0..<5, using: &generator) == 0 {
                    entry.replaces = UInt64.random(in: 0..<number, using: &generator)
                }
            }
            log.append(entry)
        }
        return log
    }

    private func feed(_ log: [Brought]) throws -> [FeedEntry] {
        try log.enumerated().map { number, entry in
            let document = try entry.events.map { events in
                KPIDocument(
                    ledger: "example.com/kpi", submitter: entry.submitter, id: "d\(number)", pipeline: nil,
                    run: nil,
                    measures: try events.map {
                        Measure(
                            name: $0.name, unit: "", time: try time($0.time),
                            labels: [Label(name: "pipeline", value: $0.pipeline)], value: $0.value)
                    })
            }
            return FeedEntry(
                index: EntryIndex(UInt64(number)), blockHeight: BlockHeight(UInt64(number) + 1),
                blockTime: try time(entry.blockTime), document: document,
                replaces: document == nil ? nil : entry.replaces.map { EntryIndex($0) },
                erases: entry.erases.map { EntryIndex($0) })
        }
    }

    private func open(
        _ path: String, _ definitions: [WindowDefinition]
    ) throws -> (store: QueryStore, rebuilt: RebuildReason?) {
        try QueryStore.open(directory: path, ledger: StoreFixture.ledger, windows: definitions)
    }

    private func said(_ store: QueryStore, _ definition: WindowDefinition) throws -> [Said] {
        var all: [Said] = []
        var position = WindowPosition.start
        while true {
            // In small steps, as a reader resumes.
            let some = try #require(try store.emissions(of: definition.name, after: position, limit: 7))
            guard let last = some.last else { return all }
            position = last.position
            all += some.map { emission in
                Said(
                    position: emission.position,
                    group: definition.by.map { emission.window.labels[$0] ?? "" },
                    span: emission.window.span, revision: emission.window.revision,
                    isOpen: emission.window.isOpen, superseded: emission.superseded,
                    values: Values(emission.window))
            }
        }
    }

    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func `say what a recount from scratch finds, in whatever batches and across restarts`(seed: UInt64) throws
    {
        var generator = SeededGenerator(seed: seed)
        let definitions = try WindowDefinition.all(Self.settings)
        let log = try randomLog(70, using: &generator)
        let entries = try feed(log)

        let directory = try TemporaryDirectory()
        var stores: [QueryStore] = []
        for batch in [1, 5, 70] {
            let path = "\(directory.path)/\(batch)"
            var store: QueryStore? = try open(path, definitions).store
            var next = 0
            while next < entries.count {
                let end = min(entries.count, next + Int.random(in: 1...batch, using: &generator))
                // What comes again changes nothing.
                _ = try store?.apply(Array(entries[max(0, next - 2)..<end]))
                next = end
                guard batch == 5 else { continue }
                store = nil
                store = try open(path, definitions).store
            }
            stores.append(try #require(store))
        }
        for definition in definitions {
            let recount = WindowRecount(definition: definition, log: log)
            let expected = recount.said()
            #expect(expected.contains { $0.revision > 1 } || definition.by.isEmpty, "\(definition.name)")
            for store in stores {
                let found = try said(store, definition)
                for (one, other) in zip(found, expected) where one != other {
                    Issue.record("\(definition.name): said \(one), expected \(other)")
                    break
                }
                #expect(found.count == expected.count, "\(definition.name)")
                try check(store, definition, recount, expected)
            }
        }
    }

    /// What windows answer is what was said last, and of those that are open what the samples amount to.
    private func check(
        _ store: QueryStore, _ definition: WindowDefinition, _ recount: WindowRecount, _ expected: [Said]
    ) throws {
        let everything = WindowSpan(start: -1_000_000, end: 10_000_000)
        let answer = try #require(try store.windows(definition.name, overlapping: everything))
        #expect(answer.size == UInt64(recount.log.count))
        #expect(answer.watermark == recount.watermark(recount.log.count))
        #expect(answer.position == expected.last?.position ?? .start)
        let live = recount.live(recount.log.count, erasing: recount.log.count)
        var total: UInt64 = 0
        for window in answer.windows {
            let group = definition.by.map { window.labels[$0] ?? "" }
            let values = live.filter { $0.group == group && window.span.contains($0.time) }
            #expect(Values(window) == Values(values.map(\.value)))
            #expect(window.isOpen == (window.span.end > answer.watermark ?? .min))
            let last = expected.last { $0.group == group && $0.span.start == window.span.start }
            #expect(window.revision == last?.revision ?? 0)
            total += window.rollup?.count ?? 0
        }
        if case .fixed(let length, let hop) = definition.shape {
            #expect(total == UInt64(live.count) * UInt64(length / hop))
        } else {
            #expect(total == UInt64(live.count))
        }
        // A part of the time: exactly those that share a moment with it.
        let part = WindowSpan(start: 100_000, end: 130_000)
        let some = try #require(try store.windows(definition.name, overlapping: part)).windows
        #expect(some == answer.windows.filter { $0.span.start < part.end && $0.span.end > part.start })
    }

    @Test func `are merged by a late event between two sessions, which the emission names`() throws {
        let definitions = try WindowDefinition.all([
            WindowSettings(
                name: "s", selector: "a", kind: "session", gap: "10s", allowedLateness: "0s",
                idleTimeout: "1h")
        ])
        let fixture = try StoreFixture(windows: definitions)
        var log: [Brought] = []
        for time in [0, 5, 20, 100, 12] as [Int64] {
            log.append(
                Brought(
                    submitter: "ci", blockTime: 200_000,
                    events: [.init(name: "a", pipeline: "p", time: time * 1000, value: .zero)]))
        }
        _ = try fixture.store.apply(try feed(log))
        let emissions = try #require(try fixture.store.emissions(of: "s", after: .start, limit: 9))
        #expect(emissions.map(\.window.span.start) == [0, 20_000, 0])
        #expect(emissions.map(\.window.span.end) == [15_000, 30_000, 30_000])
        #expect(emissions.map(\.window.revision) == [1, 1, 2])
        #expect(emissions.map(\.superseded) == [[], [], [20_000]])
        #expect(emissions.map { $0.window.rollup?.count } == [2, 1, 4])
        #expect(emissions.map(\.position.description) == ["3.1", "4.1", "5.1"])
    }

    @Test(arguments: ["tumbling", "sessions"])
    func `forget the labels of what was erased, and say that it has gone`(name: String) throws {
        let definitions = try WindowDefinition.all(Self.settings)
        let fixture = try StoreFixture(windows: definitions)
        let entries = try feed([
            event("a secret", at: 0), event("plain", at: 0), event("plain", at: 100), Brought(erases: [0]),
        ])
        _ = try fixture.store.apply(entries)
        let emissions = try #require(try fixture.store.emissions(of: name, after: .start, limit: 9))
        #expect(emissions.map(\.window.revision) == [1, 1, 2])
        #expect(emissions.map(\.window.count) == [0, 1, 0])
        #expect(emissions.map { $0.window.labels["pipeline"] } == [nil, "plain", nil])
        let tables = fixture.store.tables.windows
        try fixture.store.store.read { transaction throws(StoreError) in
            try transaction.scan(tables.groups) { _, record throws(StoreError) in
                #expect(record.values?.contains("a secret") != true)
                return .next
            }
        }
        // Whoever uses the same labels later is another.
        _ = try fixture.store.apply(
            entries
                + (try feed([Brought(), Brought(), Brought(), Brought(), event("a secret", at: 0)])).suffix(1)
        )
        let last = try #require(try fixture.store.emissions(of: name, after: .start, limit: 9)?.last)
        #expect(last.window.revision == 1)
        #expect(last.window.count == 1)
        #expect(last.window.labels["pipeline"] == "a secret")
    }

    private func event(_ pipeline: String, at seconds: Int64) -> Brought {
        Brought(
            submitter: "ci", blockTime: 100_000,
            events: [.init(name: "a", pipeline: pipeline, time: seconds * 1000, value: .zero)])
    }

    @Test func `are not closed for everybody by one wrong clock`() {
        var watermark = Watermark(latenessMilliseconds: 1000, idleMilliseconds: 60_000)
        watermark.advance(blockTime: 100_000, submitter: nil, newest: nil)
        #expect(watermark.reached == nil)
        watermark.advance(blockTime: 100_000, submitter: "a", newest: 90_000)
        #expect(watermark.reached == 89_000)
        // Ahead of its block.
        watermark.advance(blockTime: 110_000, submitter: "b", newest: 999_000_000)
        #expect(watermark.reached == 89_000)
        watermark.advance(blockTime: 120_000, submitter: "a", newest: 119_000)
        #expect(watermark.reached == 109_000)
        // Both fall silent: block time goes on.
        watermark.advance(blockTime: 300_000, submitter: nil, newest: nil)
        #expect(watermark.reached == 239_000)
        // Whoever comes back with old news does not turn it back, and is not held to what it said before.
        watermark.advance(blockTime: 301_000, submitter: "b", newest: 50_000)
        #expect(watermark.reached == 239_000)
        watermark.advance(blockTime: 302_000, submitter: "b", newest: 301_000)
        #expect(watermark.reached == 300_000)
    }

    @Test func `lie at the multiples of their hop, before 1970 too`() {
        let shape = WindowShape.fixed(lengthMilliseconds: 60, hopMilliseconds: 20)
        #expect(shape.spans(holding: 0).map(\.start) == [-40, -20, 0])
        #expect(shape.spans(holding: -1).map(\.start) == [-60, -40, -20])
        #expect(shape.spans(holding: 59).map(\.start) == [0, 20, 40])
        #expect(
            WindowShape.fixed(lengthMilliseconds: 50, hopMilliseconds: 20).spans(holding: 15).map(\.start)
                == [-20, 0])
    }

    @Test func `are refused with what is wrong, where, and what to do`() throws {
        func error(_ change: (inout WindowSettings) -> Void) -> QuerySettingsError? {
            var settings = WindowSettings(name: "w", selector: "a", kind: "hopping", size: "1h", every: "5m")
            change(&settings)
            do {
                _ = try WindowDefinition.all([settings])
                return nil
            } catch { return error }
        }
        #expect(error { _ in } == nil)
        for (place, change) in [
            ("windows[0].name", { $0.name = "a/b" }),
            ("windows[0].selector", { $0.selector = "rate(a[5m])" }),
            ("windows[0].selector", { $0.selector = "{}" }),
            ("windows[0].kind", { $0.kind = "sliding" }),
            ("windows[0].size", { $0.size = nil }),
            ("windows[0].size", { $0.size = "an hour" }),
            ("windows[0].size", { $0.size = "2y" }),
            ("windows[0].every", { $0.every = "2h" }),
            ("windows[0].every", { $0.every = "30s" }),
            ("windows[0].every", { $0.kind = "tumbling" }),
            ("windows[0].gap", { $0.gap = "5m" }),
            ("windows[0].by[0]", { $0.by = ["no label"] }),
            ("windows[0].by[1]", { $0.by = ["a", "__name__"] }),
            ("windows[0].by[1]", { $0.by = ["a", "a"] }),
            ("windows[0].allowedLateness", { $0.allowedLateness = "-5m" }),
            ("windows[0].idleTimeout", { $0.idleTimeout = "0s" }),
        ] as [(String, (inout WindowSettings) -> Void)] {
            let found = error(change)
            #expect(found?.place == place)
            #expect(found?.reason.isEmpty == false)
            #expect(found?.remedy.isEmpty == false)
        }
        let one = WindowSettings(name: "w", selector: "a", kind: "session", gap: "5m")
        #expect(throws: QuerySettingsError.self) { try WindowDefinition.all([one, one]) }
    }

    @Test func `of another configuration are made anew from the log`() throws {
        let definitions = try WindowDefinition.all(Self.settings)
        let directory = try TemporaryDirectory()
        var opened: (store: QueryStore, rebuilt: RebuildReason?)? = try open(directory.path, definitions)
        _ = try opened?.store.apply(try feed([Brought(submitter: "ci", blockTime: 1000, events: [])]))
        opened = nil
        opened = try open(directory.path, definitions)
        #expect(opened?.rebuilt == nil)
        #expect(try opened?.store.nextIndex() == EntryIndex(1))
        opened = nil
        opened = try open(directory.path, Array(definitions.dropFirst()))
        #expect(opened?.rebuilt == .otherWindows)
        #expect(try opened?.store.nextIndex() == EntryIndex(0))
    }
}
