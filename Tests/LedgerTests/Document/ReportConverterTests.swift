import Ledger
import TestSupport
import Testing

@Suite struct `A report from a stranger` {
    @Test func `cannot declare entities`() {
        for declaration in [
            "<!ENTITY a \"1\">", "<!ENTITY % a \"1\">", "<!ENTITY a SYSTEM \"file:///etc/passwd\">",
            "<!ENTITY % a SYSTEM \"file:///etc/passwd\"> %a;",
        ] {
            let text = "<!DOCTYPE testsuite [\(declaration)]><testsuite name=\"&a;\"><testcase/></testsuite>"
            #expect(failure(.junit, text) != nil, "\(declaration)")
        }
        let external =
            "<!DOCTYPE testsuite SYSTEM \"file:///etc/passwd\"><testsuite name=\"s\"><testcase time=\"1\"/></testsuite>"
        #expect(failure(.junit, external) == nil)
        #expect(failure(.junit, "<testsuite name=\"&nowhere;\"/>") != nil)
    }

    @Test func `is refused when it nests too deeply or has very many attributes`() {
        let deep = "<testsuites>" + String(repeating: "<testsuite>", count: 100_000)
        #expect(
            failure(.junit, deep) == .malformed("elements are nested deeper than \(Limits.xmlDepth)", line: 1)
        )
        let wide = "<testsuite" + (0..<400_000).map { " a\($0)=\"\"" }.joined() + "/>"
        #expect(
            failure(.junit, wide)
                == .malformed("a tag has more than \(Limits.reportAttributes) attributes", line: 1))
    }

    @Test func `may have long messages, comments and output`() throws {
        let long = String(repeating: "a=' \n", count: 400_000)
        let summary = try convert(
            .junit,
            """
            <testsuite name="s"><!-- \(long) --><testcase time="1"><failure message="\(long.replacing("'", with: ""))"/>
            <system-out><![CDATA[\(long)\(long)\(long)]]></system-out></testcase></testsuite>
            """)
        #expect(summary.results("s") == ["0", "1", "0", "0"])
    }

    @Test func `may hold colours, references and what looks like a section inside another`() throws {
        let text = """
            <?xml version="1.0"?><?pi <!-- ?>
            <testsuites><!-- <testsuite name="no"><![CDATA[ --><testsuite name="s"><testcase time="1">
            <system-out><![CDATA[<failure/> \u{1B}[31m <!-- ]] > ]>]]]></system-out></testcase>
            <!----><testcase time="2"><![CDATA[]]><!-- > - > --><failure/></testcase></testsuite></testsuites>
            <!-- the end -->
            """
        for pieceBytes in [1, 5, .max] {
            let summary = try convert(.junit, text, pieceBytes: pieceBytes)
            #expect(summary.results("s") == ["1", "1", "0", "0"])
            #expect(summary.measures.count == 5)
        }
        #expect(failure(.junit, text + "<!-- ") == .malformed("the report is cut short", line: 5))
        #expect(failure(.junit, text + "<") != nil)
        #expect(failure(.junit, "<a><![CDATA[\n\n]]>\n</b>") != nil)
    }

    @Test func `may hold a log that is longer than the library takes`() throws {
        var converter = try ReportConverter(.junit, time: givenTime)
        let log = Array(String(repeating: "a line of a log with = in it\n", count: 30_000).utf8)
        try converter.consume(Array("<testsuite name=\"s\"><testcase time=\"1\"><system-out><![CDATA[".utf8))
        for _ in 0..<14 { try converter.consume(log) }
        try converter.consume(Array("]]></system-out></testcase></testsuite>".utf8))
        #expect(try converter.finish().results("s") == ["1", "0", "0", "0"])
    }

    @Test func `is refused wherever it is cut`() {
        let samples: [(ReportFormat, String)] = [
            (.junit, `A JUnit report`.swift), (.cobertura, `A coverage report`.cobertura),
            (.jacoco, `A coverage report`.jacoco),
        ]
        for (format, text) in samples {
            let bytes = Array(text.utf8)
            for count in stride(from: 0, to: bytes.count, by: 3) {
                #expect(failure(format, Array(bytes[..<count])) != nil, "\(count)")
            }
            #expect(
                failure(format, Array(bytes[..<(bytes.count / 2)]))?.description.hasSuffix(
                    "the report is cut short") == true)
        }
        #expect(failure(.junit, "") == .malformed("there is no element", line: 1))
        #expect(failure(.junit, `A JUnit report`.swift + "<a/>") != nil)
    }

    @Test func `gives a summary or a reason whatever bits flip`() throws {
        var generator = SeededGenerator(seed: 11)
        let samples: [(ReportFormat, String)] = [
            (.junit, `A JUnit report`.swift), (.cobertura, `A coverage report`.cobertura),
            (.jacoco, `A coverage report`.jacoco),
        ]
        for (format, text) in samples {
            let bytes = Array(text.utf8)
            for _ in 0..<1000 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    damaged[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                        in: 0...255, using: &generator)
                }
                if let summary = try? convert(format, damaged) {
                    for document in summary.documents(ledger: "l", submitter: "s", pipeline: "p", run: "1") {
                        #expect(parse(document.xml).kpis == document)
                    }
                }
            }
        }
    }

    @Test func `of any length is read in little memory`() async {
        // In a process of its own: the other tests' memory is none of ours. 200 MB take the same memory, and longer.
        await #expect(processExitsWith: .success) {
            let trace = String(repeating: "at com.example.Some.method(Some.java:123)\n", count: 50)
            let failing =
                "<testcase name=\"x\" time=\"0.001\"><failure message=\"m\">\(trace)</failure></testcase>"
            let cases = Array(String(repeating: failing, count: 100).utf8)
            let end = Array("</testsuite>".utf8)
            var converter = try ReportConverter(.junit, time: givenTime)
            try converter.consume(Array("<testsuites>".utf8))
            let before = residentBytes()
            var sentBytes = 0
            var suites = 0
            while sentBytes < 32 << 20 {
                try converter.consume(Array("<testsuite name=\"suite \(suites % 100)\">".utf8))
                try converter.consume(cases)
                try converter.consume(end)
                sentBytes += cases.count
                suites += 1
            }
            try converter.consume(Array("</testsuites>".utf8))
            let growthBytes = residentBytes() - before
            let summary = try converter.finish()
            #expect(growthBytes < 8 << 20)
            let failed = summary.measures.filter {
                $0.labels.contains(Label(name: "test.result", value: "failed"))
            }
            #expect(failed.reduce(0) { $0 + $1.value.nanos } == Int128(suites) * 100 * 1_000_000_000)
        }
    }
}

