import ArgumentParser
import Foundation
import Ledger

/// `ledgerd explain`: how a PromQL expression would be answered.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show how a PromQL expression would be answered, without answering it.",
        discussion: """
            For each selector: what is asked of each window, from what it is answered, and how much there is. \
            `rollups` are aggregates that the node keeps, `newest` is one look-up for each window, `samples` reads \
            every sample once. Times are as for ledgerd query.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table
        case json
    }

    @OptionGroup var client: ClientOptions
    @OptionGroup var question: QuestionOptions

    @Option(help: "table or json.")
    var format: Format = .table

    func validate() throws { _ = try form() }

    private func form() throws -> [(name: String, value: String)] {
        let now = DocumentSender.now()
        return try question.form(try question.times(now: now), now: now)
    }

    func run() async throws {
        let form = try form()
        let json = try await client.resolve().withClient(as: .analyst) { client in
            try await client.query("/v1/explain", form)
        }
        guard format == .table else {
            print(String(decoding: json, as: UTF8.self))
            return
        }
        let answer: ExplainAnswer
        do { answer = try JSONDecoder().decode(ExplainAnswer.self, from: Data(json)) } catch {
            throw CommandFailure(ClientFailure.nonsense("the query interface spoke another JSON"))
        }
        print(answer.text, terminator: "")
    }
}

/// The answer of `/v1/explain`.
struct ExplainAnswer: Decodable, Equatable {
    struct Plan: Decodable, Equatable {
        let expression: String
        let type: String
        let moments: Int
        let selectors: [Selector]
    }

    struct Selector: Decodable, Equatable {
        let selector: String
        let question: String
        let way: String
        let series: Int
        let windows: Int
        let samples: UInt64
        let reads: UInt64
    }

    let data: Plan

    var text: String {
        let moments = data.moments == 1 ? "once" : "at \(data.moments) moments"
        var text = "\(data.expression)\n\(data.type), evaluated \(moments)\n"
        guard !data.selectors.isEmpty else { return text + "no selector: nothing is read\n" }
        var table = TextTable([
            TextTable.Column(title: "selector"), TextTable.Column(title: "question"),
            TextTable.Column(title: "answered from"), TextTable.Column(title: "series", alignment: .right),
            TextTable.Column(title: "windows", alignment: .right),
            TextTable.Column(title: "samples", alignment: .right),
            TextTable.Column(title: "reads at most", alignment: .right),
        ])
        for plan in data.selectors {
            table.append([
                plan.selector, plan.question, plan.way, "\(plan.series)", "\(plan.windows)",
                "\(plan.samples)", "\(plan.reads)",
            ])
        }
        text += table.aligned
        return text
    }
}
