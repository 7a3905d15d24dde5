import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@testable import ledgerd

/// Four real processes, as `up` runs them.
@Suite(.timeLimit(.minutes(20))) struct `Four nodes in processes` {
    @Test func `order entries wherever they are sent, and go on when the primary is killed`() async throws {
        let directory = try TemporaryDirectory()
        let base = try FreePorts.base(nodes: 4)
        let process = Process()
        process.executableURL = Command.executable
        process.arguments = [
            "up", "--directory", "ledger", "--nodes", "4", "--base-port", String(base),
        ]
        process.currentDirectoryURL = directory.url
        process.environment = Command.environment([:])
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        defer { if process.isRunning { process.terminate() } }
        var ready = 0
        while ready < 4 {
            let line = ServedLedger.line(output.fileHandleForReading)
            try #require(!line.isEmpty, "it ended before all nodes were ready")
            if line.hasSuffix("ready") { ready += 1 }
        }
        let ledger = directory.path + "/ledger"
        func url(_ node: Int) -> String { "https://127.0.0.1:\(base + node)" }
        func append(_ value: Int, at node: Int) throws -> Command.Answer {
            try Command.run(
                "append", "--measure", "x=\(value)", "--pipeline", "p", "--run", String(value), "--ledger",
                url(node), in: ledger)
        }

        try append(1, at: 2).expecting(0)
        try append(2, at: 3).expecting(0)
        // Node 3 has answered for the second: it has both.
        let verified = try Command.run("verify", "--ledger", url(3), in: ledger).expecting(0)
        #expect(verified.output.contains("2 entries"))

        let primary = try #require(Self.child(of: process.processIdentifier, named: "node1"))
        Glibc.kill(primary, SIGKILL)
        let begin = ContinuousClock.now
        let after = try append(3, at: 2).expecting(0)
        print("appended \(ContinuousClock.now - begin) after the primary was killed")
        #expect(after.output.contains("index 2"))
        try append(4, at: 4).expecting(0)
        let status = try Command.run("status", "--ledger", url(4), "--format", "json", in: ledger)
        #expect(
            status.output.contains("\"primary\":\"node2\"")
                || status.output.contains("\"primary\" : \"node2\""))

        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for node in 2...4 {
            let audit = try Command.run("verify", "--directory", "node\(node)", in: ledger)
            #expect(audit.output.contains("4 entries"), "\(audit.output)\(audit.error)")
        }
    }

    private static func child(of parent: pid_t, named name: String) -> pid_t? {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap {
            pid_t($0)
        }
        return numbers?.first { number in
            guard let status = FileManager.default.contents(atPath: "/proc/\(number)/status"),
                let command = FileManager.default.contents(atPath: "/proc/\(number)/cmdline")
            else { return false }
            return String(decoding: status, as: UTF8.self).contains("PPid:\t\(parent)\n")
                && String(decoding: command, as: UTF8.self).contains("/\(name)\0")
        }
    }
}