@Suite struct `A summary` {
    @Test func `fills as many documents as it needs, each within the limits`() throws {
        let suites = (0..<4500).map {
            "<testsuite name=\"suite \($0) &lt;&amp;&gt;\"><testcase time=\"1\"/></testsuite>"
        }
        let summary = try convert(.junit, "<testsuites>\(suites.joined())</testsuites>")
        #expect(summary.measures.count == 4500 * 5)
        let documents = summary.documents(ledger: "l", submitter: "s", pipeline: "p", run: "1")
        #expect(documents.count >= 3)
        #expect(Set(documents.map(\.id)).count == documents.count)
        #expect(
            documents[0].id
                == KPIDocument.deriveID(pipeline: "p", run: "1", contentDigest: summary.contentDigest))
        for document in documents {
            #expect(document.xml.utf8.count <= Limits.documentBytes)
            #expect(parse(document.xml).kpis == document)
        }
        let withoutPipeline = documents.flatMap(\.measures).map { measure in
            Measure(
                name: measure.name, unit: measure.unit, time: measure.time,
                labels: measure.labels.filter { $0.name != "pipeline" }, value: measure.value)
        }
        #expect(withoutPipeline == summary.measures)
    }

    @Test func `corrects a document once, with the first that it fills`() throws {
        let suites = (0..<2500).map { "<testsuite name=\"\($0)\"><testcase time=\"1\"/></testsuite>" }
        let summary = try convert(.junit, "<testsuites>\(suites.joined())</testsuites>")
        let plain = summary.documents(ledger: "l", submitter: "s", pipeline: "p", run: "1")
        let documents = summary.documents(
            ledger: "l", submitter: "s", pipeline: "p", run: "1", replaces: plain[0].id)
        #expect(documents.count == plain.count)
        #expect(documents.map(\.replaces) == [plain[0].id] + documents.dropFirst().map { _ in nil })
        #expect(Set((plain + documents).map(\.id)).count == 2 * plain.count)
        #expect(parse(documents[0].xml).kpis == documents[0])
    }

    @Test func `has a digest of the report, its kind and its labels, not of the time`() throws {
        let text = "<testsuite name=\"s\"><testcase/></testsuite>"
        let digest = try convert(.junit, text).contentDigest
        #expect(try convert(.junit, text).contentDigest == digest)
        #expect(try convert(.junit, text + "\n").contentDigest != digest)
        #expect(try convert(.junit, text, labels: [Label(name: "a", value: "b")]).contentDigest != digest)
    }

    @Test func `refuses a report with very many suites`() {
        let suites = (0...Limits.reportGroups).map { "<testsuite name=\"\($0)\"><testcase/></testsuite>" }
            .joined()
        #expect(failure(.junit, "<testsuites>\(suites)</testsuites>") == .tooManyGroups)
    }
}
