import Foundation

/// What every file of the repository looks like from outside.
enum FileShape {
    /// Swift files, in bytes. Most here have a tenth of it; past this a file has two ideas.
    static let swiftFileBytes = 40_000
    /// Any file, in bytes. What is bigger is built or fetched, not kept.
    static let fileBytes = 1_000_000

    static func pathFindings(_ path: String) -> [Finding] {
        var reasons: [String] = []
        let components = path.split(separator: "/")
        if path.contains(where: \.isWhitespace) { reasons.append("a path without spaces, please") }
        if components.contains(where: { $0.hasPrefix("_") }) { reasons.append("no leading underscores") }
        if !path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { reasons.append("a path in ASCII, please") }
        for (pattern, reason) in unwanted where path.range(of: pattern, options: .regularExpression) != nil {
            reasons.append(reason)
        }
        return reasons.map { Finding(path: path, line: 0, reason: $0) }
    }

    private static let unwanted = [
        (
            #"(^|/)(\.build[^/]*|DerivedData|target|dist|__pycache__|\.venv|venv)/"#,
            "build output stays out of git"
        ),
        (
            #"\.(o|a|so|dylib|d|swiftmodule|swiftdoc|class|pyc|profraw|profdata|gcda|log)$"#,
            "build output stays out of git"
        ),
        (#"(^|/)(\.DS_Store|core|\.ledger/.*|.*\.(mdb|swp|orig|rej))$"#, "leftovers stay out of git"),
        (#"\.(key|pem|p8|p12|pfx|jks|kdbx|ssh)$|(^|/)id_(rsa|ecdsa|ed25519)$"#, "keys stay out of git"),
        (
            #"(^|/)(vendor|third_party|third-party|node_modules|Pods|Carthage|external)/|\.(jar|whl|deb|tar|t?gz|zip)$"#,
            "other people's code is a dependency, not a copy"
        ),
    ]

    static func sizeFindings(_ path: String, bytes count: Int) -> [Finding] {
        let limit = path.hasSuffix(".swift") ? swiftFileBytes : fileBytes
        return count <= limit
            ? [] : [Finding(path: path, line: 0, reason: "\(count) bytes, more than \(limit): split it")]
    }

    /// A file is named for its main type; `Type+Topic.swift` extends or helps `Type`. A file of several types that
    /// are one idea together may be named for the idea, as `Identifiers.swift`.
    static func nameFindings(_ source: SwiftSource) -> [Finding] {
        let file = source.path.split(separator: "/").last ?? ""
        let stem = file.dropLast(".swift".count)
        let name = stem.split(separator: "+").first ?? stem
        if name == "main" || name == "Package" { return [] }
        // Also of declarations inside others: `Host.swift` may hold `extension Plan { struct Host }`.
        let declared = names(matching: #"\b(?:\#(types)|extension)\s+"#, in: source)
        // `Certificate.swift` may hold `CommitCertificate`: the folder says the rest.
        if declared.isEmpty || declared.contains(where: { $0.hasSuffix(name) }) { return [] }
        if stem.contains("+") {
            // `SafeXML+Reader.swift` may declare `SafeXMLReader` alone.
            if declared.contains(where: { $0.hasPrefix(name) }) { return [] }
        } else if names(matching: #"^(?!\s)[^\n{]*?\b(?:\#(types))\s+"#, in: source).count > 1 {
            return []
        }
        return [
            Finding(
                path: source.path, line: 0,
                reason: "declares \(declared.joined(separator: ", ")), but is named \(stem)")
        ]
    }

    private static let types = "struct|class|enum|actor|protocol|typealias"

    /// The names that follow `prefix`, each once. `extension LedgerPlan.Host` counts for both of its names.
    private static func names(matching prefix: String, in source: SwiftSource) -> [String] {
        let pattern = prefix + #"(?!func\b|var\b)((?:\w+\.)*\w+)"#
        guard let expression = try? NSRegularExpression(pattern: pattern, options: .anchorsMatchLines) else {
            return []
        }
        let code = source.code
        var names: [String] = []
        for match in expression.matches(in: code, range: NSRange(code.startIndex..., in: code)) {
            guard let range = Range(match.range(at: 1), in: code) else { continue }
            for part in code[range].split(separator: ".").map(String.init) where !names.contains(part) {
                names.append(part)
            }
        }
        return names
    }

    /// Secrets and places of one machine in the text of a file.
    static func textFindings(_ path: String, _ text: String) -> [Finding] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().flatMap { number, line in
            var reasons: [String] = []
            if line.range(of: #"^-----BEGIN [A-Z ]*PRIVATE KEY-----"#, options: .regularExpression) != nil {
                reasons.append("keys stay out of git")
            }
            if line.range(of: #"(^|[\s"'`(=:])/(home|Users|root|work)/\w"#, options: .regularExpression)
                != nil
            {
                reasons.append("a path of one machine")
            }
            return reasons.map { Finding(path: path, line: number + 1, reason: $0) }
        }
    }
}
