import Replication
import Simulation
import Testing

/// The simulator sees what it is there for: each way of breaking the protocol on purpose is found within the seeds
/// stated here, and the same seeds find nothing without it.
///
/// Defects are compiled into debug builds alone.
@Suite struct `A broken protocol` {
    private let pool: EntryPool

    init() throws { pool = try EntryPool.shared() }

    /// The worlds in which a defect is looked for.
    struct Hunt: Sendable, CustomTestStringConvertible {
        let defect: Defect
        let mode: Mode
        let isHostile: Bool
        /// At most so many are needed.
        let seeds: UInt64

        var testDescription: String { "\(defect)" }

        func plan(_ seed: UInt64) -> Plan {
            isHostile ? Plan(hostile: seed, mode: mode) : Plan(seed: seed, mode: mode)
        }
    }

    static let hunts: [Hunt] = [
        Hunt(defect: .voteQuorumTooSmall, mode: .safety, isHostile: false, seeds: 2),
        Hunt(defect: .viewChangeQuorumTooSmall, mode: .safety, isHostile: true, seeds: 4),
        Hunt(defect: .lowestBase, mode: .safety, isHostile: false, seeds: 10),
        Hunt(defect: .baseNotChecked, mode: .safety, isHostile: true, seeds: 60),
        Hunt(defect: .twoVotesPerHeight, mode: .safety, isHostile: true, seeds: 60),
        Hunt(defect: .preparedForgottenAtRestart, mode: .safety, isHostile: true, seeds: 4),
        Hunt(defect: .secondNewViewAccepted, mode: .safety, isHostile: true, seeds: 30),
        Hunt(defect: .commitAfterLeavingView, mode: .safety, isHostile: false, seeds: 40),
        Hunt(defect: .voteBeforeWrite, mode: .safety, isHostile: true, seeds: 80),
        Hunt(defect: .inheritedBlocksSignedAgain, mode: .safety, isHostile: true, seeds: 4),
        Hunt(defect: .timerForOwnEntriesOnly, mode: .liveness, isHostile: false, seeds: 6),
        Hunt(defect: .timeoutNeverFalls, mode: .liveness, isHostile: false, seeds: 6),
    ]

    @Test(arguments: hunts)
    func `is found out, and a sound one is not accused`(hunt: Hunt) async throws {
        #if DEBUG
            var caught: UInt64?
            for seed in 1...hunt.seeds where caught == nil {
                await Task.yield()
                let run = try Defect.$active.withValue(hunt.defect) { try Run(hunt.plan(seed), pool: pool) }
                if run.failure != nil { caught = seed }
            }
            let last = try #require(caught, "not found in \(hunt.seeds) seeds")
            for seed in 1...last {
                await Task.yield()
                let sound = try Run(hunt.plan(seed), pool: pool)
                #expect(sound.failure == nil, "seed \(seed) without the defect")
            }
        #endif
    }

    /// Those that no drawn world reaches soon enough are told as scenarios, which end with `broken by …`.
    @Test func `is tried in every way that the protocol names`() throws {
        let told = try ScenarioFile.all().flatMap { file in
            file.text.split(separator: "\n").compactMap { line in
                line.hasPrefix("broken by ")
                    ? Defect(rawValue: String(line.dropFirst("broken by ".count))) : nil
            }
        }
        let tried = Set(Self.hunts.map(\.defect) + told)
        for defect in Defect.allCases where !tried.contains(defect) {
            Issue.record("\(defect) is neither hunted nor told")
        }
    }
}
