/// Sums up a Cobertura report, as written by Cobertura, coverage.py, gcovr, coverlet and others.
///
/// Counted from the `line` elements that stand in a class itself: those of its methods are the same lines again, and
/// the rates in the attributes are rounded.
struct CoberturaReport: Report {
    private let defaults: ReportDefaults
    private var packages = GroupTable<String, CoverageTally>()
    private var warnings = ReportWarnings()
    private var time: Timestamp?
    private var package: String?
    /// Names of the open elements, from the root.
    private var path: [String] = []

    init(_ defaults: ReportDefaults) { self.defaults = defaults }

    mutating func start(_ element: StartTag) throws(ReportError) {
        if path.isEmpty {
            guard element.name == "coverage", element["clover"] == nil, element["generated"] == nil else {
                throw .wrongKind(expected: .cobertura, found: ReportFormat.kind(ofRoot: element))
            }
            time = ReportNumber.time(sinceEpoch: element["timestamp"])
        } else if element.name == "package" {
            let name = String.packageLabel(element["name"])
            package = name
            try packages.update(name, default: CoverageTally()) { _ in }
        } else if element.name == "line", path.suffix(2) == ["class", "lines"], let package {
            try count(element, in: package)
        }
        path.append(element.name)
    }

    mutating func end(_ name: String) throws(ReportError) {
        _ = path.popLast()
        if name == "package" { package = nil }
    }

    private mutating func count(_ line: StartTag, in package: String) throws(ReportError) {
        guard let hits = Self.hits(line["hits"]) else {
            return warnings.add(
                "package \"\(DocumentError.excerpt(package))\": a line without hits is left out")
        }
        let branches = Self.branches(line["condition-coverage"])
        let hasBranches = line["branch"]?.lowercased() == "true"
        if hasBranches, branches == nil {
            warnings.add("package \"\(DocumentError.excerpt(package))\": a branch without counts is left out")
        }
        try packages.update(package, default: CoverageTally()) { tally in
            tally.add(.lines, covered: hits ? 1 : 0, missed: hits ? 0 : 1)
            if hasBranches, let branches {
                tally.add(.branches, covered: branches.covered, missed: branches.missed)
            }
        }
    }

    /// Whether a line was run; `nil` where that is not said. The count itself may have any length.
    private static func hits(_ text: String?) -> Bool? {
        guard let digits = text?.trimmingXMLSpace.utf8, !digits.isEmpty,
            digits.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return digits.contains { $0 != 0x30 }
    }

    /// `50% (1/2)`.
    private static func branches(_ text: String?) -> (covered: UInt64, missed: UInt64)? {
        guard let text, let open = text.lastIndex(of: "("), let close = text.lastIndex(of: ")"), open < close
        else { return nil }
        let parts = text[text.index(after: open)..<close].split(separator: "/")
        guard parts.count == 2, let covered = ReportNumber.count(String(parts[0])),
            let all = ReportNumber.count(String(parts[1])), covered <= all
        else { return nil }
        return (covered, all - covered)
    }

    func summary(contentDigest: Digest) -> ReportSummary {
        packages.summary(time: time, defaults: defaults, warnings: warnings, contentDigest: contentDigest)
    }
}
