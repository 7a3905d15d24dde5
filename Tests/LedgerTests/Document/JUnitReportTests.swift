import Ledger
import Testing

@Suite struct `A JUnit report` {
    /// The form that `swift test --xunit-output` writes.
    static let swift = """
        <?xml version="1.0" encoding="UTF-8"?>

        <testsuites>
        <testsuite name="TestResults" errors="0" tests="3" failures="1" skipped="1" time="0.0123">
        <testcase classname="LedgerTests.A" name="one()" time="0.001152">
        </testcase>
        <testcase classname="LedgerTests.A" name="two()" time="1.0E-4">
        <failure message="Expectation failed: a &lt; b &amp;&amp; c" type="x"></failure>
        </testcase>
        <testcase classname="LedgerTests.A" name="three()" time="0">
        <skipped>a reason</skipped>
        </testcase>
        </testsuite>
        </testsuites>
        """

    @Test func `of Swift is counted, with exact times`() throws {
        let summary = try convert(.junit, Self.swift)
        #expect(summary.results("TestResults") == ["1", "1", "0", "1"])
        #expect(summary.duration("TestResults") == "0.001252")
        #expect(summary.measures.count == 5)
        #expect(summary.measures.allSatisfy { $0.time == givenTime })
        #expect(summary.measures.map(\.unit) == ["{case}", "{case}", "{case}", "{case}", "s"])
        #expect(summary.warnings.isEmpty)
    }

    @Test func `comes to the same however it is cut into pieces`() throws {
        let whole = try convert(.junit, Self.swift)
        for pieceBytes in [1, 2, 3, 7, 64, 1000] {
            let pieces = try convert(.junit, Self.swift, pieceBytes: pieceBytes)
            #expect(pieces.measures == whole.measures)
            #expect(pieces.contentDigest == whole.contentDigest)
        }
    }

    @Test func `is counted from its cases, not from its attributes`() throws {
        let summary = try convert(
            .junit,
            """
            <testsuite name="s" tests="99" failures="98" errors="97" skipped="96" time="95">
              <properties><property name="hostname" value="secret"/></properties>
              <testcase time="1"/>
              <testcase time="1"><failure/><error/><failure/></testcase>
              <testcase time="1"><skipped/><failure/></testcase>
              <testcase time="1"><flakyFailure><failure/></flakyFailure><system-out>x</system-out></testcase>
              <testcase time="1"><rerunFailure/><failure/></testcase>
              <testcase time="1" status="notrun"/>
            </testsuite>
            """)
        #expect(summary.results("s") == ["2", "2", "1", "1"])
        #expect(summary.duration("s") == "6")
    }

    @Test func `with suites inside suites counts every case once, in the innermost`() throws {
        let summary = try convert(
            .junit,
            """
            <testsuites name="all" tests="9">
              <testcase time="5"/>
              <testsuite name="outer" tests="9" failures="9" timestamp="2026-05-06T07:08:09Z">
                <testcase time="1"/>
                <testsuite name="inner"><testcase time="2"/><testcase time="3"><error/></testcase></testsuite>
                <testsuite><testcase time="4"/></testsuite>
              </testsuite>
            </testsuites>
            """)
        #expect(summary.results("all") == ["1", "0", "0", "0"])
        #expect(summary.results("inner") == ["1", "0", "1", "0"])
        #expect(summary.duration("inner") == "5")
        // The suite without a name counts for the one around it.
        #expect(summary.results("outer") == ["2", "0", "0", "0"])
        #expect(summary.duration("outer") == "5")
        let inner = summary.measures.first {
            $0.labels.contains(Label(name: "test.suite.name", value: "inner"))
        }
        #expect(inner?.time == Timestamp(rfc3339: "2026-05-06T07:08:09Z"))
    }

