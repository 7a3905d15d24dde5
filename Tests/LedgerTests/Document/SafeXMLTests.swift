import Glibc
import Ledger
import TestSupport
import Testing

@Suite struct `XML from a stranger` {
    static let doctypes = [
        "<!DOCTYPE kpis>",
        "<!DOCTYPE kpis SYSTEM \"http://example.com/kpi.dtd\">",
        "<!DOCTYPE kpis [<!ENTITY a \"1\">]>",
        "<!DOCTYPE kpis [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE kpis [<!ENTITY % p SYSTEM \"file:///etc/passwd\"> %p;]>",
        "<!DOCTYPE kpis [<!ATTLIST kpis id CDATA \"1\">]>",
        "<!DOCTYPE kpis [<!-- -->",
    ]

    @Test(arguments: doctypes) func `is refused when it has a DOCTYPE`(doctype: String) throws {
        let error = try #require(parse(doctype + oneMeasure("1")).error)
        guard case .malformed = error.kind else { return #expect(Bool(false), "\(error)") }
        #expect(error.reason == "a DOCTYPE is not accepted")
    }

    @Test func `cannot grow by entities`() {
        var text = "<!DOCTYPE kpis [<!ENTITY e0 \"lol\">"
        for level in 1...20 {
            text += "<!ENTITY e\(level) \"" + String(repeating: "&e\(level - 1);", count: 10) + "\">"
        }
        #expect(parse(text + "]>" + oneMeasure("&e20;")).isMalformed)
        #expect(parse(oneMeasure("&e20;")).isMalformed)
        #expect(parse(oneMeasure("<label name=\"&e20;\">x</label>1")).isMalformed)
    }

    @Test func `is refused when it nests too deeply`() throws {
        for depth in [Limits.xmlDepth, 1000, 100_000] {
            let text =
                String(repeating: "<a>", count: depth + 1) + String(repeating: "</a>", count: depth + 1)
            let error = try #require(parse(text).error)
            #expect(error.reason == "elements are nested deeper than \(Limits.xmlDepth)")
        }
    }

    @Test func `is refused at once when a tag has very many attributes or namespaces`() throws {
        let many = (0..<100_000).map { " a\($0)=\"\"" }.joined()
        #expect(parse("<kpis\(many)/>").isMalformed)
        let some = (0..<100).map { " a\($0)=\"\"" }.joined()
        #expect(parse("<kpis xmlns=\"urn:kpi-ledger:kpi:1\"\(some)/>").isMalformed)
        let namespaces = (0..<100).map { " xmlns:a\($0)=\"urn:a\"" }.joined()
        #expect(parse("<kpis xmlns=\"urn:kpi-ledger:kpi:1\"\(namespaces)/>").isMalformed)
    }

    @Test func `is refused when one attribute has a megabyte`() throws {
        let long = String(repeating: "x", count: 1_000_000)
        for error in [
            parse(kpis(attributes: "ledger=\"\(long)\" submitter=\"s\" id=\"1\"", "<measure/>")).error,
            parse("<\(long)/>").error, parse(oneMeasure("<label name=\"a\">\(long)</label>1")).error,
            parse(oneMeasure("<label \(long)=\"a\">b</label>1")).error, parse(oneMeasure("&\(long);")).error,
            parse(oneMeasure(long)).error, parse("<kpis xmlns=\"\(long)\"/>").error,
        ] {
            let error = try #require(error)
            #expect(error.description.utf8.count <= 400)
            #expect(error.reason.utf8.count <= 300)
            #expect(!error.description.contains(String(repeating: "x", count: 41)))
        }
    }

    @Test func `is refused in any encoding but UTF-8`() {
        let plain = oneMeasure("1")
        #expect(parse(plain).kpis != nil)
        #expect(parse([0xFF, 0xFE] + plain.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }).isMalformed)
        #expect(parse([0xFE, 0xFF] + plain.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }).isMalformed)
        #expect(parse(plain.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }).isMalformed)
        #expect(parse(plain.unicodeScalars.flatMap { [0, 0, 0, UInt8($0.value)] }).isMalformed)
        for name in ["UTF-16", "ISO-8859-1", "US-ASCII", "UTF-7", "ISO-2022-CN-EXT", "no-such", ""] {
            #expect(parse("<?xml version=\"1.0\" encoding=\"\(name)\"?>" + plain).isMalformed, "\(name)")
        }
        #expect(parse("<?xml version=\"1.1\"?>" + plain).isMalformed)
        #expect(parse(Array(oneMeasure("<label name=\"a\">").utf8) + [0xE9, 0x31]).isMalformed)
        for invalid: [UInt8] in [
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x00], [0x01],
        ] {
            let bytes = Array(
                kpis("<label name=\"a\">X</label><measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>")
                    .utf8)
            let position = bytes.firstIndex(of: UInt8(ascii: "X")) ?? 0
            #expect(parse(bytes[..<position] + invalid + bytes[(position + 1)...]).isMalformed, "\(invalid)")
        }
    }

