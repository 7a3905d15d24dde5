import Foundation
import Ledger
import Query

/// Answers questions on standard input from samples that were put in before, one JSON object a line: the engine of
/// the query interface without the rest of a node.
///
/// `{"series": [{"name", "unit", "labels", "samples": [[milliseconds, "decimal"], …]}]}` adds samples and answers
/// `{"samples": n}`. `{"query", "time", "lookback"}` and `{"query", "start", "end", "step", "lookback"}`, all times
/// in milliseconds, answer as `/api/v1/query` and `/api/v1/query_range` do.
@main
struct PromQLEngine {
    static func main() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("promql-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var feeder = Feeder(
            store: try QueryStore.open(
                directory: directory.path + "/query", ledger: .sha256(Array("promql-diff".utf8))
            ).store)
        let decoder = JSONDecoder()
        while let line = readLine() {
            let answer: [UInt8]
            do {
                let data = Data(line.utf8)
                if let question = try? decoder.decode(Question.self, from: data) {
                    answer = question.answered(by: QueryEngine(store: feeder.store))
                } else {
                    let count = try feeder.add(try decoder.decode(Samples.self, from: data))
                    answer = Array("{\"samples\":\(count)}".utf8)
                }
            } catch {
                answer = PrometheusJSON.response(error: QueryError(.internal, "\(error)"))
            }
            try FileHandle.standardOutput.write(contentsOf: Data(answer + [UInt8(ascii: "\n")]))
        }
    }
}

struct Question: Decodable {
    let query: String
    let time: Int64?
    let start: Int64?
    let end: Int64?
    let step: Int64?
    let lookback: Int64?

    func answered(by engine: QueryEngine) -> [UInt8] {
        let lookback = lookback ?? QueryEngine.defaultLookbackMilliseconds
        do throws(QueryError) {
            if let time {
                return PrometheusJSON.response(
                    try engine.instantAnnotated(
                        query, at: Self.moment(time), lookbackMilliseconds: lookback))
            }
            return PrometheusJSON.response(
                try engine.rangeAnnotated(
                    query, from: Self.moment(start), through: Self.moment(end), stepMilliseconds: step ?? 0,
                    lookbackMilliseconds: lookback))
        } catch {
            return PrometheusJSON.response(error: error)
        }
    }

    private static func moment(_ milliseconds: Int64?) -> Timestamp {
        milliseconds.flatMap(Timestamp.init(milliseconds:)) ?? .earliest
    }
}

struct Samples: Decodable {
    struct Series: Decodable {
        let name: String
        let unit: String?
        let labels: [String: String]
        let samples: [Sample]
    }

    struct Sample: Decodable {
        let time: Int64
        let value: String

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            time = try pair.decode(Int64.self)
            value = try pair.decode(String.self)
        }
    }

    let series: [Series]
}

/// Feeds a store as the follower of a node does.
struct Feeder {
    struct Refused: Error { let reason: String }

    let store: QueryStore
    private var next: UInt64 = 0

    init(store: QueryStore) { self.store = store }

    mutating func add(_ samples: Samples) throws -> Int {
        var count = 0
        var batch: [FeedEntry] = []
        for series in samples.series {
            var measures: [Measure] = []
            for sample in series.samples {
                guard let time = Timestamp(milliseconds: sample.time), let value = Quantity(sample.value)
                else {
                    throw Refused(reason: "\(series.name): no sample is \(sample.value) at \(sample.time)")
                }
                measures.append(
                    Measure(
                        name: series.name, unit: series.unit ?? "", time: time,
                        labels: series.labels.map { Label(name: $0.key, value: $0.value) }.sorted(),
                        value: value))
            }
            count += measures.count
            let document = KPIDocument(
                ledger: "example.com/promql", submitter: "diff", id: "d\(next)", pipeline: nil, run: nil,
                measures: measures)
            batch.append(
                FeedEntry(
                    index: EntryIndex(next), blockHeight: BlockHeight(next + 1),
                    blockTime: Timestamp(milliseconds: 1_700_000_000_000) ?? .latest, document: document,
                    erases: []))
            next += 1
        }
        _ = try store.apply(batch)
        return count
    }
}
