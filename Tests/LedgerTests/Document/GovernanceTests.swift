import Ledger
import TestSupport
import Testing

private func record(_ text: String) -> Result<GovernanceRecord, DocumentError> {
    do throws(DocumentError) {
        return .success(try GovernanceRecord.parse(Array(text.utf8)))
    } catch {
        return .failure(error)
    }
}

private func genesis(_ text: String) -> Result<Genesis, DocumentError> {
    do throws(DocumentError) {
        return .success(try Genesis.parse(Array(text.utf8)))
    } catch {
        return .failure(error)
    }
}

@Suite struct `A governance record` {
    private static let namespace = "xmlns=\"urn:kpi-ledger:governance:1\""

    @Test func `is written and read back as it was`() throws {
        var generator = SeededGenerator(seed: 3)
        for round in 0..<300 {
            let action: GovernanceRecord.Action =
                switch round % 3 {
                case 0: .enrol(generator.enrolment())
                case 1:
                    .revoke(
                        identity: generator.text(1...20), keyIdentifier: generator.bytes(20),
                        reason: generator.text(1...60))
                default:
                    .erase(
                        EntryIndex(.random(in: 0 ... .max, using: &generator)), reason: generator.text(1...60)
                    )
                }
            let original = GovernanceRecord(
                ledger: generator.text(1...20), sequence: .random(in: 1 ... .max, using: &generator),
                action: action)
            #expect(try GovernanceRecord.parse(Array(original.xml.utf8)) == original, "\(original.xml)")
        }
    }

