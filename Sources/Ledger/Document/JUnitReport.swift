/// Sums up a JUnit report, as written by Surefire, Gradle, pytest, gotestsum, CTest, Node, Swift and others.
///
/// There is no standard; what is read is what they share. Results are counted from the test cases themselves, since
/// the attributes of real suites contradict them; only a suite without test cases is taken by its attributes.
struct JUnitReport: Report {
    private let defaults: ReportDefaults
    private var suites = GroupTable<SuiteKey, SuiteTally>()
    private var warnings = ReportWarnings()
    /// From the root to the innermost suite.
    private var open: [OpenSuite] = []
    private var testCase: OpenCase?

    init(_ defaults: ReportDefaults) { self.defaults = defaults }

    /// What one series of measures is about; two suites with the same key are one.
    private struct SuiteKey: Hashable {
        let name: String?
        let time: Timestamp
    }

    private struct SuiteTally {
        /// From test cases; `nil` while there was none.
        var listed: TestCounts?
        /// From the attributes of suites without test cases.
        var declared: TestCounts?

        /// Cases that are listed are counted, and nothing else: real reports follow a suite with a summary of the
        /// same name.
        var counts: TestCounts { listed ?? declared ?? TestCounts() }
    }

    private struct OpenSuite {
        let name: String?
        let time: Timestamp?
        let isWrapper: Bool
        let declared: DeclaredCounts
        var counts = TestCounts()
        var cases = 0
        var casesWithoutTime = 0
        var hasSuites = false

        /// For warnings.
        var title: String { DocumentError.excerpt(name ?? "without a name") }
    }

    /// What a suite's attributes say, for one without test cases.
    private struct DeclaredCounts {
        let tests: UInt64?
        let failures: UInt64
        let errors: UInt64
        let skipped: UInt64
        let time: String?

        init(_ element: StartTag) {
            tests = ReportNumber.count(element["tests"])
            failures = ReportNumber.count(element["failures"]) ?? 0
            errors = ReportNumber.count(element["errors"]) ?? 0
            skipped =
                ReportNumber.count(
                    element["skipped"] ?? element["skips"] ?? element["disabled"] ?? element["ignored"]) ?? 0
            time = element["time"]
        }
    }

    private struct OpenCase {
        var result: TestResult
        /// Elements open inside: only direct children say how the case ended.
        var depth = 0
    }

    mutating func start(_ element: StartTag) throws(ReportError) {
        if testCase != nil { return follow(insideCase: element.name) }
        switch element.name {
        case "testsuites", "testsuite":
            if let last = open.indices.last { open[last].hasSuites = true }
            open.append(
                OpenSuite(
                    name: element["name"]?.asLabelValue() ?? open.last?.name,
                    time: ReportNumber.time(element["timestamp"]) ?? open.last?.time,
                    isWrapper: element.name == "testsuites", declared: DeclaredCounts(element)))
        case "testcase" where !open.isEmpty:
            begin(element)
        default:
            guard !open.isEmpty else {
                throw .wrongKind(expected: .junit, found: ReportFormat.kind(ofRoot: element))
            }
        }
    }

    mutating func end(_ name: String) throws(ReportError) {
        if let current = testCase {
            guard current.depth == 0 else {
                testCase?.depth -= 1
                return
            }
            if let last = open.indices.last {
                open[last].cases += 1
                open[last].counts.add(current.result)
            }
            testCase = nil
        } else if name == "testsuite" || name == "testsuites", let suite = open.popLast() {
            try close(suite)
        }
    }

    private mutating func begin(_ element: StartTag) {
        guard let last = open.indices.last else { return }
        // GoogleTest and CTest say here, and nowhere else, that a case did not run.
        let status = element["status"]?.lowercased()
        let didNotRun =
            status == "notrun" || status == "disabled" || status == "skipped" || status == "ignored"
        testCase = OpenCase(result: didNotRun ? .skipped : .passed)
        if let nanos = duration(element["time"], of: open[last].name) {
            open[last].counts.add(nanos: nanos)
        } else {
            open[last].casesWithoutTime += 1
        }
    }

    private mutating func follow(insideCase name: String) {
        if testCase?.depth == 0, let said = TestResult(element: name), let result = testCase?.result {
            testCase?.result = result.worse(said)
        }
        testCase?.depth += 1
    }

