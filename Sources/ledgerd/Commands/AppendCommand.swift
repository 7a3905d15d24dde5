import ArgumentParser
import Foundation
import Ledger

/// `ledgerd append`: converts, seals, signs and sends, and verifies what it is told.
struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Append documents, reports of other tools, or single measures.",
        discussion: """
            Documents are sealed to all nodes and signed by the identity. The receipt is verified against the trust \
            policy before it is printed. The same report of the same pipeline and run counts once, however often it \
            is sent. “-” is standard input.
            """)

    @OptionGroup var client: ClientOptions
    @OptionGroup var sources: AppendSources

    @Option(help: "Keep the receipt in this file (of several: FILE, FILE.2, …).")
    var receipt: String?

    @Option(
        help:
            "Keep sealed entries in this directory while the ledger is away; send those of earlier calls first."
    )
    var spool: String?

    @Flag(help: "End with status 0 whatever happens, with a warning.")
    var allowFailure = false

    @Option(help: "text or json.")
    var format: OutputFormat = .text

    func validate() throws { try sources.validate() }

    func run() async throws {
        do { try await append() } catch {
            guard allowFailure else { throw error }
            let failure = error as? CommandFailure
            Terminal.warn("not appended: \(failure?.what ?? Printable.line("\(error)"))")
        }
    }

    private func append() async throws {
        let context = try await client.resolve()
        let identity = try context.identity(orOwn: "ci")
        let policy = try context.policy()
        let spool = try spool.map(Spool.init)
        try await context.withClient(.certificate(identity)) { client in
            let genesis = try await context.genesis(from: client, policy, kept: spool?.genesisPath)
            try spool?.keep(genesis: genesis)
            let documents = try sources.documents(
                ledger: genesis.genesis.origin, submitter: identity.enrolledName(in: genesis.genesis))
            let sender = DocumentSender(client: client, policy: policy, genesis: genesis, identity: identity)
            try await AppendRun(sender: sender, spool: spool, receiptPath: receipt, format: format).run(
                documents)
        }
    }
}

/// One call of `append`, once it is known what is to be sent.
struct AppendRun {
    let sender: DocumentSender
    let spool: Spool?
    let receiptPath: String?
    let format: OutputFormat

    private struct Line: Encodable {
        let index: UInt64?
        let new: Bool
        let source: String
        let id: String
        let receipt: String?
    }

    func run(_ documents: [AppendSources.Document]) async throws {
        var isAway: ClientFailure?
        do { try await sendSpooled() } catch let error as ClientFailure {
            guard case .away = error else { throw error }
            isAway = error
        }

        var session: DocumentSender.Session?
        if isAway == nil, documents.count >= Limits.sessionFromDocuments {
            do { session = try await sender.openSession() } catch let error as ClientFailure {
                guard case .away = error else { throw error }
                isAway = error
            }
        }
        var progress = ProgressLine("documents", total: UInt64(documents.count))
        var kept = 0
        for (number, document) in documents.enumerated() {
            if isAway == nil {
                do {
                    try report(try await sender.send(document.outgoing, session), of: document, number)
                    progress.update(UInt64(number + 1))
                    continue
                } catch let error as ClientFailure {
                    guard case .away = error else { throw error }
                    // The others would wait as long, for nothing.
                    isAway = error
                } catch let error as EnvelopeError { throw tooLarge(document, error) }
            }
            guard let spool else { break }
            do { try spool.keep(try sender.seal(document.outgoing.bytes).bytes) } catch let error
                as EnvelopeError
            {
                throw tooLarge(document, error)
            }
            kept += 1
        }
        progress.finish()
        guard let isAway else { return }
        guard let spool else { throw isAway }
        throw CommandFailure(
            .unreachable,
            "\(CommandFailure(isAway).what); \(kept) sealed entries are kept in \(spool.directory)",
            remedy: "The next `ledgerd append --spool` sends them; with --allow-failure the status is 0.")
    }

    private func tooLarge(_ document: AppendSources.Document, _ error: EnvelopeError) -> CommandFailure {
        CommandFailure(
            .wrongUsage, "\(document.source) cannot be sealed: \(error.reason)",
            remedy: "Split the document, or check the genesis and the identity.")
    }

    /// Oldest first. What the ledger refuses for good is set aside.
    private func sendSpooled() async throws {
        guard let spool else { return }
        let files = spool.files()
        var progress = ProgressLine("spooled entries", total: UInt64(files.count))
        for (number, file) in files.enumerated() {
            guard let bytes = spool.read(file), let submission = try? Submission(bytes) else {
                spool.setAside(file)
                Terminal.warn("\(spool.directory)/\(file) is not what was kept; it is set aside")
                continue
            }
            do {
                let appended = try await sender.resend(submission)
                spool.remove(file)
                Terminal.note("entry \(appended.receipt.index), kept earlier, is in the ledger")
            } catch {
                guard case .refused(let refusal) = error else { throw error }
                if refusal.status == 410 || refusal.name == "conflict" {
                    // The id is taken: the pipeline reported this in another call.
                    spool.remove(file)
                } else {
                    spool.setAside(file)
                }
                Terminal.warn("an entry that was kept is refused: \(refusal.detail)")
            }
            progress.update(UInt64(number + 1))
        }
        progress.finish()
    }

    private func report(
        _ outcome: DocumentSender.Outcome, of document: AppendSources.Document, _ number: Int
    ) throws {
        switch outcome {
        case .appended(let appended):
            let text = String(decoding: appended.receipt.bytes, as: UTF8.self)
            let path = receiptPath.map { number == 0 ? $0 : "\($0).\(number + 1)" }
            if let path { try OutputFile.write(appended.receipt.bytes, to: path) }
            let index = appended.receipt.index.value
            switch format {
            case .json:
                try Terminal.printJSON(
                    Line(
                        index: index, new: appended.isNew, source: document.source, id: document.id,
                        receipt: text))
            case .text:
                let state = appended.isNew ? "appended" : "was there already"
                let count = document.measures == 1 ? "1 measure" : "\(document.measures) measures"
                print("entry \(index) \(state): \(count) of \(document.source)")
                print("document \(Printable.line(document.id))")
                if let path { print("receipt, verified: \(path)") } else { print(text, terminator: "") }
            }
        case .reportedBefore(let detail):
            switch format {
            case .json:
                try Terminal.printJSON(
                    Line(index: nil, new: false, source: document.source, id: document.id, receipt: nil))
            case .text: print("\(document.source) was reported before: \(detail)")
            }
            if receiptPath != nil { Terminal.warn("there is no receipt to keep: the first report has it") }
        }
    }
}
