import ArgumentParser
import Foundation
import Replication
import Simulation
import Synchronization

/// Runs seeds, in as many threads as asked for, and says what they reach.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Runs simulated committees, each from one seed, and looks for contradictions and standstills.")

    @Option(help: "safety or liveness; both without it.")
    var mode: String?
    @Option(help: "How many seeds.")
    var seeds: UInt64 = 1000
    @Option(help: "The first of them.")
    var first: UInt64 = 1
    @Option(help: "Members; each seed chooses without it.")
    var nodes: Int?
    @Option(help: "Threads.")
    var jobs = 2
    @Flag(help: "Worlds of four where one lies in every way and views change all the time.")
    var hostile = false
    @Flag(help: "Print the trace of every seed.")
    var trace = false
    @Option(help: "Lines of the trace that are shown of a failure.")
    var lines = 60
    @Option(help: "A defect of the protocol, by name; in debug builds.")
    var defect: String?
    @Option(help: "Failures after which it ends.")
    var failures = 5
    @Option(help: "A scenario to perform instead of seeds; prints it with what follows from each command.")
    var scenario: String?

    mutating func validate() throws {
        guard defect == nil || Defect(rawValue: defect ?? "") != nil else {
            throw ValidationError("the defects: \(Defect.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard jobs > 0, jobs <= Running.places else { throw ValidationError("1 to \(Running.places) jobs") }
        guard mode == nil || Mode(rawValue: mode ?? "") != nil else {
            throw ValidationError("the mode is safety or liveness")
        }
    }

    func run() throws {
        Running.reportTraps()
        let pool = try EntryPool.shared()
        if let scenario {
            let performance = try Scenario(try String(contentsOfFile: scenario, encoding: .utf8)).perform(
                pool: pool)
            print(performance.text, terminator: "")
            for problem in performance.problems { print(problem) }
            if !performance.problems.isEmpty { throw ExitCode.failure }
            return
        }
        let modes = mode.flatMap(Mode.init).map { [$0] } ?? Mode.allCases
        var isBroken = false
        for mode in modes { isBroken = run(mode, pool) || isBroken }
        if isBroken { throw ExitCode.failure }
    }

    private struct Progress: Sendable {
        var next: UInt64
        var done: UInt64 = 0
        var failures: [Run] = []
        var figures = Figures()
    }

    /// - Returns: Whether anything was found.
    private func run(_ mode: Mode, _ pool: EntryPool) -> Bool {
        let begin = ContinuousClock.now
        let progress = Mutex(Progress(next: first))
        DispatchQueue.concurrentPerform(iterations: jobs) { place in
            while true {
                let seed = progress.withLock { progress -> UInt64? in
                    guard progress.next < first + seeds, progress.failures.count < failures else {
                        return nil
                    }
                    defer { progress.next += 1 }
                    return progress.next
                }
                guard let seed else { return }
                Running.set(seed, at: place)
                guard let run = result(seed, mode, pool, traced: trace) else { return }
                if trace { print(run.trace.joined(separator: "\n"), run.digest) }
                let report = progress.withLock { progress -> String? in
                    progress.done += 1
                    progress.figures = progress.figures + run.figures
                    if run.failure != nil { progress.failures.append(run) }
                    guard progress.done % 2000 == 0 else { return nil }
                    return
                        "\(mode.rawValue): \(progress.done) seeds, \(progress.failures.count) failures, \(begin.duration(to: .now))"
                }
                if let report { print(report) }
                if run.failure != nil { show(seed, mode, pool) }
                fflush(nil)
            }
        }
        let end = progress.withLock { $0 }
        let seconds = begin.duration(to: .now) / .seconds(1)
        print(
            "\(mode.rawValue): \(end.done) seeds in \(Int(seconds)) s, \(Int(Double(end.done) / max(seconds, 0.001))) a second, \(end.failures.count) failures"
        )
        print("  \(end.figures)")
        for run in end.failures { print("  seed \(run.plan.seed): \(run.failure ?? "")") }
        return !end.failures.isEmpty
    }

    private func result(_ seed: UInt64, _ mode: Mode, _ pool: EntryPool, traced: Bool) -> Run? {
        do {
            let plan =
                hostile ? Plan(hostile: seed, mode: mode) : Plan(seed: seed, mode: mode, nodes: nodes)
            return try Defect.$active.withValue(defect.flatMap(Defect.init)) {
                try Run(plan, pool: pool, traced: traced)
            }
        } catch {
            print("seed \(seed) does not begin: \(error)")
            return nil
        }
    }

    /// The same seed again, with its trace.
    private func show(_ seed: UInt64, _ mode: Mode, _ pool: EntryPool) {
        guard let run = result(seed, mode, pool, traced: true) else { return }
        let size = (nodes.map { " --nodes \($0)" } ?? "") + (hostile ? " --hostile" : "")
        print("\nseed \(seed): \(run.failure ?? "does not fail again: it is not deterministic")")
        print("replay: simulate --mode \(mode.rawValue) --first \(seed) --seeds 1\(size) --trace")
        print("plan: \(run.plan)")
        for line in run.trace.suffix(lines) { print("  \(line)") }
    }
}

/// Which seeds are under way, for the message that a trap leaves.
enum Running {
    static let places = 64
    // Each place is written by one thread, and read by a handler that ends the process.
    nonisolated(unsafe) private static let seeds = UnsafeMutablePointer<UInt64>.allocate(capacity: places)

    static func set(_ seed: UInt64, at place: Int) { seeds[place] = seed }

    static func reportTraps() {
        seeds.initialize(repeating: 0, count: places)
        for number in [SIGILL, SIGTRAP, SIGSEGV] {
            signal(number) { number in
                var text = "\na trap in one of the seeds"
                for place in 0..<Running.places where Running.seeds[place] != 0 {
                    text += " \(Running.seeds[place])"
                }
                text += "\n"
                print(text, terminator: "")
                fflush(nil)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}
