import Ledger
import Testing

@Suite struct `A coverage report` {
    static let cobertura = """
        <?xml version="1.0" ?>
        <!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
        <coverage line-rate="0.9" timestamp="1240339705747" version="1.9">
          <sources><source>/home/someone/src</source></sources>
          <packages>
            <package name="a.b">
              <classes>
                <class name="X" filename="X.java">
                  <methods><method name="&lt;init&gt;"><lines><line number="1" hits="3"/></lines></method></methods>
                  <lines>
                    <line number="1" hits="3" branch="false"/>
                    <line number="2" hits="0" branch="true" condition-coverage="50% (1/2)">
                      <conditions><condition number="0" type="jump" coverage="50%"/></conditions>
                    </line>
                    <line number="3" hits="99999999999999999999" branch="true" condition-coverage="100% (4/4)"/>
                    <line number="4" hits="x"/>
                  </lines>
                </class>
                <class name="Y"><methods/><lines><line number="9" hits="0"/></lines></class>
              </classes>
            </package>
            <package name=""><classes/></package>
            <package name="a.b"><classes><class name="Z"><lines><line number="1" hits="1"/></lines></class></classes></package>
          </packages>
        </coverage>
        """

    static let jacoco = """
        <?xml version="1.0" encoding="UTF-8" standalone="yes"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="r"><sessioninfo id="host-1" start="1" dump="1631307951859"/><sessioninfo id="host-2" start="1" dump="1631307951858"/><group name="g"><package name="a/b"><class name="a/b/C"><method name="m"><counter type="LINE" missed="7" covered="7"/></method><counter type="LINE" missed="7" covered="7"/></class><sourcefile name="C.java"><line nr="1" mi="0" ci="1"/><counter type="LINE" missed="7" covered="7"/></sourcefile><counter type="INSTRUCTION" missed="10" covered="20"/><counter type="BRANCH" missed="1" covered="2"/><counter type="LINE" missed="3" covered="4"/><counter type="COMPLEXITY" missed="5" covered="6"/><counter type="METHOD" missed="7" covered="8"/><counter type="CLASS" missed="0" covered="9"/></package><counter type="LINE" missed="7" covered="7"/></group><group name="h"><package name="a/b"><counter type="LINE" missed="1" covered="1"/></package><package name="c"><counter type="LINE" missed="0" covered="2"/><counter type="NEW" missed="0" covered="2"/></package></group><counter type="LINE" missed="100" covered="100"/></report>
        """

    private func counts(_ summary: ReportSummary, _ name: String, _ package: String) -> [String] {
        ["covered", "missed"].map {
            summary.value(name, ["code.package": package, "code.coverage.state": $0])?.description ?? "-"
        }
    }

    @Test func `of Cobertura is counted from the lines of its classes`() throws {
        let summary = try convert(.cobertura, Self.cobertura)
        #expect(counts(summary, "code.coverage.lines", "a.b") == ["3", "2"])
        #expect(counts(summary, "code.coverage.branches", "a.b") == ["5", "1"])
        #expect(counts(summary, "code.coverage.lines", "default") == ["0", "0"])
        #expect(summary.measures.count == 8)
        #expect(summary.warnings == ["package \"a.b\": a line without hits is left out"])
        #expect(summary.measures.allSatisfy { $0.time.milliseconds == 1_240_339_705_747 })
        #expect(summary.measures.map(\.unit).prefix(4) == ["{line}", "{line}", "{branch}", "{branch}"])
    }

    @Test func `of JaCoCo is taken from the counters of its packages`() throws {
        let summary = try convert(.jacoco, Self.jacoco)
        #expect(counts(summary, "code.coverage.lines", "a/b") == ["5", "4"])
        #expect(counts(summary, "code.coverage.branches", "a/b") == ["2", "1"])
        #expect(counts(summary, "code.coverage.instructions", "a/b") == ["20", "10"])
        #expect(counts(summary, "code.coverage.complexity", "a/b") == ["6", "5"])
        #expect(counts(summary, "code.coverage.methods", "a/b") == ["8", "7"])
        #expect(counts(summary, "code.coverage.classes", "a/b") == ["9", "0"])
        #expect(counts(summary, "code.coverage.lines", "c") == ["2", "0"])
        #expect(counts(summary, "code.coverage.branches", "c") == ["0", "0"])
        #expect(summary.measures.count == 16)
        #expect(summary.warnings == ["a counter of the type \"NEW\" is left out"])
        #expect(summary.measures.allSatisfy { $0.time.milliseconds == 1_631_307_951_859 })
    }

    @Test func `takes the time of the command, or seconds, where it has no milliseconds`() throws {
        func time(_ attribute: String) throws -> Timestamp? {
            try convert(
                .cobertura, "<coverage \(attribute)><packages><package name=\"p\"/></packages></coverage>"
            )
            .measures.first?.time
        }
        #expect(try time("") == givenTime)
        #expect(try time("timestamp=\"0\"") == givenTime)
        #expect(try time("timestamp=\"soon\"") == givenTime)
        #expect(try time("timestamp=\"99999999999999999999\"") == givenTime)
        #expect(try time("timestamp=\"9223372036854775807\"") == givenTime)
        #expect(try time("timestamp=\"1240339705\"")?.milliseconds == 1_240_339_705_000)
    }

    @Test func `is told apart from reports of other kinds`() throws {
        for format in [ReportFormat.cobertura, .jacoco] {
            guard case .wrongKind(format, "a JUnit report") = failure(format, "<testsuites/>") else {
                Issue.record("\(format)")
                continue
            }
        }
        #expect(
            failure(.jacoco, Self.cobertura) == .wrongKind(expected: .jacoco, found: "a Cobertura report"))
        #expect(
            failure(.cobertura, Self.jacoco) == .wrongKind(expected: .cobertura, found: "a JaCoCo report"))
        let clover = "<coverage generated=\"1\" clover=\"4.1\"><project/></coverage>"
        #expect(failure(.cobertura, clover) == .wrongKind(expected: .cobertura, found: "a Clover report"))
        #expect(
            failure(.cobertura, clover)?.description == "this is a Clover report, not a Cobertura report")
        #expect(try convert(.cobertura, "<coverage/>").warnings == ["the report has no packages"])
    }
}
