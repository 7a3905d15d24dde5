/// A regular expression of a label matcher: RE2 syntax, matched against the whole value, `.` for any character.
///
/// Time is bounded by pattern times value, whatever the pattern (no backtracking): a question must not be able to
/// stop a node. Understood are literals, `.`, classes with ranges, `\d \w \s` (ASCII), `[[:alpha:]]` and `\p{…}`,
/// groups and named groups, `|`, `* + ? {n,m}` and their lazy forms, `^ $ \A \z \b \B`, the flags `i m s U`, and the
/// escapes of Go. Everything else is refused by name.
/// Source: Go's `regexp/syntax`.
struct Pattern: Sendable {
    /// Why a text is no pattern, in Go's words.
    struct Failure: Error, Hashable {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    let text: String
    /// The values that match, where the pattern is only a list of them: `main|release`.
    let literals: [String]?
    private let program: PatternProgram

    init(_ text: String) throws(Failure) {
        let node = try PatternParser.node(of: text)
        self.text = text
        literals = node.literals(limit: 1000)
        program = try PatternProgram(node)
    }

    func matches(_ value: String) -> Bool {
        if let literals { return literals.contains { $0.utf8.elementsEqual(value.utf8) } }
        return program.matches(value)
    }
}