    private mutating func close(_ suite: OpenSuite) throws(ReportError) {
        let key = SuiteKey(name: suite.name, time: suite.time ?? defaults.time)
        if suite.cases > 0 {
            let counts = countsOfCases(suite)
            try suites.update(key, default: SuiteTally()) { $0.listed = Self.sum($0.listed, counts) }
        } else if !suite.hasSuites, !suite.isWrapper, let tests = suite.declared.tests {
            let counts = countsOfAttributes(suite, tests: tests)
            try suites.update(key, default: SuiteTally()) { $0.declared = Self.sum($0.declared, counts) }
        } else {
            return
        }
        if suite.name == nil { warnings.add("a suite has no name") }
    }

    private static func sum(_ known: TestCounts?, _ more: TestCounts) -> TestCounts {
        guard var sum = known else { return more }
        sum.add(more)
        return sum
    }

    private mutating func countsOfCases(_ suite: OpenSuite) -> TestCounts {
        var counts = suite.counts
        if !counts.hasDuration, let nanos = duration(suite.declared.time, of: suite.name) {
            counts.add(nanos: nanos)
        } else if suite.casesWithoutTime > 0 {
            let title = suite.title
            warnings.add(
                "suite \"\(title)\": \(suite.casesWithoutTime) of \(suite.cases) test cases have no time")
        }
        return counts
    }

    private mutating func countsOfAttributes(_ suite: OpenSuite, tests: UInt64) -> TestCounts {
        let declared = suite.declared
        let title = suite.title
        let others = Int128(declared.failures) + Int128(declared.errors) + Int128(declared.skipped)
        if others > Int128(tests) {
            warnings.add("suite \"\(title)\": says \(tests) tests, and \(others) that did not pass")
        }
        var counts = TestCounts(
            passed: max(0, Int128(tests) - others), failed: Int128(declared.failures),
            error: Int128(declared.errors), skipped: Int128(declared.skipped))
        if let nanos = duration(declared.time, of: suite.name) {
            counts.add(nanos: nanos)
        } else {
            warnings.add("suite \"\(title)\": has no time")
        }
        return counts
    }

    /// A time attribute in units of 10⁻⁹ s; `nil` where it cannot be used, with a warning where it is there.
    private mutating func duration(_ text: String?, of suite: String?) -> Int128? {
        guard let text = text.map({ String($0.trimmingXMLSpace) }), !text.isEmpty else { return nil }
        if let nanos = ReportNumber.nanos(text), nanos >= 0 { return nanos }
        let title = DocumentError.excerpt(suite ?? "without a name")
        if ReportNumber.nanos(text) != nil {
            warnings.add("suite \"\(title)\": a negative time, \(DocumentError.excerpt(text)), is left out")
            return nil
        }
        if let plain = ReportNumber.withoutGroups(text), let nanos = ReportNumber.nanos(plain) {
            warnings.add(
                "suite \"\(title)\": a time with commas, \(DocumentError.excerpt(text)), is read as \(plain)")
            return nanos
        }
        warnings.add(
            "suite \"\(title)\": a time that is no number, \(DocumentError.excerpt(text)), is left out")
        return nil
    }

    func summary(contentDigest: Digest) -> ReportSummary {
        var warnings = warnings
        var measures: [Measure] = []
        measures.reserveCapacity(suites.groups.count * (TestResult.allCases.count + 1))
        for (suite, tally) in suites.groups {
            let counts = tally.counts
            let named = suite.name.map { [Label(name: "test.suite.name", value: $0)] } ?? []
            for result in TestResult.allCases {
                guard let value = Quantity(count: counts[result]) else { continue }
                measures.append(
                    Measure(
                        name: "test.cases", unit: "{case}", time: suite.time,
                        labels: defaults.merged(
                            with: named + [Label(name: "test.result", value: result.label)]),
                        value: value))
            }
            guard counts.hasDuration else { continue }
            guard let value = Quantity(nearestToNanos: counts.nanos) else {
                warnings.add("suite \"\(DocumentError.excerpt(suite.name ?? ""))\": its time is too large")
                continue
            }
            measures.append(
                Measure(
                    name: "test.duration", unit: "s", time: suite.time, labels: defaults.merged(with: named),
                    value: value))
        }
        if measures.isEmpty { warnings.add("the report has no test cases") }
        return ReportSummary(measures: measures, warnings: warnings.all, contentDigest: contentDigest)
    }
}
