import ArgumentParser
import Foundation

/// The table of contents of the command line.
@main
struct Ledgerd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledgerd",
        abstract: "A tamper-evident ledger for the KPIs of software delivery.",
        subcommands: [
            InitCommand.self,
            ServeCommand.self,
            UpCommand.self,
            AppendCommand.self,
            QueryCommand.self,
            ExplainCommand.self,
            ExportCommand.self,
            WindowsCommand.self,
            VerifyCommand.self,
            VerifyReceiptCommand.self,
            StatusCommand.self,
            TokenCommand.self,
            EnrollCommand.self,
            EraseCommand.self,
            EvidenceCommand.self,
        ])

    /// Runs a command and ends the process with the status that docs/interfaces.md promises.
    ///
    /// ArgumentParser alone would end with 64 after wrong usage.
    static func main() async {
        do {
            var command = try await asyncParseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            FileHandle.standardError.write(Data((failure.description + "\n").utf8))
            Foundation.exit(failure.status.rawValue)
        } catch  where exitCode(for: error) == .validationFailure {
            FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
            Foundation.exit(CommandFailure.Status.wrongUsage.rawValue)
        } catch  where exitCode(for: error) == .success {
            // Help was asked for, or the version.
            exit(withError: error)
        } catch {
            // Whatever it is, it is no verdict: 1 would say that something was verified and found wrong.
            FileHandle.standardError.write(Data((fullMessage(for: error) + "\n").utf8))
            Foundation.exit(CommandFailure.Status.unreachable.rawValue)
        }
    }
}
