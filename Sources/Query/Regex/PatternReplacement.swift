/// What `label_replace` makes of a text: a template filled with the groups of a pattern that matches the whole text.
struct PatternReplacement: Sendable {
    private enum Part: Hashable, Sendable {
        case text(String)
        case group(Int)
    }

    private let program: PatternProgram
    private let parts: [Part]

    init(pattern: String, template: String) throws(Pattern.Failure) {
        let (node, names) = try PatternParser.nodeWithGroups(of: pattern)
        program = try PatternProgram(node, groups: names.count)
        parts = Self.parts(of: template, names)
    }

    /// `nil` where the pattern does not match.
    func replaced(_ text: String) -> String? {
        guard let groups = program.groups(of: text) else { return nil }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        for part in parts {
            switch part {
            case .text(let text): result.append(contentsOf: text.unicodeScalars)
            case .group(let group):
                if group < groups.count, let range = groups[group] {
                    result.append(contentsOf: scalars[range])
                }
            }
        }
        return String(result)
    }

    /// `$1`, `${1}`, `$name`, `${name}`, and `$$` for `$`, as Go's `Regexp.Expand` reads them: the name is as long as
    /// possible, and an unknown one is empty.
    private static func parts(of template: String, _ names: [String?]) -> [Part] {
        var parts: [Part] = []
        var text = String.UnicodeScalarView()
        var rest = Array(template.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            guard scalar == "$" else {
                text.append(scalar)
                continue
            }
            if rest.first == "$" {
                rest.removeFirst()
                text.append("$")
                continue
            }
            let isBraced = rest.first == "{"
            let candidate = isBraced ? rest.dropFirst() : rest
            let name = candidate.prefix { $0.properties.isAlphabetic || $0.isWord }
            let after = candidate.dropFirst(name.count)
            guard !name.isEmpty, !isBraced || after.first == "}" else {
                // Go takes it for text.
                text.append("$")
                continue
            }
            rest = isBraced ? after.dropFirst() : after
            if !text.isEmpty { parts.append(.text(String(text))) }
            text = String.UnicodeScalarView()
            var word = String.UnicodeScalarView()
            word.append(contentsOf: name)
            if let number = groupNumber(String(word)) {
                parts.append(.group(number))
            } else if let number = names.firstIndex(of: String(word)) {
                parts.append(.group(number))
            }
        }
        if !text.isEmpty { parts.append(.text(String(text))) }
        return parts
    }

    private static func groupNumber(_ word: String) -> Int? {
        guard word.utf8.allSatisfy(\.isDigit) else { return nil }
        return Int(word) ?? .max
    }
}
