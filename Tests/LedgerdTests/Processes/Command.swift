import Foundation
import Query
import TestSupport
import Testing

@testable import ledgerd

/// The built executable, run as a user would.
enum Command {
    struct Answer {
        let status: Int32
        let output: String
        let error: String

        /// A test that expects another status shows what was said.
        @discardableResult
        func expecting(_ status: Int32, sourceLocation: SourceLocation = #_sourceLocation) -> Answer {
            #expect(self.status == status, "\(output)\(error)", sourceLocation: sourceLocation)
            return self
        }
    }

    /// Stands beside the bundle of the tests.
    static var executable: URL { ThisExecutable.url.deletingLastPathComponent().appending(path: "ledgerd") }

    /// Without whatever the one who runs the tests has set.
    static func environment(_ more: [String: String]) -> [String: String] {
        ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("LEDGER_") && !["XDG_CONFIG_HOME", "HOME"].contains($0.key) }
            .merging(more) { $1 }
    }

    static func run(
        _ arguments: String..., in directory: String, environment: [String: String] = [:], input: String = ""
    ) throws -> Answer {
        try run(arguments, in: directory, environment: environment, input: input)
    }

    static func run(
        _ arguments: [String], in directory: String, environment: [String: String] = [:], input: String = ""
    ) throws -> Answer {
        let files = try TemporaryDirectory()
        for name in ["in", "out", "err"] { try files.write(name == "in" ? Array(input.utf8) : [], name) }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory)
        process.environment = Self.environment(environment)
        // Files, not pipes: nobody has to read both at once.
        process.standardInput = try FileHandle(forReadingFrom: files.url.appending(path: "in"))
        process.standardOutput = try FileHandle(forWritingTo: files.url.appending(path: "out"))
        process.standardError = try FileHandle(forWritingTo: files.url.appending(path: "err"))
        try process.run()
        process.waitUntilExit()
        return Answer(
            status: process.terminationStatus, output: String(decoding: try files.read("out"), as: UTF8.self),
            error: String(decoding: try files.read("err"), as: UTF8.self))
    }
}

extension Command {
    /// A command that goes on until nobody has it any more.
    final class Running {
        private let process = Process()
        private let output = Pipe()

        fileprivate init(_ arguments: [String], in directory: String, environment: [String: String]) throws {
            process.executableURL = executable
            process.arguments = arguments
            process.currentDirectoryURL = URL(filePath: directory)
            process.environment = Command.environment(environment)
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = output
            try process.run()
        }

        deinit { process.terminate() }

        /// The next line of its output.
        func line() -> String { ServedLedger.line(output.fileHandleForReading) }
    }

    static func start(
        _ arguments: [String], in directory: String, environment: [String: String]
    ) throws -> Running {
        try Running(arguments, in: directory, environment: environment)
    }
}

/// A ledger made by `init`, whose node listens on whatever port is free.
final class ServedLedger: Sendable {
    let directory: TemporaryDirectory
    /// `https://127.0.0.1:<port>`
    let url: String
    /// Open as long as the node is to run; the kernel closes it when the tests end, however they do.
    private let lifeline: FileHandle
    private let output: FileHandle
    private let process: SendableProcess

    var path: String { directory.path }

    /// Made once: drawing RSA keys takes seconds.
    private static let template = Task {
        let directory = try TemporaryDirectory()
        let ledger = directory.path + "/ledger"
        let answer = try Command.run("init", "--directory", ledger, in: directory.path)
        try #require(answer.status == 0, "\(answer.error)")
        // Any free port; the node says which.
        let path = ledger + "/node1/" + NodeConfiguration.fileName
        var configuration = try JSONDecoder().decode(
            NodeConfiguration.self, from: Data(contentsOf: URL(filePath: path)))
        configuration.https.port = 0
        configuration.peers.port = 0
        configuration.windows = [
            WindowSettings(
                name: "hours", selector: "windowed", kind: "tumbling", size: "1h", by: ["pipeline"],
                allowedLateness: "0s")
        ]
        try JSONEncoder().encode(configuration).write(to: URL(filePath: path))
        return directory
    }

    /// A copy of a ledger that nobody has written to.
    static func copy() async throws -> TemporaryDirectory {
        let template = try await template.value
        let directory = try TemporaryDirectory()
        try directory.shell("cp -a '\(template.path)/ledger/.' .")
        return directory
    }

    /// One that all tests of this process share.
    static let shared = Task { try await ServedLedger(in: copy()) }

    init(in directory: TemporaryDirectory) throws {
        self.directory = directory
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c",
            #""$0" serve --directory node1 </dev/null & node=$!; cat >/dev/null; kill "$node"; wait "$node""#,
            Command.executable.path,
        ]
        process.currentDirectoryURL = directory.url
        process.environment = Command.environment([:])
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        lifeline = input.fileHandleForWriting
        self.output = output.fileHandleForReading
        self.process = SendableProcess(process: process)
        let line = Self.line(self.output)
        guard let address = line.split(separator: " ").last, address.hasPrefix("https://") else {
            throw NotServed(line: line)
        }
        url = String(address)
    }

    /// Ends the node in order; what it holds is on the disk then.
    func stop() throws {
        try lifeline.close()
        process.process.waitUntilExit()
    }

    deinit { try? lifeline.close() }

    static func line(_ handle: FileHandle) -> String {
        var bytes: [UInt8] = []
        while let byte = try? handle.read(upToCount: 1)?.first, byte != 0x0A { bytes.append(byte) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Runs a command in the ledger's directory.
    func run(
        _ arguments: String..., environment: [String: String] = [:], input: String = ""
    ) throws -> Command.Answer {
        try Command.run(
            arguments, in: path, environment: ["LEDGER_URL": url].merging(environment) { $1 }, input: input)
    }

    /// Waits until queries know all that is final.
    func followed() throws {
        while true {
            let answer = try run("status", "--format", "json")
            if answer.output.contains(#""queryLag":0"#) { return }
            try #require(answer.status == 0, "\(answer.error)")
        }
    }
}

/// `serve` said something else than its address.
private struct NotServed: Error {
    let line: String
}

/// Safe to share: only waited for, by one test.
private struct SendableProcess: @unchecked Sendable {
    let process: Process
}
