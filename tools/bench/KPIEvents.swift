import Ledger
import Query

/// KPI events of a made-up company, the same for the same seed: 90 days if nothing else is said, 200 pipelines of 10
/// KPIs, three results. A document is a run of a pipeline: ten events, each at its own time within the run. Some
/// documents come late, by up to two days.
struct KPIEvents {
    struct Event {
        let time: Int64
        let kpi: Int
        let pipeline: Int
        let result: Int
        let value: Quantity
    }

    static let pipelines = 200
    static let results = ["passed", "failed", "canceled"]
    /// 2026-06-30T00:00:00Z, in milliseconds.
    static let end: Int64 = 1_782_777_600_000
    /// What the questions are about.
    static let start = end - 90 * 86_400_000
    /// Name, unit, and the digits behind the point of its values.
    static let kpis: [(name: String, unit: String, scale: UInt8)] = [
        ("cicd.pipeline.run.duration", "s", 3), ("cicd.pipeline.run.queued", "s", 3),
        ("test.cases", "{case}", 0), ("test.duration", "s", 3), ("code.coverage.lines", "{line}", 0),
        ("vcs.change.time_to_merge", "s", 0), ("cicd.artifact.size", "By", 0),
        ("deployment.lead_time", "s", 1), ("lint.findings", "{finding}", 0), ("energy.used", "J", 2),
    ]

    let count: Int
    /// How many documents come late, of 100.
    let latePercent: Int
    private let first: Int64
    private var generator: SplitMix64
    private var next = 0

    /// - Parameter days: up to `end`.
    init(count: Int, latePercent: Int, days: Int = 90, seed: UInt64 = 2026) {
        first = Self.end - Int64(days) * 86_400_000
        self.count = count
        self.latePercent = latePercent
        generator = SplitMix64(state: seed)
    }

    /// The events of the next document, or `nil` behind the last.
    mutating func document() -> [Event]? {
        guard next < count else { return nil }
        let span = Self.end - first
        // Documents come at an even pace.
        var time = first + Int64(Double(span) * Double(next) / Double(count))
        if generator.below(100) < latePercent {
            time = max(first, time - Int64(generator.below(2 * 86_400_000)))
        }
        let pipeline = generator.below(Self.pipelines)
        let dice = generator.below(10)
        let result = dice < 7 ? 0 : dice < 9 ? 1 : 2
        let size = min(Self.kpis.count, count - next)
        next += size
        return (0..<size).map { kpi in
            Event(
                time: min(Self.end - 1, time + Int64(generator.below(600_000))), kpi: kpi,
                pipeline: pipeline, result: result, value: value(of: kpi, pipeline))
        }
    }

    /// Around a level of its own for each KPI and pipeline, within a factor of four or so.
    private mutating func value(of kpi: Int, _ pipeline: Int) -> Quantity {
        let levels: [Int64] = [
            300_000, 20_000, 1200, 90_000, 40_000, 86_400, 30_000_000, 36_000, 40, 500_000,
        ]
        let level = levels[kpi] * Int64(50 + (pipeline * 37 + kpi * 11) % 100) / 100
        var factor: Int64 = 0
        // A sum of dice is bell-shaped.
        for _ in 0..<4 { factor += Int64(generator.below(512)) }
        let coefficient = max(0, level * (factor + 256) / 1280)
        return Quantity(coefficient: coefficient, scale: Self.kpis[kpi].scale) ?? .zero
    }

    /// As the follower hands it to the query store.
    static func entry(_ events: [Event], _ index: UInt64) throws -> FeedEntry {
        let measures = try events.map { event in
            let kpi = kpis[event.kpi]
            guard let time = Timestamp(milliseconds: event.time) else { throw BenchFailure("no time") }
            return Measure(
                name: kpi.name, unit: kpi.unit, time: time,
                labels: [
                    Label(name: "cicd.pipeline.result", value: results[event.result]),
                    Label(name: "pipeline", value: pipelineName(event.pipeline)),
                ], value: event.value)
        }
        guard let blockTime = Timestamp(milliseconds: end) else { throw BenchFailure("no time") }
        return FeedEntry(
            index: EntryIndex(index), blockHeight: BlockHeight(index + 1), blockTime: blockTime,
            document: KPIDocument(
                ledger: "bench.example/kpi", submitter: "ci", id: "\(index)",
                pipeline: nil, run: nil, measures: measures))
    }

    static func pipelineName(_ number: Int) -> String { "team\(number % 20)/service\(number)" }
}

/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int((next() >> 11) % UInt64(limit)) }
}
