import Foundation
import TestSupport
import Testing

@testable import ledgerd

@Suite struct `The command up` {
    @Test func `runs the nodes of a directory and passes SIGTERM on`() async throws {
        let directory = try await ServedLedger.copy()
        let process = Process()
        process.executableURL = Command.executable
        process.arguments = ["up", "--directory", directory.path]
        process.environment = Command.environment([:])
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        defer { if process.isRunning { process.terminate() } }

        let words = ServedLedger.line(output.fileHandleForReading).split(separator: " ").map(String.init)
        try #require(words.count == 3, "\(words)")
        #expect(words[0] == "node1")
        #expect(words[2] == "ready")
        let pid = String(decoding: try directory.read("run/up.pid"), as: UTF8.self)
        #expect(pid == "\(process.processIdentifier)\n")
        try Command.run("status", "--ledger", words[1], in: directory.path).expecting(0)

        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(ServedLedger.line(output.fileHandleForReading) == "node1  ended")
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/run/up.pid"))
        try Command.run("status", "--ledger", words[1], in: directory.path).expecting(3)
    }
}
