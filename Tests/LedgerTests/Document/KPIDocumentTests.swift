import Ledger
import TestSupport
import Testing

@Suite struct `A KPI document` {
    @Test func `of the documentation is read`() throws {
        let document = try #require(parse(exampleDocument).kpis)
        #expect(document.ledger == "example.com/kpi")
        #expect(document.submitter == "ci")
        #expect(document.id == "0191")
        #expect(document.pipeline == "shop/web")
        #expect(document.run == "4711")
        #expect(document.measures.count == 2)
        let shared = [
            Label(name: "pipeline", value: "shop/web"), Label(name: "vcs.ref.head.name", value: "main"),
        ]
        #expect(document.measures[0].labels == shared)
        #expect(document.measures[0].name == "cicd.pipeline.run.duration")
        #expect(document.measures[0].unit == "s")
        #expect(document.measures[0].value == Quantity("312.5"))
        #expect(document.measures[0].time == Timestamp(rfc3339: "2026-11-22T10:15:00.250Z"))
        #expect(document.measures[1].value == Quantity("1204"))
        let own = [shared[0], Label(name: "test.result", value: "passed"), shared[1]]
        #expect(document.measures[1].labels == own)
        #expect(document.latestTime == document.measures[0].time)
    }

    @Test func `is written and read back as it was`() throws {
        for seed in 0..<300 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let document = generator.document()
            let result = parse(document.xml)
            #expect(
                result.kpis == document,
                "seed \(seed): \(String(describing: result.error)) in \(document.xml)")
            #expect(result.kpis?.xml == document.xml, "seed \(seed)")
        }
    }

    @Test func `may be written with prefixes, a byte order mark, comments, CDATA and white space`() throws {
        let plain = try #require(parse(exampleDocument).kpis)
        let prefixed = exampleDocument.replacing("xmlns=", with: "xmlns:k=")
            .replacing("</", with: "</k:").replacing("<kpis", with: "<k:kpis")
            .replacing("<label", with: "<k:label").replacing("<measure", with: "<k:measure")
        #expect(parse(prefixed).kpis == plain)
        #expect(parse("\u{FEFF}" + exampleDocument).kpis == plain)
        #expect(
            parse(exampleDocument.replacing(">1204<", with: "> <!-- all of them -->\n 1204 \n<")).kpis
                == plain)
        #expect(parse(exampleDocument.replacing(">1204<", with: "><![CDATA[1204]]><")).kpis == plain)
        #expect(parse(exampleDocument.replacing(">1204<", with: ">12&#48;4<")).kpis == plain)
        #expect(parse(exampleDocument.replacing(">main<", with: "><![CDATA[main]]><")).kpis == plain)
        #expect(parse(exampleDocument.replacing(">main<", with: ">m&#x61;in<")).kpis == plain)
        #expect(parse(exampleDocument.replacing("\"UTF-8\"", with: "'utf-8'")).kpis == plain)
        #expect(
            parse(exampleDocument.replacing(" unit=\"s\"", with: " unit=\"\"")).kpis?.measures[0].unit == "")
    }

    @Test func `keeps the measure's own label before the document's`() throws {
        let document = try #require(
            parse(
                kpis(
                    """
                    <label name="a">shared</label><label name="b">shared</label>
                    <measure name="m" at="2026-01-01T00:00:00Z"><label name="b">own</label>1</measure>
                    """)
            ).kpis)
        #expect(
            document.measures[0].labels == [
                Label(name: "a", value: "shared"), Label(name: "b", value: "own"),
            ])
        #expect(document.pipeline == nil)
    }

    @Test func `keeps the white space of a label and refuses control characters`() throws {
        let padded = parse(oneMeasure("<label name=\"a\"> x &amp; y </label>1"))
        #expect(padded.kpis?.measures[0].labels == [Label(name: "a", value: " x & y ")])
        for character in ["&#10;", "&#9;", "&#127;", "&#133;", "\n"] {
            #expect(parse(oneMeasure("<label name=\"a\">x\(character)y</label>1")).isInvalid, "\(character)")
        }
    }

    @Test(arguments: [
        "", " ", "abc", "1e3", "NaN", "INF", "+1", "1,5", "1.", ".5", "--1", "0x10", "1 2", "12<!-- -->04",
        "1204<!-- -->", "1234567890123456789", "0.1234567890", "12<label name=\"a\">b</label>04", "١٢",
        "<label name=\"a\">b</label>", "<label name=\"a\">1</label><label name=\"b\">2</label>",
    ])
    func `is refused when a value is not a decimal`(value: String) {
        #expect(parse(oneMeasure(value)).isInvalid)
    }

    @Test(arguments: [
        "<label>x</label>1", "<label name=\"\">x</label>1", "<label name=\"a\"></label>1",
        "<label name=\"a\"/>1",
        "<label name=\"__name__\">x</label>1", "<label name=\"a\">x</label><label name=\"a\">y</label>1",
        "<label name=\"a&#10;b\">x</label>1", "<label name=\"a\">x<!-- -->y</label>1",
        "<label name=\"a\" other=\"b\">x</label>1", "<label name=\"a\"><b/></label>1", "<other/>1",
        "<label name=\"\u{E9}\">x</label><label name=\"e\u{301}\">y</label>1",
        "<label xmlns=\"\" name=\"a\">b</label>1", "<label xmlns=\"urn:other\" name=\"a\">b</label>1",
    ])
    func `is refused when a label breaks a rule`(content: String) {
        #expect(parse(oneMeasure(content)).isInvalid)
    }

    @Test(arguments: [
        "", "<measure at=\"2026-01-01T00:00:00Z\">1</measure>", "<measure name=\"m\">1</measure>",
        "<measure name=\"\" at=\"2026-01-01T00:00:00Z\">1</measure>",
        "<measure name=\"__m\" at=\"2026-01-01T00:00:00Z\">1</measure>",
        "<measure name=\"m\" at=\"2026-01-01T00:00:00\">1</measure>",
        "<measure name=\"m\" at=\"2026-01-01T24:00:00Z\">1</measure>",
        "<measure name=\"m\" at=\" 2026-01-01T00:00:00Z\">1</measure>",
        "<measure name=\"m\" at=\"2026-02-29T00:00:00Z\">1</measure>",
        "<measure name=\"m\" at=\"2026-01-01T00:00:00.0001Z\">1</measure>",
        "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\" extra=\"1\">1</measure>",
        "<measure name=\"m\" unit=\"a&#9;b\" at=\"2026-01-01T00:00:00Z\">1</measure>",
        "text<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>",
        "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure><label name=\"a\">b</label>",
        "<kpis/>",
    ])
    func `is refused when a measure breaks a rule`(content: String) {
        #expect(parse(kpis(content)).isInvalid)
    }

    @Test(arguments: [
        "", "ledger=\"l\" submitter=\"s\"", "ledger=\"l\" id=\"1\"", "submitter=\"s\" id=\"1\"",
        "ledger=\"\" submitter=\"s\" id=\"1\"", "ledger=\"l\" submitter=\"\" id=\"1\"",
        "ledger=\"l\" submitter=\"s\" id=\"\"", "ledger=\"l\" submitter=\"s\" id=\"1\" pipeline=\"\"",
        "ledger=\"l\" submitter=\"s\" id=\"1\" run=\"\"", "ledger=\"l\" submitter=\"s\" id=\"a&#10;b\"",
        "ledger=\"l\" submitter=\"s\" id=\"1\" colour=\"red\"",
        "ledger=\"l\" submitter=\"s\" id=\"1\" replaces=\"\"",
        "ledger=\"l\" submitter=\"s\" id=\"1\" replaces=\"a&#10;b\"",
        "ledger=\"l\" submitter=\"s\" id=\"1\" replaces=\"1\"",
    ])
    func `is refused when its attributes break a rule`(attributes: String) {
        let measure = "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>"
        #expect(parse(kpis(attributes: attributes, measure)).isInvalid)
    }

    @Test func `may name the document that it corrects, and never itself`() throws {
        let measure = "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>"
        func document(_ more: String) -> Result<SealedDocument, DocumentError> {
            parse(kpis(attributes: #"ledger="l" submitter="s" id="2" \#(more)"#, measure))
        }
        #expect(document("").kpis?.replaces == nil)
        #expect(document("").kpis?.xml.contains("replaces") == false)
        #expect(document(#"replaces="1""#).kpis?.replaces == "1")
        #expect(document(#"replaces="\#(String(repeating: "i", count: 200))""#).kpis != nil)
        #expect(document(#"replaces="\#(String(repeating: "i", count: 201))""#).isInvalid)
        // Which attribute, where.
        let refused = document(#"replaces="2""#).error
        #expect(refused?.kind == .invalid(element: "kpis", line: 1))
        #expect(refused?.reason == "the attribute \"replaces\" names the document's own id")
    }

    @Test func `is refused when a label takes the name of its pipeline`() {
        let measure =
            "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\"><label name=\"pipeline\">x</label>1</measure>"
        let attributes = "ledger=\"l\" submitter=\"s\" id=\"1\""
        #expect(parse(kpis(attributes: attributes + " pipeline=\"p\"", measure)).isInvalid)
        #expect(parse(kpis(attributes: attributes, measure)).kpis != nil)
        let shared =
            "<label name=\"pipeline\">x</label><measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>"
        #expect(parse(kpis(attributes: attributes + " pipeline=\"p\"", shared)).isInvalid)
    }

    @Test func `is held to its limits in bytes`() {
        func attributes(
            ledger: Int = 1, submitter: Int = 1, id: Int = 1, run: Int = 1, pipeline: Int = 1
        ) -> String {
            func text(_ count: Int) -> String {
                String(repeating: "é", count: count / 2) + (count % 2 == 1 ? "a" : "")
            }
            return "ledger=\"\(text(ledger))\" submitter=\"\(text(submitter))\" id=\"\(text(id))\""
                + " run=\"\(text(run))\" pipeline=\"\(text(pipeline))\""
        }
        func accepts(_ attributes: String) -> Bool {
            parse(kpis(attributes: attributes, "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>"))
                .kpis != nil
        }
        #expect(accepts(attributes(ledger: 255, submitter: 100, id: 200, run: 255, pipeline: 1024)))
        #expect(!accepts(attributes(ledger: 256)))
        #expect(!accepts(attributes(submitter: 101)))
        #expect(!accepts(attributes(id: 201)))
        #expect(!accepts(attributes(run: 256)))
        #expect(!accepts(attributes(pipeline: 1025)))

        let name = String(repeating: "n", count: Limits.nameBytes)
        let value = String(repeating: "v", count: Limits.labelValueBytes)
        #expect(parse(oneMeasure("<label name=\"\(name)\">\(value)</label>1")).kpis != nil)
        #expect(parse(oneMeasure("<label name=\"\(name)n\">\(value)</label>1")).isInvalid)
        #expect(parse(oneMeasure("<label name=\"\(name)\">\(value)v</label>1")).isInvalid)
    }

    @Test func `is held to its limits in number`() {
        func labels(_ count: Int) -> String {
            (0..<count).map { "<label name=\"l\($0)\">x</label>" }.joined()
        }
        let measure =
            "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\"><label name=\"own\">x</label>1</measure>"
        #expect(parse(kpis(labels(Limits.labelsPerMeasure - 1) + measure)).kpis != nil)
        #expect(parse(kpis(labels(Limits.labelsPerMeasure) + measure)).isInvalid)
        #expect(parse(oneMeasure(labels(Limits.labelsPerMeasure + 1) + "1")).isInvalid)

        func measures(_ count: Int) -> String {
            String(repeating: "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>", count: count)
        }
        #expect(
            parse(kpis(measures(Limits.measuresPerDocument))).kpis?.measures.count
                == Limits.measuresPerDocument)
        #expect(parse(kpis(measures(Limits.measuresPerDocument + 1))).isInvalid)
        let long = kpis(measures(1)) + String(repeating: " ", count: Limits.submissionBytes)
        #expect(parse(long).isMalformed)
    }

    @Test func `gets an id that depends on each thing it is derived from`() throws {
        let content = Digest.sha256(Array("a".utf8))
        let ids = [
            KPIDocument.deriveID(pipeline: "p", run: "r", contentDigest: content),
            KPIDocument.deriveID(pipeline: "p", run: "r", contentDigest: content, part: 1),
            KPIDocument.deriveID(pipeline: "p", run: "s", contentDigest: content),
            KPIDocument.deriveID(pipeline: "pr", run: "", contentDigest: content),
            KPIDocument.deriveID(pipeline: nil, run: "r", contentDigest: content),
            KPIDocument.deriveID(pipeline: "", run: "r", contentDigest: content),
            KPIDocument.deriveID(pipeline: "p", run: "r", contentDigest: .zero),
            KPIDocument.deriveID(pipeline: "p", run: "r", replaces: "a", contentDigest: content),
            KPIDocument.deriveID(pipeline: "p", run: "r", replaces: "b", contentDigest: content),
        ]
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.utf8.count == 32 })
        #expect(ids[0] == KPIDocument.deriveID(pipeline: "p", run: "r", contentDigest: content, part: 0))
        // A pipeline that retries after an update of its tools must find what it sent before.
        #expect(ids[0] == "7f08c84a5edfad8a7de3735d17de21fc")
    }
}
