import Ledger
import Query
import TestSupport
import Testing

/// Makes documents and feeds out of short descriptions.
func measure(
    _ name: String, unit: String = "", _ labels: [String: String] = [:], at milliseconds: Int64,
    _ value: String
) throws -> Measure {
    Measure(
        name: name, unit: unit, time: try #require(Timestamp(milliseconds: milliseconds)),
        labels: labels.map { Label(name: $0.key, value: $0.value) }.sorted(),
        value: try #require(Quantity(value)))
}

func feed(
    _ index: UInt64, _ measures: [Measure]?, replaces: UInt64? = nil, erases: [UInt64] = []
) throws -> FeedEntry {
    let document = measures.map {
        KPIDocument(
            ledger: "example.com/kpi", submitter: "ci", id: "d\(index)", pipeline: nil, run: nil, measures: $0
        )
    }
    return FeedEntry(
        index: EntryIndex(index), blockHeight: BlockHeight(index + 1),
        blockTime: try #require(Timestamp(milliseconds: 1_700_000_000_000)), document: document,
        replaces: replaces.map { EntryIndex($0) }, erases: erases.map { EntryIndex($0) })
}

/// A store in a directory of its own.
final class StoreFixture {
    let directory: TemporaryDirectory
    private(set) var store: QueryStore
    static let ledger = Digest.sha256(Array("ledger".utf8))

    init(
        _ feed: [FeedEntry] = [], aggregates: AggregateKinds = .standard, windows: [WindowDefinition] = []
    ) throws {
        directory = try TemporaryDirectory()
        store = try QueryStore.open(
            directory: directory.path + "/query", ledger: Self.ledger, aggregates: aggregates,
            windows: windows
        ).store
        if !feed.isEmpty { _ = try store.apply(feed) }
    }

    var engine: QueryEngine { QueryEngine(store: store) }
    var path: String { directory.path + "/query" }
}

func time(_ milliseconds: Int64) throws -> Timestamp { try #require(Timestamp(milliseconds: milliseconds)) }

extension QueryEngine {
    /// The answer as text, one line a series.
    func show(_ query: String, at milliseconds: Int64, lookback: Int64 = 300_000) throws -> [String] {
        try instant(query, at: try time(milliseconds), lookbackMilliseconds: lookback).lines
    }

    func show(_ query: String, from: Int64, through: Int64, step: Int64) throws -> [String] {
        try range(query, from: try time(from), through: try time(through), stepMilliseconds: step).lines
    }
}

extension QueryResult {
    var lines: [String] {
        switch self {
        case .scalar(let point): [FloatText.fixed(point.value)]
        case .string(_, let value): [value]
        case .vector(let series): series.map { "\($0.labels) \(FloatText.fixed($0.points[0].value))" }
        case .matrix(let series):
            series.map { one in
                "\(one.labels) "
                    + one.points.map { "\($0.time):\(FloatText.fixed($0.value))" }.joined(separator: " ")
            }
        }
    }
}
