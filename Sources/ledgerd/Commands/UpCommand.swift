import ArgumentParser
import Dispatch
import Foundation
import Glibc
import Synchronization

/// `ledgerd up`: a ledger to try, all of its nodes on this machine.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Make a ledger if there is none, and run its nodes as child processes.",
        discussion: """
            One line per node: name, address, state. SIGTERM and SIGINT are passed on to the nodes and waited for; \
            a node that ends is not started again. To try things, not for production.
            """)

    @Option(help: "Where the ledger lies; here, or ./.ledger, without it.")
    var directory: String?

    @Option(help: "How many nodes a new ledger gets.")
    var nodes = 1

    @Option(help: "The name of a new ledger.")
    var origin = LedgerPlan.defaultOrigin

    @Option(name: .customLong("base-port"), help: "P of a new ledger: node i serves HTTPS on P+i.")
    var basePort = LedgerPlan.defaultBasePort

    func run() async throws {
        let directory = directory ?? LedgerDirectory.find()?.path ?? ".ledger"
        if !FileManager.default.fileExists(atPath: directory + "/genesis.xml") {
            var arguments = ["--directory", directory, "--nodes", String(nodes), "--origin", origin]
            arguments += ["--base-port", String(basePort)]
            guard let command = try InitCommand.parseAsRoot(arguments) as? InitCommand else { return }
            try await command.run()
        }
        let names = try Self.nodes(in: directory)
        let pidFile = try Self.writeProcessID(in: directory)
        defer { unlink(pidFile) }

        let children = NodeProcesses()
        let signals = children.passSignalsOn()
        defer { for source in signals { source.cancel() } }
        for name in names { try children.start(name, directory: "\(directory)/\(name)") }
        let failed = await children.ended()
        guard failed.isEmpty || children.wasAskedToStop else {
            throw CommandFailure(
                .unreachable, "ended by itself: \(failed.joined(separator: ", "))",
                remedy: "See the lines above; then run `ledgerd up` again.")
        }
    }

    /// The nodes of a directory, by number.
    static func nodes(in directory: String) throws -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let names = entries.filter {
            FileManager.default.fileExists(atPath: "\(directory)/\($0)/\(NodeConfiguration.fileName)")
        }
        guard !names.isEmpty else {
            throw CommandFailure(
                .wrongUsage, "there is no node in \(directory)",
                remedy: "Name the directory that `init` made.")
        }
        return names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    private static func writeProcessID(in directory: String) throws -> String {
        let path = directory + "/run/up.pid"
        do {
            try FileManager.default.createDirectory(
                atPath: directory + "/run", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw CommandFailure(
                .unreachable, "\(directory)/run cannot be made: \(error.localizedDescription)",
                remedy: "Make it writable for the one who runs the nodes.")
        }
        try OutputFile.write(Array("\(getpid())\n".utf8), to: path)
        return path
    }
}

/// The nodes as child processes of this executable.
private final class NodeProcesses: Sendable {
    private struct State {
        var running: [(name: String, process: Process)] = []
        var isStopping = false
    }

    private let state = Mutex(State())
    private let exits = AsyncStream.makeStream(of: (name: String, status: Int32).self)

    var wasAskedToStop: Bool { state.withLock { $0.isStopping } }

    /// From here on SIGTERM and SIGINT go to the children, who end in order; then this process ends.
    ///
    /// - Returns: What has to be kept as long as signals are to be passed on.
    func passSignalsOn() -> [any DispatchSourceSignal] {
        [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in stop() }
            source.resume()
            return source
        }
    }

    private func stop() {
        state.withLock { state in
            state.isStopping = true
            for child in state.running where child.process.isRunning { child.process.terminate() }
        }
    }

    /// - Throws: `CommandFailure`.
    func start(_ name: String, directory: String) throws {
        let process = Process()
        process.executableURL = Self.executable
        process.arguments = ["serve", "--directory", directory]
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        output.fileHandleForReading.readabilityHandler = Self.lines { line in
            // `node1 serves https://127.0.0.1:7401`
            let words = line.split(separator: " ")
            let isAddress = words.count == 3 && words[1] == "serves"
            Terminal.writeLine(isAddress ? "\(words[0])  \(words[2])  ready" : line)
        }
        let exits = exits.continuation
        process.terminationHandler = { process in
            output.fileHandleForReading.readabilityHandler = nil
            exits.yield((name, process.terminationStatus))
        }
        do {
            try state.withLock { state in
                // A signal that came while nodes were being started ends the start as well.
                guard !state.isStopping else { return }
                try process.run()
                state.running.append((name, process))
            }
        } catch {
            stop()
            throw CommandFailure(
                .unreachable, "\(name) cannot be started: \(error.localizedDescription)",
                remedy: "Check that \(Self.executable.path) can be executed.")
        }
    }

    /// Waits until every node has ended.
    ///
    /// - Returns: Those that ended with another status than 0.
    func ended() async -> [String] {
        var waiting = state.withLock { $0.running.count }
        var failed: [String] = []
        guard waiting > 0 else { return failed }
        for await exit in exits.stream {
            let isClean = exit.status == 0
            Terminal.writeLine("\(exit.name)  ended\(isClean ? "" : " with status \(exit.status)")")
            if !isClean { failed.append(exit.name) }
            waiting -= 1
            if waiting == 0 { break }
        }
        return failed
    }

    private static var executable: URL { ThisExecutable.url }

    /// Cuts what a pipe gives into lines. The handler is called on one queue, a piece at a time.
    private static func lines(_ body: @escaping @Sendable (String) -> Void) -> @Sendable (FileHandle) -> Void
    {
        let rest = Mutex<[UInt8]>([])
        return { handle in
            let piece = [UInt8](handle.availableData)
            guard !piece.isEmpty else { return handle.readabilityHandler = nil }
            let lines = rest.withLock { rest -> [String] in
                rest += piece
                var lines: [String] = []
                while let end = rest.firstIndex(of: 0x0A) {
                    lines.append(Printable.line(String(decoding: rest[..<end], as: UTF8.self)))
                    rest.removeFirst(end + 1)
                }
                // A child of ours writes short lines; anything else is not worth keeping.
                if rest.count > 4096 { rest.removeAll() }
                return lines
            }
            for line in lines { body(line) }
        }
    }
}

/// The file that this process runs.
enum ThisExecutable {
    static var url: URL {
        let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(filePath: path ?? CommandLine.arguments.first ?? "ledgerd")
    }
}
