import ArgumentParser
import Foundation
import Ledger

/// `ledgerd export`: every sample of some series, as it was measured.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write every sample of the series that selectors accept.",
        discussion: """
            Values are exact decimals, in the order of series and of times. CSV has a head and the columns name, \
            unit, labels (a JSON object), time, value and entry (where in the log the sample stands); NDJSON has the \
            same, an object a line. --from and --to are included. The answer is that of one moment, however long it \
            takes to read.
            """)

    @OptionGroup var client: ClientOptions

    @Argument(help: "Series selectors, such as 'test_cases{test_result=\"failed\"}'.")
    var selectors: [String]

    @Option(parsing: .unconditional, help: "The first time; the first there is without it.")
    var from: String?

    @Option(parsing: .unconditional, help: "The last time; the last there is without it.")
    var to: String?

    @OptionGroup var moment: MomentOption

    @Option(help: "csv or ndjson.")
    var format: ExportFormat = .csv

    func validate() throws { _ = try form() }

    private func form() throws -> [(name: String, value: String)] {
        let now = DocumentSender.now()
        var form = selectors.map { (name: "match[]", value: $0) } + [("format", format.rawValue)]
        let span = try TimeArgument.span(from: from, to: to, now: now)
        if let time = span.from { form.append(("start", time.description)) }
        if let time = span.to { form.append(("end", time.description)) }
        return try form + moment.form(now: now)
    }

    func run() async throws {
        let form = try form()
        var progress = ProgressLine("samples")
        defer { progress.finish() }
        var done: UInt64 = 0
        try await client.resolve().withClient(as: .analyst) { client in
            try await client.stream("/v1/export", form) { piece, header in
                do { try FileHandle.standardOutput.write(contentsOf: Data(piece)) } catch {
                    throw CommandFailure(
                        .unreachable, "standard output cannot be written: \(error.localizedDescription)",
                        remedy: "Check that there is room, and that what reads it goes on.")
                }
                done += UInt64(piece.count { $0 == UInt8(ascii: "\n") })
                progress.update(done, of: header(ExportRoutes.countField).flatMap { UInt64($0) })
            }
        }
    }
}

extension ExportFormat: ExpressibleByArgument {}
