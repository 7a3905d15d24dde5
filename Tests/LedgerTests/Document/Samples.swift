import TestSupport

@testable import Ledger

extension SeededGenerator {
    mutating func text(_ lengths: ClosedRange<Int>) -> String {
        let alphabet = Array("abcxyzABZ019.-_/: <>&\"'=]]>{}é漢🚀\u{301}\u{FFFD}")
        return String(
            (0..<Int.random(in: lengths, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? "a"
            })
    }
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }
    mutating func time() -> Timestamp {
        let range = Timestamp.earliest.milliseconds...Timestamp.latest.milliseconds
        return Timestamp(milliseconds: .random(in: range, using: &self)) ?? .earliest
    }
    mutating func quantity() -> Quantity {
        let digits = Int64.random(in: 0...999_999_999_999_999_999, using: &self)
        let shift = [1, 1_000, 1_000_000_000_000].randomElement(using: &self) ?? 1
        let sign: Int64 = Bool.random(using: &self) ? -1 : 1
        return Quantity(coefficient: sign * (digits / Int64(shift)), scale: .random(in: 0...9, using: &self))
            ?? .zero
    }

    mutating func document() -> KPIDocument {
        let pipeline = Bool.random(using: &self) ? text(1...20) : nil
        let measures = (0..<Int.random(in: 1...6, using: &self)).map { _ in
            var labels: [Label] = []
            for position in 0..<Int.random(in: 0...5, using: &self) {
                labels.append(Label(name: "l\(position)" + text(0...12), value: text(1...40)))
            }
            if let pipeline { labels.append(Label(name: "pipeline", value: pipeline)) }
            return Measure(
                name: "m" + text(0...40), unit: text(0...6), time: time(), labels: labels.sorted(),
                value: quantity())
        }
        return KPIDocument(
            ledger: text(1...30), submitter: text(1...20), id: text(1...30), pipeline: pipeline,
            run: Bool.random(using: &self) ? text(1...12) : nil,
            replaces: Bool.random(using: &self) ? "r" + text(30...40) : nil, measures: measures)
    }

    mutating func enrolment() -> Enrolment {
        let roles = Role.allCases.shuffled(using: &self).prefix(.random(in: 1...5, using: &self))
        return Enrolment(
            identity: text(1...20), roles: Array(roles),
            certificate: bytes(.random(in: 1...900, using: &self)))
    }

    mutating func genesis() -> Genesis {
        let members = (1...Int.random(in: 1...7, using: &self)).map { number in
            Member(
                name: "node\(number)", url: "https://127.0.0.1:\(7400 + number)",
                peerAddress: "127.0.0.1:\(7500 + number)", voteKey: bytes(32),
                sealingCertificate: bytes(.random(in: 1...900, using: &self)), tlsKeyDigest: bytes(32))
        }
        return Genesis(
            origin: "example.com/kpi", created: time(), ledgerKey: bytes(32), tokenKey: bytes(91),
            members: members,
            identities: (0..<Int.random(in: 0...5, using: &self)).map { _ in enrolment() })
    }
}

/// The example of docs/interfaces.md.
let exampleDocument = """
    <?xml version="1.0" encoding="UTF-8"?>
    <kpis xmlns="urn:kpi-ledger:kpi:1" ledger="example.com/kpi" submitter="ci" id="0191" pipeline="shop/web" run="4711">
      <label name="vcs.ref.head.name">main</label>
      <measure name="cicd.pipeline.run.duration" unit="s" at="2026-11-22T10:15:00.250Z">312.5</measure>
      <measure name="test.cases" unit="{case}" at="2026-11-22T10:15:00Z"><label name="test.result">passed</label>1204</measure>
    </kpis>
    """

func kpis(
    attributes: String = #"ledger="example.com/kpi" submitter="ci" id="1""#, _ content: String
) -> String {
    "<kpis xmlns=\"urn:kpi-ledger:kpi:1\" \(attributes)>\(content)</kpis>"
}

func oneMeasure(_ content: String) -> String {
    kpis("<measure name=\"m\" at=\"2026-11-22T10:15:00Z\">\(content)</measure>")
}

/// The document, or why there is none.
func parse(_ text: String) -> Result<SealedDocument, DocumentError> { parse(Array(text.utf8)) }

func parse(_ bytes: [UInt8]) -> Result<SealedDocument, DocumentError> {
    do throws(DocumentError) {
        return .success(try DocumentParser().parse(bytes))
    } catch {
        return .failure(error)
    }
}

extension Result<SealedDocument, DocumentError> {
    var kpis: KPIDocument? {
        guard case .success(.kpis(let document)) = self else { return nil }
        return document
    }
    var error: DocumentError? {
        guard case .failure(let error) = self else { return nil }
        return error
    }
    var isMalformed: Bool {
        guard case .malformed = error?.kind else { return false }
        return true
    }
    var isInvalid: Bool {
        guard case .invalid = error?.kind else { return false }
        return true
    }
}
