import Foundation
import Ledger
import Query

/// How fast the query store takes KPI events, what it needs for them, and what questions to it cost, beside other
/// engines that are asked the same of the same events.
struct QueriesBench {
    let directory: String
    let events: Int
    let rounds: Int
    /// Whether DuckDB and SQLite are asked as well.
    let withPeers: Bool
    /// As a follower applies them that has some way to go.
    private static let batch = 4096

    func run() async throws {
        // Of its own: its node answers from the filled store, and must have nothing else to follow.
        let ledger = try BenchLedger(madeIn: directory + "/queried")
        var size = Report("KPI events into the query store: \(events), one thread")
        let store = try feed(
            latePercent: 2, "query", &size, writesCSV: withPeers, ledger: ledger.ledgerID)
        _ = try feed(latePercent: 50, "late", &size)
        _ = try feed(latePercent: 0, "in-order", &size)
        size.print()
        let engine = QueryEngine(store: store)
        let answers = try Question.ask(engine, rounds: rounds)
        let peers = withPeers ? try askPeers(answers) : [:]
        var report = Report("Five questions about \(events) events, in process, warm")
        for question in Question.allCases {
            var best: (name: String, series: Series)?
            for (name, peer) in peers.sorted(by: { $0.key < $1.key }) {
                guard let series = peer[question] else { continue }
                if series.median < best?.series.median ?? .infinity { best = (name, series) }
            }
            report.add(
                "\(question.rawValue): \(question.text)", .microseconds, answers[question]?.times ?? Series(),
                floor: best)
        }
        report.print()
        if withPeers { printPeers(peers) }
        try await ServedQuestions(ledger: ledger, store: directory + "/query", engine: engine, rounds: rounds)
            .run()
    }

    // MARK: Feeding

    /// Fills a store, and reports how that went.
    ///
    /// - Parameter ledger: whose node may serve it; one of another would empty it.
    func feed(
        latePercent: Int, days: Int = 90, _ name: String, _ report: inout Report, writesCSV: Bool = false,
        ledger: Digest = .sha256([1])
    ) throws -> QueryStore {
        let store = try QueryStore.open(directory: directory + "/" + name, ledger: ledger).store
        var source = KPIEvents(count: events, latePercent: latePercent, days: days)
        let file = writesCSV ? try CSVFile(directory + "/events.csv") : nil
        var index: UInt64 = 0
        var (wall, processor) = (0.0, 0.0)
        while true {
            var batch: [FeedEntry] = []
            while batch.count < Self.batch, let document = source.document() {
                batch.append(try KPIEvents.entry(document, index))
                file?.write(document)
                index += 1
            }
            if batch.isEmpty { break }
            let before = Machine.processorSeconds
            wall += try seconds { _ = try store.apply(batch) }
            processor += Machine.processorSeconds - before
            if index % (UInt64(Self.batch) * 100) == 0 { note("\(name): \(index) documents") }
        }
        file?.close()
        let status = try store.status()
        guard status.samples == events else { throw BenchFailure("\(status.samples) samples of \(events)") }
        let count = Double(events)
        report.add("\(latePercent) % late: events", .perSecond, Series(values: [count / wall]))
        report.add(
            "… per second of processor time", .perSecond, Series(values: [count / processor]))
        let bytes = status.tableBytes
        let samples = (bytes["series-chunks"] ?? 0) + (bytes["series-trees"] ?? 0)
        report.add("… samples, bytes an event", .count, Series(values: [Double(samples) / count]))
        report.add(
            "… everything, bytes an event", .count,
            Series(values: [Double(bytes.values.reduce(0, +)) / count]))
        report.add("… the file, bytes an event", .count, Series(values: [Double(status.usedBytes) / count]))
        for (table, size) in bytes.sorted(by: { $0.value > $1.value }) where latePercent == 2 {
            report.add("… … \(table)", .count, Series(values: [Double(size) / count]))
        }
        return store
    }
}

/// Events for other engines to load: `time,kpi,pipeline,result,thousandths`.
private final class CSVFile {
    private let handle: FileHandle
    private var buffer: [UInt8] = []

    init(_ path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let handle = FileHandle(forWritingAtPath: path)
        else { throw BenchFailure("\(path) cannot be made") }
        self.handle = handle
    }

    func write(_ events: [KPIEvents.Event]) {
        for event in events {
            let thousandths = Int(event.value.nanos / 1_000_000)
            let line =
                "\(event.time),\(KPIEvents.kpis[event.kpi].name),\(KPIEvents.pipelineName(event.pipeline)),"
                + "\(KPIEvents.results[event.result]),\(thousandths)\n"
            buffer += Array(line.utf8)
        }
        if buffer.count > 1 << 20 { flush() }
    }

    private func flush() {
        handle.write(Data(buffer))
        buffer.removeAll(keepingCapacity: true)
    }

    func close() {
        flush()
        try? handle.close()
    }
}
