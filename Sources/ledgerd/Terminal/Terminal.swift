import ArgumentParser
import Foundation
import Glibc

/// What commands may print as.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

/// The two output streams: answers go to standard output, everything about the work to standard error.
enum Terminal {
    static func warn(_ text: String) { writeError("warning: \(text)\n") }
    static func note(_ text: String) { writeError("\(text)\n") }

    static func writeError(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    /// At once, even into a pipe.
    static func writeLine(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// One line of JSON.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// In cells: `COLUMNS` and `LINES` first, so that a script can say; then what the terminal says; then 80 by 24.
    static func size(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> (columns: Int, lines: Int) {
        var window = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0
        func choose(_ name: String, _ told: UInt16, _ fallback: Int) -> Int {
            if let text = environment[name], let number = Int(text), (1...10_000).contains(number) {
                return number
            }
            return isKnown && told > 0 ? Int(told) : fallback
        }
        return (choose("COLUMNS", window.ws_col, 80), choose("LINES", window.ws_row, 24))
    }
}

/// A file that a person asked for.
enum OutputFile {
    /// Replaces what was there, whole or not at all.
    ///
    /// - Throws: `CommandFailure`.
    static func write(_ bytes: [UInt8], to path: String) throws {
        do { try Data(bytes).write(to: URL(filePath: path), options: .atomic) } catch {
            throw CommandFailure(
                .unreachable, "\(path) cannot be written: \(error.localizedDescription)",
                remedy: "Name a file in a directory that you may write to.")
        }
    }
}
