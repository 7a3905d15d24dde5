import ArgumentParser
import Foundation
import Logging

/// `ledgerd serve`: runs one node until SIGTERM or SIGINT.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run one node until SIGTERM or SIGINT, then stop it cleanly.")

    @Option(help: "The node's directory, made by `ledgerd init` (DIR/node1).")
    var directory: String

    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "notice"

    func run() async throws {
        LoggingSystem.bootstrap { label in StreamLogHandler.standardError(label: label) }
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw CommandFailure(
                .wrongUsage, "\(logLevel) is not a log level", remedy: "See `ledgerd serve --help`.")
        }
        LostFilePages.explain(in: directory)
        let directory = try NodeDirectory(path: directory)
        // Several nodes may write to one terminal.
        var logger = Logger(label: directory.configuration.node)
        logger.logLevel = level
        let node = try await Node(directory, logger: logger)
        try await NodeServer(node).run()
    }
}
