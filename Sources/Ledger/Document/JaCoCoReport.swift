/// Sums up a JaCoCo report.
///
/// Taken from the counters of the packages themselves: JaCoCo counts a line that two methods share once there. The
/// same package in several groups (modules) is summed.
struct JaCoCoReport: Report {
    private let defaults: ReportDefaults
    private var packages = GroupTable<String, CoverageTally>()
    private var warnings = ReportWarnings()
    /// The newest dump of execution data.
    private var time: Timestamp?
    private var package: String?
    /// Names of the open elements, from the root.
    private var path: [String] = []

    init(_ defaults: ReportDefaults) { self.defaults = defaults }

    mutating func start(_ element: StartTag) throws(ReportError) {
        if path.isEmpty {
            guard element.name == "report" else {
                throw .wrongKind(expected: .jacoco, found: ReportFormat.kind(ofRoot: element))
            }
        }
        switch element.name {
        case "sessioninfo":
            if let dump = ReportNumber.time(sinceEpoch: element["dump"]) { time = max(time ?? dump, dump) }
        case "package":
            package = .packageLabel(element["name"])
        case "counter" where path.last == "package":
            if let package { try count(element, in: package) }
        default:
            break
        }
        path.append(element.name)
    }

    mutating func end(_ name: String) throws(ReportError) {
        _ = path.popLast()
        if name == "package" { package = nil }
    }

    private mutating func count(_ counter: StartTag, in package: String) throws(ReportError) {
        let type = counter["type"] ?? ""
        guard let metric = CoverageMetric(jacoco: type) else {
            return warnings.add("a counter of the type \"\(DocumentError.excerpt(type))\" is left out")
        }
        guard let covered = ReportNumber.count(counter["covered"]),
            let missed = ReportNumber.count(counter["missed"])
        else {
            return warnings.add(
                "package \"\(DocumentError.excerpt(package))\": a counter without counts is left out")
        }
        try packages.update(package, default: CoverageTally()) {
            $0.add(metric, covered: covered, missed: missed)
        }
    }

    func summary(contentDigest: Digest) -> ReportSummary {
        packages.summary(time: time, defaults: defaults, warnings: warnings, contentDigest: contentDigest)
    }
}

extension CoverageMetric {
    fileprivate init?(jacoco type: String) {
        switch type {
        case "LINE": self = .lines
        case "BRANCH": self = .branches
        case "INSTRUCTION": self = .instructions
        case "COMPLEXITY": self = .complexity
        case "METHOD": self = .methods
        case "CLASS": self = .classes
        default: return nil
        }
    }
}
