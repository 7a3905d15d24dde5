import ArgumentParser
import Foundation
import Query

/// The five questions, as the log grows at the same pace.
struct GrowthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "growth",
        abstract: "The same questions to stores of more and more KPI events.",
        discussion: """
            Events come at one pace, ten million in 90 days, so that more events are a longer past: what lies outside \
            the range of a question should cost it nothing. (A million is nine days, less than most questions ask for.)
            """)
    @OptionGroup var options: BenchOptions

    @Option(parsing: .upToNextOption, help: "Numbers of events.")
    var events = [1_000_000, 10_000_000, 30_000_000]

    func run() async throws {
        try await Workbench.inScratch(options) { directory in
            var feeding = Report("Feeding: 2 % late, one thread")
            var report = Report("Five questions, in process, warm")
            var answers: [(events: Int, answers: [Question: Question.Answer])] = []
            for count in events {
                let bench = QueriesBench(
                    directory: directory, events: count, rounds: options.rounds, withPeers: false)
                let days = max(1, count / 111_111)
                let store = try bench.feed(latePercent: 2, days: days, "\(count) events", &feeding)
                answers.append((count, try Question.ask(QueryEngine(store: store), rounds: options.rounds)))
                feeding.add(
                    "… memory that is not the file's, MB", .count,
                    Series(values: [Machine.anonymousMegabytes]))
            }
            feeding.print()
            for question in Question.allCases {
                for (count, found) in answers {
                    report.add(
                        "\(question.rawValue), \(count) events", .microseconds,
                        found[question]?.times ?? Series())
                }
            }
            report.print()
        }
    }
}
