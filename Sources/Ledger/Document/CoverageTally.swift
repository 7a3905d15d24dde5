/// What a coverage report counts.
enum CoverageMetric: Int, CaseIterable, Sendable {
    case lines
    case branches
    case instructions
    case complexity
    case methods
    case classes

    var measureName: String {
        switch self {
        case .lines: "code.coverage.lines"
        case .branches: "code.coverage.branches"
        case .instructions: "code.coverage.instructions"
        case .complexity: "code.coverage.complexity"
        case .methods: "code.coverage.methods"
        case .classes: "code.coverage.classes"
        }
    }

    var unit: String {
        switch self {
        case .lines: "{line}"
        case .branches: "{branch}"
        case .instructions: "{instruction}"
        case .complexity: "{path}"
        case .methods: "{method}"
        case .classes: "{class}"
        }
    }
}

/// Covered and missed of each metric, for one package.
struct CoverageTally: Sendable {
    private var covered = [Int128](repeating: 0, count: CoverageMetric.allCases.count)
    private var missed = [Int128](repeating: 0, count: CoverageMetric.allCases.count)
    private var isCounted = CoverageMetric.allCases.map { _ in false }

    /// Lines and branches are reported for every package, with zeros where it has none, so that a series does not
    /// stop when the last branch is gone.
    init() {
        isCounted[CoverageMetric.lines.rawValue] = true
        isCounted[CoverageMetric.branches.rawValue] = true
    }

    mutating func add(_ metric: CoverageMetric, covered: UInt64, missed: UInt64) {
        self.covered[metric.rawValue].addClamped(Int128(covered))
        self.missed[metric.rawValue].addClamped(Int128(missed))
        isCounted[metric.rawValue] = true
    }

    func measures(package: String, time: Timestamp, defaults: ReportDefaults) -> [Measure] {
        CoverageMetric.allCases.filter { isCounted[$0.rawValue] }.flatMap { metric in
            [("covered", covered[metric.rawValue]), ("missed", missed[metric.rawValue])].compactMap {
                state, count in
                Quantity(count: count).map { value in
                    Measure(
                        name: metric.measureName, unit: metric.unit, time: time,
                        labels: defaults.merged(with: [
                            Label(name: "code.coverage.state", value: state),
                            Label(name: "code.package", value: package),
                        ]),
                        value: value)
                }
            }
        }
    }
}

extension GroupTable<String, CoverageTally> {
    /// The summary that both coverage formats end in.
    func summary(
        time: Timestamp?, defaults: ReportDefaults, warnings: ReportWarnings, contentDigest: Digest
    ) -> ReportSummary {
        var warnings = warnings
        if groups.isEmpty { warnings.add("the report has no packages") }
        return ReportSummary(
            measures: groups.flatMap { group in
                group.tally.measures(package: group.key, time: time ?? defaults.time, defaults: defaults)
            },
            warnings: warnings.all, contentDigest: contentDigest)
    }
}

extension String {
    /// A package's name as its label; tools leave the name of the unnamed package empty.
    static func packageLabel(_ name: String?) -> String { name?.asLabelValue() ?? "default" }
}
