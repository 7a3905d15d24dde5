import Foundation

/// A Markdown page as far as links are concerned: CommonMark's inline links, code spans and headings.
struct Markdown {
    struct Link: Equatable {
        let target: String
        let line: Int
    }

    /// Targets of `[text](target)`, `![image](target)` and `[name]: target`.
    private(set) var links: [Link] = []
    /// Code spans that name a file of this repository: `Sources/…`, `docs/…`.
    private(set) var paths: [Link] = []
    /// What `#fragment` may say, made from headings as GitHub does.
    private(set) var anchors: Set<String> = []

    init(_ text: String) {
        var fence: Substring?
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let content = line.drop(while: { $0 == " " })
            if let mark = ["```", "~~~"].first(where: content.hasPrefix) {
                if fence == nil { fence = mark[...] } else if fence == mark[...] { fence = nil }
                continue
            }
            if fence != nil || line.hasPrefix("    ") { continue }
            read(String(line), number + 1)
        }
    }

    private mutating func read(_ line: String, _ number: Int) {
        if line.hasPrefix("#") {
            let title = line.drop(while: { $0 == "#" })
            if title.hasPrefix(" ") { addAnchor(Self.slug(String(title))) }
        }
        for span in Self.matches(#"`([^`]+)`"#, line) where Self.namesAFile(span) {
            paths.append(Link(target: span, line: number))
        }
        let prose = line.replacingOccurrences(of: #"`[^`]*`"#, with: "code", options: .regularExpression)
        for pattern in [#"\]\(\s*<?([^)\s>]+)>?[^)]*\)"#, #"^\s{0,3}\[[^\]]+\]:\s*<?([^\s>]+)"#] {
            for target in Self.matches(pattern, prose) { links.append(Link(target: target, line: number)) }
        }
    }

    private mutating func addAnchor(_ slug: String) {
        var anchor = slug
        var count = 0
        while anchors.contains(anchor) {
            count += 1
            anchor = "\(slug)-\(count)"
        }
        anchors.insert(anchor)
    }

    /// GitHub's rule: lower case, letters, digits, hyphens and underscores stay, spaces become hyphens.
    static func slug(_ title: String) -> String {
        let text = title.trimmingCharacters(in: .whitespaces).lowercased()
        return String(
            text.compactMap { character in
                if character == " " { return "-" }
                return character.isLetter || character.isNumber || character == "-" || character == "_"
                    ? character : nil
            })
    }

    private static let folders = ["Sources/", "Tests/", "docs/", "tools/", ".ci/"]

    private static func namesAFile(_ span: String) -> Bool {
        folders.contains(where: span.hasPrefix) && !span.contains(where: { " *…<>{}[]".contains($0) })
            && !span.contains("NNNN")
    }

    private static func matches(_ pattern: String, _ text: String) -> [String] {
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return [] }
        return expression.matches(in: text, range: NSRange(text.startIndex..., in: text)).compactMap {
            Range($0.range(at: 1), in: text).map { String(text[$0]) }
        }
    }
}
