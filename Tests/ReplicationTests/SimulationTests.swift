import Simulation
import Testing

/// Many worlds, each from one seed: nothing contradicts, and everything is served once the faults end.
/// `swift run -c release simulate` tries as many seeds as one has time for.
@Suite struct `A simulated committee` {
    private let pool: EntryPool

    init() throws { pool = try EntryPool.shared() }

    @Test(arguments: Mode.allCases, 0..<2)
    func `agrees, loses nothing, and goes on`(mode: Mode, part: UInt64) async throws {
        for seed in (1 + part * 60)...(60 + part * 60) {
            // Other tests wait for what happens, and have the same threads.
            await Task.yield()
            let run = try Run(Plan(seed: seed, mode: mode), pool: pool)
            if let failure = run.failure {
                let traced = try Run(Plan(seed: seed, mode: mode), pool: pool, traced: true)
                Issue.record(
                    """
                    seed \(seed): \(failure)
                    replay: swift run -c release simulate --mode \(mode.rawValue) --first \(seed) --seeds 1 --trace
                    \(traced.trace.suffix(40).joined(separator: "\n"))
                    """)
                return
            }
        }
    }

    @Test func `does the same again from the same seed, byte for byte`() throws {
        for mode in Mode.allCases {
            for seed: UInt64 in [2, 8, 17] {
                let runs = try (0..<2).map { _ in
                    try Run(Plan(seed: seed, mode: mode), pool: pool, traced: true)
                }
                #expect(runs[0].digest == runs[1].digest)
                #expect(runs[0].trace == runs[1].trace)
                #expect(!runs[0].trace.isEmpty)
            }
        }
    }
}
