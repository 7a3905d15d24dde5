/// Why a report of another tool cannot be converted.
public enum ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not XML, cut short, or XML that is never read here. The line is counted from 1.
    case malformed(String, line: Int)
    /// XML, but another kind of report than was said.
    case wrongKind(expected: ReportFormat, found: String)
    /// More suites or packages than `Limits.reportGroups`.
    case tooManyGroups

    public var description: String {
        switch self {
        case .malformed(let reason, let line): "line \(line): \(reason)"
        case .wrongKind(let expected, let found): "this is \(found), not a \(expected.title) report"
        case .tooManyGroups: "the report has more than \(Limits.reportGroups) suites or packages"
        }
    }

    /// The same error at this line, where it has none yet.
    func located(atLine line: Int) -> ReportError {
        if case .malformed(let reason, 0) = self { .malformed(reason, line: max(1, line)) } else { self }
    }
}

/// The kinds of report that can be converted.
public enum ReportFormat: String, CaseIterable, Hashable, Sendable {
    case junit
    case cobertura
    case jacoco

    var title: String {
        switch self {
        case .junit: "JUnit"
        case .cobertura: "Cobertura"
        case .jacoco: "JaCoCo"
        }
    }

    /// What a root element gives away, for a message that helps.
    static func kind(ofRoot root: StartTag) -> String {
        switch root.name {
        case "testsuites", "testsuite": "a JUnit report"
        case "coverage" where root["clover"] != nil || root["generated"] != nil: "a Clover report"
        case "coverage": "a Cobertura report"
        case "report": "a JaCoCo report"
        case "CoverageSession": "an OpenCover report"
        case "TestRun": "a Visual Studio test report (TRX)"
        case "test-run", "test-results": "an NUnit report"
        case "assemblies", "assembly": "an xUnit.net report"
        case "testng-results": "a TestNG report"
        case "html": "a web page"
        case "kpis": "a KPI document"
        default: "XML with the root element <\(DocumentError.excerpt(root.name))>"
        }
    }
}
