import Foundation

/// A way of writing that is not allowed somewhere.
struct BannedCall {
    /// ICU regular expression.
    let pattern: String
    /// Folders, with everything below them.
    let folders: [String]
    let reason: String
    /// Whether comments and strings are searched too.
    var inProse = false

    func findings(in source: SwiftSource) -> [Finding] {
        guard folders.contains(where: { source.path.hasPrefix($0 + "/") }) else { return [] }
        let text = inProse ? source.text : source.code
        guard let expression = try? NSRegularExpression(pattern: pattern) else {
            return [Finding(path: source.path, line: 0, reason: "not a regular expression: \(pattern)")]
        }
        let range = NSRange(text.startIndex..., in: text)
        return expression.matches(in: text, range: range).compactMap { match in
            guard let place = Range(match.range, in: text) else { return nil }
            let line = text[..<place.lowerBound].utf8.count { $0 == UInt8(ascii: "\n") } + 1
            return Finding(path: source.path, line: line, reason: "`\(text[place])`: \(reason)")
        }
    }
}

/// A type that says it is safe to share, without a comment that says why.
func unexplainedSharing(in source: SwiftSource) -> [Finding] {
    let lines = source.lines
    return source.codeLines.enumerated().compactMap { number, code in
        guard code.contains("@unchecked Sendable") || code.contains("nonisolated(unsafe)") else { return nil }
        if lines[number].contains("//") { return nil }
        // Attributes, or further declarations that the same comment explains, may stand between.
        var above = number - 1
        while above >= 0, number - above <= 8 {
            let line = lines[above].drop(while: { $0 == " " })
            if line.hasPrefix("//") { return nil }
            if line.isEmpty || line.hasPrefix("}") { break }
            above -= 1
        }
        return Finding(
            path: source.path, line: number + 1, reason: "name the rule that makes sharing this safe")
    }
}