    @Test func `sums suites of one name at one time, and keeps other times apart`() throws {
        func suite(_ time: String) -> String {
            "<testsuite name=\"s\" timestamp=\"\(time)\"><testcase time=\"0.1\"/></testsuite>"
        }
        let same = try convert(
            .junit, "<testsuites>" + suite("2026-01-01T00:00:00") + suite("") + "</testsuites>")
        #expect(same.results("s") == ["2", "0", "0", "0"])
        #expect(same.duration("s") == "0.2")
        let other = try convert(
            .junit,
            "<testsuites>" + suite("2026-01-01T00:00:00Z") + suite("2026-01-01T00:00:01.1234567+01:00")
                + suite("2026-01-01T01:00:00+0100") + "</testsuites>")
        #expect(other.measures.count == 10)
        #expect(
            Set(other.measures.map(\.time)) == [
                Timestamp(rfc3339: "2026-01-01T00:00:00Z"), Timestamp(rfc3339: "2025-12-31T23:00:01.123Z"),
            ])
    }

    @Test func `with a suite that has attributes only is taken by them`() throws {
        let summary = try convert(
            .junit,
            """
            <testsuites tests="7">
              <testsuite name="a" tests="5" failures="1" errors="1" skipped="1" time="2.5"/>
              <testsuite name="b" tests="1" failures="3" time="1"/>
              <testsuite name="c"/>
            </testsuites>
            """)
        #expect(summary.results("a") == ["2", "1", "1", "1"])
        #expect(summary.duration("a") == "2.5")
        #expect(summary.results("b") == ["0", "3", "0", "0"])
        #expect(summary.results("c") == ["-", "-", "-", "-"])
        #expect(summary.warnings.count == 1)
    }

    @Test func `counts the cases of a suite alone where attributes of the same suite follow`() throws {
        let summary = try convert(
            .junit,
            """
            <testsuites>
              <testsuite name="a" tests="9" failures="9"/>
              <testsuite name="a"><testcase time="1"/></testsuite>
              <testsuite name="a" tests="1" failures="1" time="7"/>
            </testsuites>
            """)
        #expect(summary.results("a") == ["1", "0", "0", "0"])
        #expect(summary.duration("a") == "1")
    }

    @Test(
        arguments: [
            ("-1", nil, 1), ("1,234.5", "1234.5", 1), ("1,234,567.25", "1234567.25", 1), ("0,123", nil, 1),
            ("1,234", nil, 1), ("12,34.5", nil, 1), ("NaN", nil, 1), ("Infinity", nil, 1), ("1s", nil, 1),
            ("", nil, 0),
            (" 1.5 ", "1.5", 0), ("+2", "2", 0), ("1e3", "1000", 0), ("1.0E-4", "0.0001", 0),
            ("-0.0", "0", 0),
            ("0.0000000005", "0", 0), ("0.0000000015", "0.000000002", 0), ("0.00000000051", "0.000000001", 0),
            ("1234567890.1234567891", "1234567890.12345679", 0), ("1e18", nil, 1), ("1e999999999999", nil, 1),
            ("999999999999999999", "999999999999999999", 0), (".5", "0.5", 0), ("5.", "5", 0), (".", nil, 1),
        ] as [(String, String?, Int)])
    func `reads a time or warns`(text: String, expected: String?, warnings: Int) throws {
        let summary = try convert(
            .junit, "<testsuite name=\"s\"><testcase time=\"\(text)\"/></testsuite>")
        #expect(summary.duration("s") == expected)
        // A case without a time that counts is one warning more.
        #expect(summary.warnings.count == warnings + (expected == nil ? 1 : 0), "\(summary.warnings)")
        #expect(summary.results("s") == ["1", "0", "0", "0"])
    }

    @Test func `gets its suite's time where no case has one`() throws {
        let summary = try convert(
            .junit, "<testsuite name=\"s\" time=\"3.5\"><testcase/><testcase/></testsuite>")
        #expect(summary.duration("s") == "3.5")
        #expect(summary.warnings.isEmpty)
    }

    @Test func `has a bounded number of warnings`() throws {
        let suites = String(
            repeating: "<testsuite name=\"s\"><testcase time=\"-1\"/></testsuite>", count: 1000)
        let summary = try convert(.junit, "<testsuites>\(suites)</testsuites>")
        #expect(summary.warnings.count == Limits.reportWarnings + 1)
        #expect(summary.warnings.last == "and 1900 warnings more")
    }

    @Test func `takes names as they are, within a label's limits`() throws {
        let long = String(repeating: "é", count: 2000)
        let summary = try convert(
            .junit,
            """
            <testsuites><testsuite name="a &amp; &lt;b&gt; &#38; &quot;c&#10;d"><testcase time="1"/></testsuite>
            <testsuite name="\(long)"><testcase time="1"/></testsuite></testsuites>
            """, labels: [Label(name: "os", value: "linux"), Label(name: "test.result", value: "mine")])
        #expect(summary.results("a & <b> & \"c d") == ["1", "0", "0", "0"])
        #expect(summary.results(String(repeating: "é", count: 512)) == ["1", "0", "0", "0"])
        #expect(summary.measures[0].labels.map(\.name) == ["os", "test.result", "test.suite.name"])
        #expect(summary.measures[4].labels.map(\.value) == ["linux", "mine", "a & <b> & \"c d"])
    }

    @Test func `of another encoding is read`() throws {
        let text =
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><testsuite name=\"caf\u{E9}\"><testcase time=\"1\"/></testsuite>"
        let latin = text.unicodeScalars.map { UInt8($0.value) }
        #expect(try convert(.junit, latin).results("café") == ["1", "0", "0", "0"])
    }

    @Test(arguments: [
        "<coverage/>", "<report/>", "<html/>", "<assemblies/>", "<a><testsuite/></a>", "<testcase/>",
        "<coverage clover=\"4\"/>",
    ])
    func `is not anything else`(text: String) {
        guard case .wrongKind(.junit, _) = failure(.junit, text) else {
            return #expect(Bool(false), "\(String(describing: failure(.junit, text)))")
        }
    }

    @Test func `without test cases says so`() throws {
        let summary = try convert(.junit, "<testsuites/>")
        #expect(summary.measures.isEmpty)
        #expect(summary.warnings == ["the report has no test cases"])
        #expect(summary.documents(ledger: "l", submitter: "s", pipeline: nil, run: nil).isEmpty)
    }
}
