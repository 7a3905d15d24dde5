import Dispatch
import Foundation
import Ledger
import Synchronization

/// An auditor's run of a node's directory.
///
/// LMDB's pages have no checksums, so a damaged file may crash its reader: the reading is done by a child process, this
/// executable again, which tells how far it is. Whatever happens to it, this process can name the place.
struct DirectoryAudit: Sendable {
    /// The node's.
    let directory: String

    /// - Parameter directory: a node's, or that of a ledger with one node.
    /// - Throws: `CommandFailure` that names the nodes where there are several.
    init(directory: String) throws(CommandFailure) {
        func isNode(_ path: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(path)/\(NodeConfiguration.fileName)")
        }
        let inside = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let nodes = inside.sorted().map { "\(directory)/\($0)" }.filter(isNode)
        if isNode(directory) || nodes.isEmpty {
            self.directory = directory
        } else if nodes.count == 1 {
            self.directory = nodes[0]
        } else {
            throw CommandFailure(
                .wrongUsage, "\(directory) has several nodes: \(nodes.joined(separator: ", "))",
                remedy: "Name the directory of one of them (--directory \(nodes[0])).")
        }
    }

    /// What the child says, a line of JSON each.
    private struct Message: Codable {
        var done: UInt64?
        var total: UInt64?
        var outcome: AuditOutcome?
        var failure: String?
    }

    private var genesisPath: String { directory + "/genesis.xml" }
    /// Where the node keeps its log: as its configuration says, else where `init` puts it.
    private var dataPath: String {
        let configuration = FileManager.default.contents(
            atPath: "\(directory)/\(NodeConfiguration.fileName)"
        )
        .flatMap { try? JSONDecoder().decode(NodeConfiguration.self, from: $0) }
        let data = configuration?.data ?? "data"
        return data.hasPrefix("/") ? data : "\(directory)/\(data)"
    }

    // MARK: The parent

    /// - Parameter policy: one that the auditor holds; the directory's genesis must imply it.
    func run(since: String?, incremental: Bool, policy: Policy?) async throws -> AuditOutcome {
        let genesis = try AuthenticGenesis(
            parsing: try CommandFailure.reading(genesisPath), from: genesisPath)
        if let policy, (try? Policy(of: genesis.genesis)) != policy {
            return AuditOutcome(
                fault: "genesis: the directory's genesis has other members than the trust policy")
        }
        let process = Process()
        process.executableURL = ThisExecutable.url
        process.arguments = ["verify", "--read-here", "--directory", directory]
        if let since { process.arguments? += ["--since", since] }
        if incremental { process.arguments?.append("--incremental") }
        // What a crash of the child has to say is said here, in one line.
        var environment = ProcessInfo.processInfo.environment
        environment["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        do { try process.run() } catch {
            throw CommandFailure(
                .unreachable, "the reader cannot be started: \(error.localizedDescription)",
                remedy: "Check that \(ThisExecutable.url.path) can be executed.")
        }
        let heard = await Self.listen(to: output.fileHandleForReading)
        process.waitUntilExit()
        if let outcome = heard.outcome { return outcome }
        if let failure = heard.failure {
            throw CommandFailure(
                .unreachable, failure, remedy: "Name a node's directory (DIR/node1) that you may read.")
        }
        let how = process.terminationReason == .uncaughtSignal ? "signal" : "status"
        let good = heard.done.map { $0 > 0 ? "the last good index is \($0 - 1)" : "no entry was good" }
        return AuditOutcome(
            fault: "store: store damaged: the reader died of \(how) \(process.terminationStatus); "
                + (good ?? "nothing was read"))
    }

    /// The last of everything that the child says, until it ends.
    private static func listen(to handle: FileHandle) async -> Message {
        await withCheckedContinuation { continuation in
            // Blocks until the child ends: not a thread of the cooperative pool.
            DispatchQueue.global().async {
                let shown = ProgressPort("entries")
                var heard = Message()
                var rest: [UInt8] = []
                while case let piece = handle.availableData, !piece.isEmpty {
                    rest += piece
                    while let end = rest.firstIndex(of: 0x0A) {
                        if let message = try? JSONDecoder().decode(Message.self, from: Data(rest[..<end])) {
                            heard.done = message.done ?? heard.done
                            heard.outcome = message.outcome ?? heard.outcome
                            heard.failure = message.failure ?? heard.failure
                            if let done = message.done { shown.update(done, of: message.total ?? 0) }
                        }
                        rest.removeFirst(end + 1)
                    }
                }
                shown.finish()
                continuation.resume(returning: heard)
            }
        }
    }

    // MARK: The child

    /// Tells everything on standard output, its own failures too.
    func runAsChild(since kept: SignedNote?, incremental: Bool) async {
        do {
            let genesis = try AuthenticGenesis(
                parsing: try CommandFailure.reading(genesisPath), from: genesisPath)
            let first = ChainTip(genesis: genesis.genesis, id: genesis.ledgerID).header
            let log = try LogStore(directory: dataPath, genesis: first, access: .reading)
            let outcome = try await AuditOutcome.run(
                genesis.bytes, LogAuditSource(log), since: kept, incremental: incremental,
                showsProgress: false
            ) { progress in Self.say(Message(done: progress.done, total: progress.total)) }
            Self.say(Message(outcome: outcome))
        } catch let error as StoreError {
            switch error {
            case .damaged: Self.say(Message(outcome: AuditOutcome(fault: "store: \(error)")))
            // LMDB's own codes are negative: it found no sense in a file that the system lets it read.
            case .system(_, let code, let reason) where code < 0:
                Self.say(Message(outcome: AuditOutcome(fault: "store: store damaged: \(reason)")))
            case .full, .locked, .missing, .otherFormat, .system:
                Self.say(Message(failure: "\(error)"))
            }
        } catch {
            Self.say(Message(failure: (error as? CommandFailure)?.what ?? "\(error)"))
        }
    }

    private static func say(_ message: Message) {
        guard let line = try? JSONEncoder().encode(message) else { return }
        FileHandle.standardOutput.write(line + [0x0A])
    }
}

/// Progress that closures may share.
final class ProgressPort: Sendable {
    private let progress: Mutex<ProgressLine>

    init(_ noun: String, isShown: Bool = Terminal.errorIsTerminal) {
        progress = Mutex(ProgressLine(noun, isShown: isShown))
    }

    func update(_ done: UInt64, of total: UInt64) { progress.withLock { $0.update(done, of: total) } }
    func finish() { progress.withLock { $0.finish() } }
}
