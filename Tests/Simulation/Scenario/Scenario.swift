import Replication

/// A history that is told rather than drawn by lot: commands, and below each what followed from it.
///
/// One line is one command; lines that begin with `#` and empty ones are for the reader; lines that begin with four
/// spaces are what the world answered, and are written by the test (docs/protocol.md, "Scenarios").
public struct Scenario: Sendable {
    struct Line: Sendable {
        let number: Int
        let text: String

        var isCommand: Bool { !text.isEmpty && !text.hasPrefix("#") }
        var words: [String] { text.split(separator: " ").map(String.init) }
    }

    /// Without the answers.
    let lines: [Line]

    public init(_ text: String) {
        var lines: [Line] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !line.hasPrefix(Self.indent) {
            let end = line.lastIndex { $0 != " " }
            lines.append(Line(number: index + 1, text: end.map { String(line[...$0]) } ?? ""))
        }
        while lines.last?.text.isEmpty ?? false { lines.removeLast() }
        self.lines = lines
    }

    static let indent = "    "

    /// What a scenario shows when it is performed.
    public struct Performance: Sendable {
        /// The whole file, with the answers as they are now.
        public let text: String
        /// What should not be: a broken promise, an expectation that was not met, a defect that nobody noticed.
        public let problems: [String]
    }

    /// - Throws: `Misspelt` for what is no command.
    public func perform(pool: EntryPool) throws -> Performance {
        var text: [String] = []
        var problems: [String] = []
        let stage = Stage(pool: pool)
        for line in lines {
            text.append(line.text)
            guard line.isCommand else { continue }
            let words = line.words
            if words.starts(with: ["broken", "by"]), words.count == 3 {
                guard let defect = Defect(rawValue: words[2]) else {
                    throw Misspelt(line: line.number, reason: "there is no defect \(words[2])")
                }
                #if DEBUG
                    let found = try problem(under: defect, before: line.number, pool: pool)
                    text.append(Self.indent + (found ?? "nobody notices"))
                    if found == nil { problems.append("line \(line.number): nobody notices \(defect)") }
                #else
                    text.append(Self.indent + "\(defect) is compiled into debug builds alone")
                #endif
                continue
            }
            guard problems.isEmpty else { continue }
            text += try stage.perform(line).map { Self.indent + $0 }
            if let problem = stage.problem { problems.append("line \(problem.line): \(problem.text)") }
        }
        return Performance(text: text.joined(separator: "\n") + "\n", problems: problems)
    }

    /// What is the first to go wrong with a defect. It names no line: answers move them.
    private func problem(under defect: Defect, before number: Int, pool: EntryPool) throws -> String? {
        try Defect.$active.withValue(defect) {
            let stage = Stage(pool: pool)
            for line in lines where line.isCommand && line.number < number {
                if line.text.hasPrefix("broken by") { continue }
                _ = try stage.perform(line)
                if let problem = stage.problem { return problem.text }
            }
            return nil
        }
    }

    /// A line that is no command.
    public struct Misspelt: Error, CustomStringConvertible {
        public let line: Int
        public let reason: String
        public var description: String { "line \(line): \(reason)" }
    }
}
