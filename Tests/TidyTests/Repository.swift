import Foundation

/// The files of this repository: those that git tracks, and those that it would track if they were added.
enum Repository {
    static let root: String = {
        // Tests/TidyTests/Repository.swift lies three levels below.
        var url = URL(filePath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path(percentEncoded: false)
    }()

    /// Relative to the root, sorted. Files that are deleted but not yet committed are left out.
    static let files: [String] = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // A checkout may belong to another user than the one who runs the tests, as in containers.
        process.arguments = [
            "git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others",
            "--exclude-standard",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil, let output = try? pipe.fileHandleForReading.readToEnd() else {
            return []
        }
        process.waitUntilExit()
        let paths = String(decoding: output, as: UTF8.self).split(separator: "\0").map(String.init)
        return Set(paths).filter { FileManager.default.fileExists(atPath: root + "/" + $0) }.sorted()
    }()

    static func files(under folder: String, named suffix: String) -> [String] {
        files.filter { $0.hasPrefix(folder + "/") && $0.hasSuffix(suffix) }
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }

    static func bytes(_ path: String) throws -> Data {
        try Data(contentsOf: URL(filePath: root + "/" + path))
    }

    static func swiftSources(under folders: String...) throws -> [SwiftSource] {
        try folders.flatMap { folder in
            try files(under: folder, named: ".swift").map { SwiftSource(path: $0, text: try text($0)) }
        }
    }
}
