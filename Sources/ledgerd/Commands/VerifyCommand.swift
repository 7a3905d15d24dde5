import ArgumentParser
import Foundation
import Ledger

/// `ledgerd verify`: an auditor's run of docs/formats.md, section 6.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Recompute a ledger and name the first difference.",
        discussion: """
            Everything is recomputed from what the ledger shows. Payloads are verified for an auditor (LEDGER_TOKEN, \
            --identity, or in the ledger's directory); without that role, all the rest is. Status 1 means a fault; 3, \
            that it could not be verified at all.
            """)

    @OptionGroup var client: ClientOptions

    @Option(
        help: "Read a node's directory (DIR/node1; DIR, if it is the only one), in a process of its own.")
    var directory: String?

    @Option(help: "The checkpoint that an earlier run saved: the log must extend it.")
    var since: String?

    @Option(help: "Keep the checkpoint of this run, where no fault was found.")
    var save: String?

    @Flag(
        help: "Verify in full only what came after --since; the leaves below are hashed and compared.")
    var incremental = false

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    /// This process is the child that reads; it speaks `AuditMessage` on standard output.
    @Flag(name: .customLong("read-here"), help: .hidden)
    var readsHere = false

    func validate() throws {
        guard directory == nil || client.urls.isEmpty else {
            throw ValidationError("Name --ledger or --directory, not both.")
        }
        guard !incremental || since != nil else {
            throw ValidationError("--incremental needs --since.")
        }
    }

    func run() async throws {
        let kept = try since.map { path in
            do {
                return try SignedNote(parsing: CommandFailure.reading(path, limitBytes: Limits.noteBytes))
            } catch let error as ProofError {
                throw CommandFailure(
                    .wrongUsage, "\(path) is not a checkpoint: \(error.reason)",
                    remedy: "Name the file that --save of an earlier run wrote.")
            }
        }
        if readsHere, let directory {
            let audit = try DirectoryAudit(directory: directory)
            await audit.runAsChild(since: kept, incremental: incremental)
            return
        }
        let started = ContinuousClock.now
        let outcome: AuditOutcome
        if let directory {
            outcome = try await DirectoryAudit(directory: directory).run(
                since: since, incremental: incremental,
                policy: try directoryPolicy(try await client.resolve()))
        } else {
            outcome = try await overHTTPS(since: kept)
        }
        try finish(outcome, in: ContinuousClock.now - started)
    }

    /// A policy that was named; the directory under examination vouches for nothing.
    private func directoryPolicy(_ context: ClientContext) throws -> Policy? {
        context.settings.policy == nil ? nil : try context.policy()
    }

    private func overHTTPS(since kept: SignedNote?) async throws -> AuditOutcome {
        let context = try await client.resolve()
        let policy = try context.policy()
        return try await context.withClient(as: .auditor) { client in
            let genesis = try await context.genesis(from: client, policy)
            return try await AuditOutcome.run(
                genesis.bytes, HTTPSAuditSource(client), since: kept, incremental: incremental)
        }
    }

    private func finish(_ outcome: AuditOutcome, in elapsed: Duration) throws {
        let summary = outcome.summary
        switch format {
        case .json: try Terminal.printJSON(summary)
        case .text where outcome.isClean: print(summary.text(in: elapsed), terminator: "")
        case .text: break
        }
        guard outcome.isClean else {
            for fault in summary.faults.dropFirst() { Terminal.note("also: \(Printable.line(fault))") }
            throw CommandFailure(
                .answerIsNo, Printable.line(summary.faults.first ?? "the run did not reach the end"),
                remedy:
                    "Keep the ledger's answers, or a copy of its directory, as evidence; docs/auditing.md goes on."
            )
        }
        if let save, let checkpoint = outcome.checkpoint { try OutputFile.write(checkpoint, to: save) }
    }
}
