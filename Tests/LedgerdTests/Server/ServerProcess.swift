import Foundation
import Glibc
import TestSupport

@testable import ledgerd

/// `ledgerd serve` as a process of its own: the binary that was built with these tests.
final class ServerProcess: Sendable {
    let port: Int
    let processID: pid_t
    private let process: Process

    struct DidNotStart: Error {}

    static var binary: URL {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "ledgerd")
    }

    /// - Parameter shell: goes before the command, in one line of shell, such as `ulimit -f 100;`.
    init(directory: TemporaryDirectory, shell: String = "") throws {
        process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = [
            "-c", "\(shell) exec \"$0\" serve --directory \"$1\" --log-level critical", Self.binary.path(),
            directory.path + "/ledger/node1",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        processID = process.processIdentifier
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            guard let byte = try output.fileHandleForReading.read(upToCount: 1)?.first else {
                process.waitUntilExit()
                throw DidNotStart()
            }
            line.append(byte)
        }
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .newlines)
        guard let port = text.split(separator: ":").last.flatMap({ Int($0) }) else {
            process.terminate()
            throw DidNotStart()
        }
        self.port = port
    }

    deinit { if process.isRunning { Glibc.kill(processID, SIGKILL) } }

    func kill() { Glibc.kill(processID, SIGKILL) }
    func terminate() { Glibc.kill(processID, SIGTERM) }

    var isRunning: Bool { process.isRunning }

    /// - Returns: The exit status, or the negated signal.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Memory that the process has in RAM and not from files, in bytes.
    var residentBytes: Int {
        get throws {
            let text = try String(contentsOfFile: "/proc/\(processID)/statm", encoding: .utf8)
            let pages = text.split(separator: " ").compactMap { Int($0) }
            guard pages.count > 2 else { throw DidNotStart() }
            return (pages[1] - pages[2]) * Int(getpagesize())
        }
    }

    /// Sets how large its files may grow, from now on; `nil` for no limit.
    func limitFiles(toBytes bytes: Int?) throws {
        let limit = bytes.map { "\($0)" } ?? "unlimited"
        try TemporaryDirectory().shell("prlimit --pid \(processID) --fsize=\(limit):unlimited")
    }
}
