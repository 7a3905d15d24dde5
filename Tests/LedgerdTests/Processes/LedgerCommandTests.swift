import Foundation
import Ledger
import TestSupport
import Testing

@testable import ledgerd

@Suite(.serialized) struct `The commands against a running node` {
    private let ledger: ServedLedger

    init() async throws { ledger = try await ServedLedger.shared.value }

    private static let junit = """
        <testsuites><testsuite name="net" tests="3" failures="1" errors="0" skipped="0" time="2.5">
        <testcase name="a"/><testcase name="b"/><testcase name="c"><failure/></testcase></testsuite></testsuites>
        """

    @Test func `append a report, prove it, and answer from it`() throws {
        try ledger.directory.write(Array(Self.junit.utf8), "junit.xml")
        let appended = try ledger.run(
            "append", "--junit", "junit.xml", "--pipeline", "shop/web", "--run", "1", "--receipt", "r.txt"
        ).expecting(0)
        #expect(appended.output.hasPrefix("entry "))

        let receipt = try ledger.run("verify-receipt", "r.txt").expecting(0)
        #expect(receipt.output.contains("not checked"))
        let index = try Receipt(parsing: ledger.directory.read("r.txt")).index
        try ledger.directory.shell(
            """
            curl -sf --cacert ledger-ca.crt --cert clients/auditor/auditor.crt --key clients/auditor/auditor.key \
              -o leaf.der \(ledger.url)/v1/entries/\(index)/statement
            """)
        let proved = try ledger.run("verify-receipt", "r.txt", "--entry", "leaf.der").expecting(0)
        #expect(proved.output.contains("verified: leaf.der is entry \(index)"))
        try ledger.directory.shell("cp leaf.der other.der && printf x >> other.der")
        try ledger.run("verify-receipt", "r.txt", "--entry", "other.der").expecting(2)

        try ledger.followed()
        let csv = try ledger.run(
            "query", "sum by (test_result) (test_cases{pipeline=\"shop/web\"})", "--format", "csv"
        ).expecting(0)
        #expect(csv.output.contains("passed,"))
        #expect(
            csv.output.split(separator: "\r\n").contains { $0.hasPrefix("passed,") && $0.hasSuffix(",2") })
        let table = try ledger.run("query", "test_duration_seconds").expecting(0)
        #expect(table.output.contains("2.5"))
        let remarked = try ledger.run("query", "rate(test_duration_seconds[1h])").expecting(0)
        #expect(remarked.error.contains("metric might not be a counter"), "\(remarked.error)")
        let warned = try ledger.run("query", "quantile(2, test_duration_seconds)").expecting(0)
        #expect(warned.error.hasPrefix("warning: "), "\(warned.error)")
        let plot = try ledger.run(
            "query", "test_cases", "--from", "-1h", "--format", "plot", environment: ["COLUMNS": "60"]
        ).expecting(0)
        #expect(plot.output.contains("●"))
        let json = try ledger.run("query", "1+1", "--format", "json").expecting(0)
        #expect(json.output.contains(#""resultType":"scalar""#))
    }

    @Test func `correct a document, and still answer as of before`() throws {
        struct Line: Decodable {
            let index: Int
            let id: String
        }
        func append(_ value: Int, _ more: String...) throws -> (index: Int, id: String) {
            let answer = try Command.run(
                ["append", "--measure", "corrected=\(value)", "--pipeline", "p", "--run", "correction"] + more
                    + ["--format", "json"], in: ledger.path, environment: ["LEDGER_URL": ledger.url]
            ).expecting(0)
            let line = try JSONDecoder().decode(Line.self, from: Data(answer.output.utf8))
            return (line.index, line.id)
        }
        func count(_ more: String...) throws -> String {
            let question = ["query", "sum(sum_over_time(corrected[1h]))", "--format", "csv"] + more
            let answer = try Command.run(
                question, in: ledger.path, environment: ["LEDGER_URL": ledger.url])
            return answer.expecting(0).output
        }
        let first = try append(10)
        let second = try append(12, "--replaces", first.id)
        #expect(second.id != first.id)
        // Back to what it was is a document of its own.
        let third = try append(10, "--replaces", second.id)
        #expect(Set([first.id, second.id, third.id]).count == 3)
        // A retry is none.
        #expect(try append(12, "--replaces", first.id) == second)
        try ledger.followed()
        #expect(try count().hasSuffix(",10\r\n"))
        #expect(try count("--as-of", "\(second.index + 1)").hasSuffix(",12\r\n"))
        #expect(try count("--as-of", "\(first.index + 1)").hasSuffix(",10\r\n"))
        #expect(try !count("--as-of", "\(first.index)").contains("\r\n1"))
        #expect(try !count("--as-of", "-2h").contains(",1"))
        let shown = try ledger.run("explain", "corrected", "--as-of", "\(first.index)").expecting(0)
        #expect(shown.output.contains("nothing"), "\(shown.output)")

        for wrong in ["1.5", "soon", "1763806500.25"] {
            try ledger.run("query", "corrected", "--as-of", wrong).expecting(2)
        }
        try ledger.run("query", "corrected", "--as-of", "1763806500").expecting(2)
        try ledger.directory.write(Array(Self.junit.utf8), "two.xml")
        try ledger.run(
            "append", "--junit", "two.xml", "--measure", "x=1", "--pipeline", "p", "--run", "2",
            "--replaces", first.id
        ).expecting(2)
    }

    @Test func `export every sample of a selector`() throws {
        for (run, value) in [(1, "0.000000001"), (2, "-999999999999999999")] {
            try ledger.run(
                "append", "--measure", "exported=\(value)", "--pipeline", "a,b", "--run", "\(run)", "--at",
                "2026-11-2\(run)T10:00:00Z"
            ).expecting(0)
        }
        try ledger.followed()
        let csv = try ledger.run("export", "exported").expecting(0)
        let rows = csv.output.components(separatedBy: "\r\n")
        #expect(rows[0] == "name,unit,labels,time,value,entry")
        #expect(
            rows[1].hasPrefix(#"exported,,"{""pipeline"":""a,b""}",2026-11-21T10:00:00.000Z,0.000000001,"#))
        #expect(rows[2].contains(",2026-11-22T10:00:00.000Z,-999999999999999999,"))
        #expect(rows.count == 4)
        #expect(csv.error.isEmpty, "\(csv.error)")
        let lines = try ledger.run(
            "export", "exported", "--format", "ndjson", "--from", "2026-11-22T10:00:00Z", "--to", "now"
        ).expecting(0)
        #expect(lines.output.split(separator: "\n").count == 1)
        #expect(lines.output.contains(#""value":"-999999999999999999""#))
        let none = try ledger.run("export", "exported", "--as-of", "0").expecting(0)
        #expect(none.output == rows[0] + "\r\n")
        try ledger.run("export", "sum(exported)").expecting(2)
        try ledger.run("export", "exported", "--from", "now", "--to", "-1d").expecting(2)
        try ledger.run("export").expecting(2)
    }

    @Test func `explain from what a question is answered`() throws {
        try ledger.run(
            "append", "--measure", "explained=3", "--pipeline", "shop/web", "--run", "explained"
        ).expecting(0)
        try ledger.followed()
        let question = #"rate(explained[5m]) + sum_over_time(explained[30d]) / explained"#
        let shown = try ledger.run("explain", question).expecting(0)
        let lines = shown.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.contains(["explained[5m]", "rate", "samples", "1", "1", "1", "1"]), "\(shown.output)")
        #expect(
            lines.contains(["explained[30d]", "sum_over_time", "rollups", "1", "1", "1", "1"]),
            "\(shown.output)")
        #expect(
            lines.contains(["explained", "newest", "value", "newest", "1", "1", "1", "1"]),
            "\(shown.output)")
        let json = try ledger.run("explain", question, "--from", "-1h", "--format", "json").expecting(0)
        #expect(json.output.contains(#""windows":"#))
        try ledger.run("explain", "sum(").expecting(2)
    }

    @Test func `show windows`() throws {
        for (run, value, hour) in [("1", "1.25", "09"), ("2", "2", "09"), ("3", "40", "11")] {
            try ledger.run(
                "append", "--measure", "windowed=\(value)", "--pipeline", "shop/web", "--run", "w\(run)",
                "--at", "2026-11-20T\(hour):1\(run):00Z"
            ).expecting(0)
        }
        try ledger.followed()
        #expect(try ledger.run("windows").expecting(0).output == "name\nhours\n")
        let table = try ledger.run("windows", "hours").expecting(0)
        let lines = table.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines[0].starts(with: ["hours:", "complete", "up", "to", "2026-11-20T11:13:00.000Z,"]))
        #expect(lines[1].starts(with: ["start", "end", "pipeline", "count", "sum", "avg"]))
        #expect(
            lines[2].starts(with: [
                "2026-11-20T09:00:00.000Z", "2026-11-20T10:00:00.000Z", "shop/web", "2", "3.25", "1.625",
            ]), "\(table.output)")
        #expect(lines[2].suffix(2) == ["1", "closed"])
        #expect(lines[3].suffix(2) == ["0", "open"])

        let newest = try ledger.run("windows", "hours", "--newest", "1", "--format", "csv").expecting(0)
        let rows = newest.output.components(separatedBy: "\r\n")
        #expect(rows.count == 3)
        #expect(rows[1].contains(",shop/web,1,40,40,40,40,"), "\(newest.output)")
        let earlier = try ledger.run(
            "windows", "hours", "--to", "2026-11-20T11:00:00Z", "--format", "json"
        ).expecting(0)
        #expect(earlier.output.contains(#""sum":"3.25""#))
        #expect(!earlier.output.contains(#""sum":"40""#))
        let none = try ledger.run("windows", "hours", "--to", "2020-01-01T00:00:00Z").expecting(0)
        #expect(none.error.contains("no windows"))

        #expect(try ledger.run("windows", "days").expecting(3).error.contains("hours"))
        let listener = try Command.start(
            ["windows", "hours", "--follow", "--after", "0.0", "--format", "json"], in: ledger.path,
            environment: ["LEDGER_URL": ledger.url])
        let said = listener.line()
        #expect(said.hasPrefix(#"{"position":""#), "\(said)")
        #expect(said.contains(#""sum":"3.25""#), "\(said)")
        let position = try #require(said.split(separator: "\"").dropFirst(3).first)
        let later = try Command.start(
            ["windows", "hours", "--follow", "--after", String(position)], in: ledger.path,
            environment: ["LEDGER_URL": ledger.url])
        try ledger.run(
            "append", "--measure", "windowed=0.75", "--pipeline", "shop/web", "--run", "w4", "--at",
            "2026-11-20T09:30:00Z"
        ).expecting(0)
        #expect(listener.line().contains(#""sum":"4""#))
        let changed = later.line()
        #expect(changed.contains("pipeline shop/web, count 3, sum 4,"), "\(changed)")
        #expect(changed.hasSuffix("revision 2, state closed"), "\(changed)")
        try ledger.run("windows", "days", "--follow").expecting(3)
        try ledger.run("windows", "hours", "--follow", "--format", "csv").expecting(2)
        try ledger.run("windows", "hours", "--after", "1.1").expecting(2)
        try ledger.run("windows", "hours", "--from", "soon").expecting(2)
        try ledger.run("windows", "--newest", "1").expecting(2)
        try ledger.run("windows", "hours", "--newest", "0").expecting(2)
    }

    @Test func `count a retry once, whatever envelope and time it comes in`() throws {
        try ledger.directory.write(Array(Self.junit.utf8), "retry.xml")
        func append(_ more: String...) throws -> Command.Answer {
            try Command.run(
                ["append", "--junit", "retry.xml", "--pipeline", "p", "--run", "retry", "--format", "json"]
                    + more,
                in: ledger.path, environment: ["LEDGER_URL": ledger.url]
            ).expecting(0)
        }
        #expect(try append("--at", "-1h").output.contains(#""new":true"#))
        // The first report stands, and its receipt is what the retry gets.
        let retried = try append("--at", "-2h").output
        #expect(retried.contains(#""new":false"#))
        #expect(retried.contains("c2sp.org/tlog-proof@v1"))
        try ledger.followed()
        let answer = try ledger.run(
            "query", "count_over_time(test_cases{pipeline=\"p\"}[1d])", "--format", "csv")
        #expect(answer.output.split(separator: "\r\n").dropFirst().allSatisfy { $0.hasSuffix(",1") })
    }

    @Test func `take the same document twice, with a receipt for the same entry`() throws {
        let document = """
            <?xml version="1.0" encoding="UTF-8"?>
            <kpis xmlns="urn:kpi-ledger:kpi:1" ledger="localhost/kpi" submitter="ci" id="twice" pipeline="p" run="1">
              <measure name="twice" at="2026-11-01T00:00:00Z">1</measure>
            </kpis>
            """
        let first = try ledger.run("append", "-", "--format", "json", input: document).expecting(0)
        let second = try ledger.run("append", "-", "--format", "json", input: document).expecting(0)
        #expect(first.output.contains(#""new":true"#))
        #expect(second.output.contains(#""new":false"#))
        let number = /"index":(\d+)/
        #expect(try number.firstMatch(in: first.output)?.1 == number.firstMatch(in: second.output)?.1)
    }

    @Test func `seal many documents under one session`() throws {
        let documents = (1...Limits.sessionFromDocuments).map { number in
            """
            <kpis xmlns="urn:kpi-ledger:kpi:1" ledger="localhost/kpi" submitter="ci" id="many\(number)">
            <measure name="many" at="2026-11-01T00:00:00Z">\(number)</measure></kpis>
            """
        }
        var names: [String] = []
        for (number, document) in documents.enumerated() {
            names.append("many\(number).xml")
            try ledger.directory.write(Array(document.utf8), names[number])
        }
        let answer = try Command.run(
            ["append", "--format", "json"] + names, in: ledger.path, environment: ["LEDGER_URL": ledger.url]
        ).expecting(0)
        #expect(answer.output.split(separator: "\n").count == documents.count)
    }

    @Test func `enrol a key that then may send, and revoke it`() throws {
        try ledger.directory.shell(
            """
            mkdir -p web && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web/web.key \
              -out web/web.crt -days 30 -subj /CN=web -addext subjectKeyIdentifier=hash
            """)
        let append = ["append", "--identity", "web", "--measure", "x=1", "--pipeline", "p", "--run"]
        let environment = ["LEDGER_URL": ledger.url]
        try Command.run(append + ["1"], in: ledger.path, environment: environment).expecting(3)
        try ledger.run("enroll", "web", "--role", "submitter", "--certificate", "web/web.crt").expecting(0)
        try Command.run(append + ["2"], in: ledger.path, environment: environment).expecting(0)
        let key = try KeyCertificate(pem: ledger.directory.read("web/web.crt")).keyIdentifier
        try ledger.run("enroll", "web", "--revoke", key.hexadecimal, "--reason", "left").expecting(0)
        try Command.run(append + ["3"], in: ledger.path, environment: environment).expecting(3)
    }

    @Test func `show the nodes`() throws {
        let status = try ledger.run("status").expecting(0)
        #expect(status.output.contains("node1  \(ledger.url)"))
        #expect(status.output.contains("ready"))
    }

    @Test func `sign tokens that the node accepts, for their role only`() throws {
        let token = try ledger.run("token", "--role", "auditor", "--for", "5m").expecting(0)
        let environment = ["LEDGER_TOKEN": token.output.trimmingCharacters(in: .whitespacesAndNewlines)]
        let refused = try ledger.run("query", "1", environment: environment).expecting(3)
        #expect(refused.error.contains("role"))
    }

    @Test func `end with 2 after wrong usage, with what and what to do`() throws {
        let wrong = [
            ["append"], ["append", "--measure", "x"], ["append", "--measure", "x=1"],
            ["append", "absent.xml"],
            ["query"], ["query", "1", "--from", "yesterday"], ["query", "sum("],
            ["verify-receipt", "absent"],
            ["enroll", "x"], ["token"], ["nonsense"], ["status", "--ledger", "http://x"],
        ]
        for arguments in wrong {
            let answer = try Command.run(arguments, in: ledger.path, environment: ["LEDGER_URL": ledger.url])
            #expect(answer.status == 2, "\(arguments): \(answer.error)")
            #expect(answer.error.split(separator: "\n").count >= 2, "\(arguments): \(answer.error)")
        }
    }

    @Test func `end with 3 where the ledger is away, and with 0 where that is allowed`() throws {
        let away = ["LEDGER_URL": "https://127.0.0.1:1"]
        let append = ["append", "--measure", "x=1", "--pipeline", "p", "--run", "away"]
        let answer = try Command.run(append, in: ledger.path, environment: away).expecting(3)
        #expect(answer.error.split(separator: "\n").count == 2)
        let allowed = try Command.run(append + ["--allow-failure"], in: ledger.path, environment: away)
            .expecting(0)
        #expect(allowed.error.contains("warning: not appended"))
        try Command.run("query", "1", in: ledger.path, environment: away).expecting(3)
        try Command.run("status", in: ledger.path, environment: away).expecting(3)
    }

    @Test func `refuse a server that the authority does not vouch for`() throws {
        try ledger.run("status", "--ca", "clients/ci/ci.crt").expecting(3)
    }

    @Test func `keep sealed entries while the ledger is away and send them later`() throws {
        let append = ["append", "--measure", "spooled=1", "--pipeline", "p", "--spool", "spool", "--run"]
        let away = ["LEDGER_URL": "https://127.0.0.1:1", "LEDGER_GENESIS": "genesis.xml"]
        for run in ["a", "b"] {
            let answer = try Command.run(append + [run], in: ledger.path, environment: away).expecting(3)
            #expect(answer.error.contains("kept in spool"))
        }
        let spool = try Spool(ledger.path + "/spool")
        #expect(spool.files().count == 2)
        let later = try Command.run(append + ["c"], in: ledger.path, environment: ["LEDGER_URL": ledger.url])
            .expecting(0)
        #expect(later.error.components(separatedBy: "kept earlier, is in the ledger").count == 3)
        #expect(spool.files().isEmpty)
        try ledger.followed()
        let answer = try ledger.run("query", "count_over_time(spooled[1d])", "--format", "csv")
        #expect(answer.output.contains(",3\r\n"))
    }
}
