/// One line that imports a module.
struct ImportStatement: Equatable {
    /// The module alone: `Foundation` for `import struct Foundation.Data`.
    let module: String
    /// What stands before `import`: access levels and attributes, `@testable`.
    let modifiers: [String]
    let line: Int

    /// Every import of a file, those inside `#if` included.
    static func all(in source: SwiftSource) -> [ImportStatement] {
        var found: [ImportStatement] = []
        for (number, line) in source.codeLines.enumerated() {
            for statement in line.split(separator: ";") {
                // `@_spi(Name)import` and `@attribute import` alike fall into words.
                let words = statement.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
                guard let keyword = words.firstIndex(of: "import") else { continue }
                let modifiers = words[..<keyword].map(String.init)
                guard modifiers.allSatisfy({ $0.hasPrefix("@") || accessLevels.contains($0) }) else {
                    continue
                }
                var rest = words[(keyword + 1)...]
                if let kind = rest.first, kinds.contains(String(kind)) { rest.removeFirst() }
                guard let path = rest.first, let module = path.split(separator: ".").first else { continue }
                found.append(
                    ImportStatement(module: String(module), modifiers: modifiers, line: number + 1))
            }
        }
        return found
    }

    private static let accessLevels: Set<String> = [
        "public", "package", "internal", "fileprivate", "private",
    ]
    private static let kinds: Set<String> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor",
    ]
}

/// What the files of one folder, and of the folders below it that have no rule of their own, may import.
struct ImportRule {
    let folder: String
    let allowed: Set<String>
    /// What single files of the folder may import besides, by file name.
    var besides: [String: Set<String>] = [:]
}

struct ImportRules {
    let rules: [ImportRule]
    /// Seen by the files that may import them, and never passed on.
    let hidden: Set<String>

    func findings(in source: SwiftSource) -> [Finding] {
        let folder = source.path.split(separator: "/").dropLast().joined(separator: "/")
        let covering = rules.filter { folder == $0.folder || folder.hasPrefix($0.folder + "/") }
        guard let rule = covering.max(by: { $0.folder.count < $1.folder.count }) else {
            return [Finding(path: source.path, line: 0, reason: "no import rule covers \(folder)")]
        }
        let file = String(source.path.split(separator: "/").last ?? "")
        let allowed = rule.allowed.union(rule.besides[file] ?? [])
        return ImportStatement.all(in: source).flatMap { statement in
            reasons(against: statement, allowed: allowed, in: rule.folder).map {
                Finding(path: source.path, line: statement.line, reason: $0)
            }
        }
    }

    private func reasons(
        against statement: ImportStatement, allowed: Set<String>, in folder: String
    ) -> [String] {
        var reasons: [String] = []
        if !allowed.contains(statement.module) {
            reasons.append("\(folder) may not import \(statement.module)")
        }
        if statement.modifiers.contains(where: { $0.hasPrefix("@testable") || $0.hasPrefix("@_spi") }) {
            reasons.append("only tests look inside a module (\(statement.modifiers.joined(separator: " ")))")
        }
        if statement.modifiers.contains("@_exported") {
            reasons.append("a module passes no other module on (@_exported)")
        }
        if hidden.contains(statement.module),
            !Set(statement.modifiers).isDisjoint(with: ["public", "package"])
        {
            reasons.append("\(statement.module) stays inside its folder: import it without `public`")
        }
        return reasons
    }
}
