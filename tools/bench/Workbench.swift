import Foundation

/// A directory with a throw-away ledger in it, gone at the end.
struct Workbench: Sendable {
    let rounds: Int
    let directory: String
    let ledger: BenchLedger

    /// This program's own directory, where the package's other programs lie.
    static let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    static func run(
        _ options: BenchOptions, _ body: (Workbench) async throws -> Void
    ) async throws {
        try await inScratch(options) { directory in
            let ledger = try BenchLedger(madeIn: directory + "/ledger")
            try await body(Workbench(rounds: options.rounds, directory: directory, ledger: ledger))
        }
    }

    /// Says what machine this is, and lends a directory that is gone at the end.
    static func inScratch(_ options: BenchOptions, _ body: (String) async throws -> Void) async throws {
        say(Machine.description)
        say(Machine.warmMemory())
        let directory = options.scratch + "/ledger-bench-\(ProcessInfo.processInfo.processIdentifier)"
        let watching = Cleanup.shared.watchSignals()
        defer { withExtendedLifetime(watching) {} }
        Cleanup.shared.add(directory: directory)
        defer { Cleanup.shared.remove(directory: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try await body(directory)
    }

    func startNode() throws -> ServerProcess { try ledger.startNode() }
}

extension BenchLedger {
    /// The ledger's node, in a process of its own, on any free port.
    func startNode() throws -> ServerProcess {
        let directory = nodes[0].directory
        let path = URL(filePath: directory + "/config.json")
        let text = try String(contentsOf: path, encoding: .utf8)
        // The first port of the file is that of HTTPS.
        guard let port = text.range(of: #""port" : [0-9]+"#, options: .regularExpression) else {
            throw BenchFailure("config.json has no port")
        }
        try text.replacingCharacters(in: port, with: #""port" : 0"#).write(
            to: path, atomically: true, encoding: .utf8)
        return try ServerProcess("ledgerd", ["serve", "--directory", directory])
    }
}

/// A program of this package, run beside this one; it serves until it is told to stop.
///
/// Safe to share: set up in `init`, and Foundation's `Process` locks itself.
final class ServerProcess: @unchecked Sendable {
    private let process = Process()
    /// Where it listens, on 127.0.0.1.
    let port: Int

    /// - Parameter arguments: of a command whose first line of output ends with `:PORT`.
    init(_ program: String, _ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(filePath: try Self.path(of: program))
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        Cleanup.shared.add(child: process.processIdentifier)
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            let bytes = output.fileHandleForReading.availableData
            guard !bytes.isEmpty else { break }
            line += bytes
        }
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let port = text.split(separator: ":").last.flatMap({ Int($0) }) else {
            process.terminate()
            Cleanup.shared.remove(child: process.processIdentifier)
            throw BenchFailure("\(program) \(arguments.joined(separator: " ")) did not say where it serves")
        }
        self.port = port
    }

    var identifier: Int32 { process.processIdentifier }

    /// Processor time it has used, all its threads together. Unlike the clock, it does not see who else is at work.
    var processorSeconds: Double {
        // Behind the name in brackets, user and system time are fields 12 and 13, in hundredths of a second.
        let text =
            (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            return .nan
        }
        return (user + system) / 100
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        Cleanup.shared.remove(child: process.processIdentifier)
    }

    /// Runs a program to its end.
    ///
    /// - Returns: What it wrote to standard output.
    @discardableResult
    static func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: try path(of: program))
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchFailure("\(program) \(arguments.joined(separator: " ")) failed")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func path(of program: String) throws -> String {
        let path = Workbench.programs + "/" + program
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw BenchFailure("there is no \(path): run `swift build -c release --product \(program)` first")
        }
        return path
    }
}
