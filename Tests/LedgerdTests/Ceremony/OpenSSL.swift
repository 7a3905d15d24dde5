import Foundation

/// The `openssl` command: what an auditor has, and we did not write.
enum OpenSSL {
    struct Answer {
        let status: Int32
        /// Standard output and standard error, mixed.
        let text: String
    }

    static func run(_ arguments: String..., in directory: String) throws -> Answer {
        try run(arguments, in: directory)
    }

    static func run(_ arguments: [String], in directory: String) throws -> Answer {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = URL(filePath: directory)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Answer(status: process.terminationStatus, text: String(decoding: output, as: UTF8.self))
    }
}