    @Test(arguments: ["configure"]) func `of a reserved kind is named and not accepted`(
        name: String
    ) throws {
        for content in ["", "<any><thing/></any>"] {
            let result = record("<\(name) \(Self.namespace) ledger=\"l\" sequence=\"1\">\(content)</\(name)>")
            guard case .failure(let error) = result else { return #expect(Bool(false)) }
            #expect(error.kind == .invalid(element: name, line: 1))
            #expect(error.reason.contains("this version does not accept"))
        }
    }

    @Test(arguments: [
        "<erase NS ledger=\"l\" sequence=\"0\" entry=\"1\"><reason>r</reason></erase>",
        "<erase NS ledger=\"l\" sequence=\"01\" entry=\"1\"><reason>r</reason></erase>",
        "<erase NS ledger=\"l\" sequence=\"+1\" entry=\"1\"><reason>r</reason></erase>",
        "<erase NS ledger=\"l\" sequence=\" 1\" entry=\"1\"><reason>r</reason></erase>",
        "<erase NS ledger=\"l\" sequence=\"18446744073709551616\" entry=\"1\"><reason>r</reason></erase>",
        "<erase NS ledger=\"l\" sequence=\"1\" entry=\"-1\"><reason>r</reason></erase>",
        "<erase NS ledger=\"l\" sequence=\"1\" entry=\"1\"><reason></reason></erase>",
        "<erase NS ledger=\"l\" sequence=\"1\" entry=\"1\"/>",
        "<erase NS sequence=\"1\" entry=\"1\"><reason>r</reason></erase>",
        "<enrol NS ledger=\"l\" sequence=\"1\" identity=\"i\"><certificate>AA==</certificate></enrol>",
        "<enrol NS ledger=\"l\" sequence=\"1\" identity=\"i\"><role>king</role><certificate>AA==</certificate></enrol>",
        "<enrol NS ledger=\"l\" sequence=\"1\" identity=\"i\"><role>dpo</role><role>dpo</role><certificate>AA==</certificate></enrol>",
        "<enrol NS ledger=\"l\" sequence=\"1\" identity=\"i\"><role>dpo</role><certificate></certificate></enrol>",
        "<enrol NS ledger=\"l\" sequence=\"1\" identity=\"i\"><role>dpo</role><certificate>AB==</certificate></enrol>",
        "<enrol NS ledger=\"l\" sequence=\"1\" identity=\"i\"><role>dpo</role><certificate>A</certificate></enrol>",
        "<enrol NS ledger=\"l\" sequence=\"1\"><role>dpo</role><certificate>AA==</certificate></enrol>",
        "<revoke NS ledger=\"l\" sequence=\"1\" identity=\"i\"><keyIdentifier></keyIdentifier><reason>r</reason></revoke>",
        "<role NS>dpo</role>", "<kpis NS/>", "<enrol/>",
    ])
    func `is refused when it breaks a rule`(text: String) {
        guard case .failure(let error) = record(text.replacing("NS", with: Self.namespace)),
            case .invalid = error.kind
        else { return #expect(Bool(false), "\(text)") }
    }

    @Test func `is no document for a payload`() {
        let text =
            "<erase \(Self.namespace) ledger=\"l\" sequence=\"1\" entry=\"1\"><reason>r</reason></erase>"
        #expect(parse(text).isInvalid)
        guard case .failure = record(exampleDocument) else { return #expect(Bool(false)) }
    }
}

@Suite struct `A session document` {
    @Test func `is written and read back as it was`() throws {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<100 {
            let session = SessionDocument(
                ledger: generator.text(1...20), submitter: generator.text(1...20), id: generator.text(1...20),
                key: generator.bytes(32), expires: generator.time())
            #expect(try parse(session.xml).get() == .session(session))
        }
    }

    @Test func `has a key of 32 bytes`() {
        func session(_ key: String) -> String {
            """
            <session xmlns="urn:kpi-ledger:session:1" ledger="l" submitter="s" id="1" expires="2026-01-01T00:00:00Z">\
            <key>\(key)</key></session>
            """
        }
        let key = Base64.encode([UInt8](repeating: 7, count: 32))
        #expect(parse(session(key)).error == nil)
        #expect(parse(session("\n  " + key + "\n")).error == nil)
        for count in [0, 1, 31, 33] {
            #expect(parse(session(Base64.encode([UInt8](repeating: 7, count: count)))).isInvalid)
        }
        #expect(parse(session(key + "<!-- -->")).isInvalid)
        #expect(parse(session("").replacing("<key></key>", with: "")).isInvalid)
    }
}

@Suite struct `A genesis document` {
    @Test func `is written and read back as it was`() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<50 {
            let original = generator.genesis()
            #expect(try Genesis.parse(Array(original.xml.utf8)) == original)
        }
    }

    @Test func `is refused when two members could vote as one`() throws {
        var generator = SeededGenerator(seed: 6)
        func with(_ members: [Member]) -> Genesis {
            Genesis(
                origin: "o", created: givenTime, ledgerKey: [UInt8](repeating: 1, count: 32), tokenKey: [1],
                members: members, identities: [])
        }
        func member(_ name: String, voteKey: [UInt8], tls: [UInt8]) -> Member {
            Member(
                name: name, url: "https://a", peerAddress: "a:1", voteKey: voteKey, sealingCertificate: [1],
                tlsKeyDigest: tls)
        }
        let keys = (0..<4).map { _ in generator.bytes(32) }
        let one = member("a", voteKey: keys[0], tls: keys[1])
        let isRefused = [
            (member("b", voteKey: keys[2], tls: keys[3]), false),
            (member("a", voteKey: keys[2], tls: keys[3]), true),
            (member("b", voteKey: keys[0], tls: keys[3]), true),
            (member("b", voteKey: keys[2], tls: keys[1]), true),
            (member("b c", voteKey: keys[2], tls: keys[3]), true),
            (member("b+c", voteKey: keys[2], tls: keys[3]), true),
        ]
        for (other, expected) in isRefused {
            guard case .failure = genesis(with([one, other]).xml) else {
                #expect(!expected, "\(other.name)")
                continue
            }
            #expect(expected, "\(other.name)")
        }
        guard case .failure = genesis(with([]).xml) else { return #expect(Bool(false), "no member") }
    }

    @Test func `is refused without a trap wherever it is cut or changed`() throws {
        var generator = SeededGenerator(seed: 8)
        let bytes = Array(generator.genesis().xml.utf8)
        for count in stride(from: 0, to: bytes.count - 2, by: 7) {
            #expect((try? Genesis.parse(Array(bytes[..<count]))) == nil)
        }
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                in: 0...255, using: &generator)
            _ = try? Genesis.parse(damaged)
        }
    }
}
