/// A place that breaks a rule.
struct Finding: Equatable, CustomStringConvertible {
    /// Relative to the repository.
    let path: String
    /// Counted from 1; 0 where the rule is about the file as a whole.
    let line: Int
    let reason: String

    var description: String { line == 0 ? "\(path): \(reason)" : "\(path):\(line): \(reason)" }
}

extension [Finding] {
    /// One finding a line, as a compiler would print them.
    var report: String { map(\.description).joined(separator: "\n") }
}