    @Test func `is refused with processing instructions, XInclude, or attributes of other namespaces`() {
        #expect(parse(oneMeasure("<?php 1 ?>1")).isMalformed)
        #expect(parse("<?xml-stylesheet href=\"a\"?>" + oneMeasure("1")).isMalformed)
        let include = "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"/etc/passwd\"/>"
        #expect(parse(oneMeasure(include + "1")).isInvalid)
        #expect(parse(kpis(include)).isInvalid)
        let hint = """
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:kpi-ledger:kpi:1 /tmp/a.xsd"
            ledger="l" submitter="s" id="1"
            """
        #expect(
            parse(kpis(attributes: hint, "<measure name=\"m\" at=\"2026-01-01T00:00:00Z\">1</measure>")).error
                != nil)
        #expect(parse(oneMeasure("<label name=\"a\" xml:lang=\"de\">b</label>1")).error != nil)
    }

    @Test(arguments: [
        "", " ", "\n", "x", "<", "<a", "<a>", "<a/>", "<a/><b/>", "</a>", "<a></b>", "&amp;", "<!-- -->",
        "\u{FEFF}",
    ])
    func `is refused when it is no document`(text: String) {
        #expect(parse(text).error != nil)
    }

    @Test func `says where it went wrong`() throws {
        #expect(parse("<a>\n  <b>\n</a>").error?.kind == .malformed(line: 3, column: 5))
        let error = try #require(parse(exampleDocument.replacing("1204", with: "many")).error)
        #expect(error.kind == .invalid(element: "measure", line: 5))
        #expect(error.reason.contains("\"many\""))
    }

    @Test func `is refused without a trap wherever it is cut`() throws {
        let bytes = Array(exampleDocument.utf8)
        for count in 0..<bytes.count {
            #expect(parse(Array(bytes[..<count])).isMalformed, "\(count) bytes")
        }
    }

    @Test func `gives a document or a reason whatever bits flip`() throws {
        var generator = SeededGenerator(seed: 7)
        let bytes = Array(exampleDocument.utf8)
        for _ in 0..<20_000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                    in: 0...255, using: &generator)
            }
            switch parse(damaged) {
            case .success(.kpis(let document)): #expect(parse(document.xml).kpis == document)
            case .success(.session): Issue.record("a session came out of KPIs")
            case .failure(let error): #expect(error.reason.utf8.count <= 300)
            }
        }
    }

    @Test func `cannot fill the memory with names`() async {
        // In a process of its own: the other tests' memory is none of ours.
        await #expect(processExitsWith: .success) {
            func refused(_ number: Int) { _ = parse(oneMeasure("<n\(number)a/><n\(number)b/>")) }
            for number in 0..<2000 { refused(number) }
            let before = residentBytes()
            for number in 2000..<20_000 { refused(number) }
            #expect(residentBytes() - before < 4 << 20)
        }
    }

    @Test func `is refused quickly with very many comments, references or elements`() throws {
        // Each of these took the square of its length in an earlier version; now they take milliseconds.
        for piece in [" <!---->", "&lt;", "<![CDATA[x]]>", "<label name=\"a\">b</label>", "<a/>", "&#32;"] {
            let content = String(repeating: piece, count: 900_000 / piece.utf8.count)
            _ = parse(oneMeasure(content + "1"))
        }
    }

    @Test func `can be read by many threads at one time`() async {
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var generator = SeededGenerator(seed: UInt64(task))
                    return (0..<50).allSatisfy { _ in
                        let document = generator.document()
                        return parse(document.xml).kpis == document && parse("<a>").error != nil
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}

/// What this process holds in memory, from `/proc/self/statm`.
func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let fields = text.split(separator: " ")
    return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}
