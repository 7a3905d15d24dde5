import Foundation

/// The programs of this package, as they were built beside this one, be it `chaos` or the bundle of the tests.
enum Programs {
    /// - Throws: `ChaosFailure` where it was not built.
    static func path(_ name: String) throws -> String {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = own.appending(path: name).path(percentEncoded: false)
        if FileManager.default.isExecutableFile(atPath: path) { return path }
        throw ChaosFailure("there is no \(name) in \(own.path): build it first")
    }

    /// Without what the one who runs this has set.
    static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LEDGER_") }
    }

    /// Runs a program to its end.
    ///
    /// - Returns: Its status, and what it said on both outputs.
    static func run(_ name: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: try path(name))
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return await withCheckedContinuation { continuation in
            // Blocks: not on a thread of the cooperative pool.
            DispatchQueue.global().async {
                let text = String(
                    decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                continuation.resume(returning: (process.terminationStatus, text))
            }
        }
    }
}

/// Why a run cannot go on. What the ledger did wrong is a finding, not this.
public struct ChaosFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
