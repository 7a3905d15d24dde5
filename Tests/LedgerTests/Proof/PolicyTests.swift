import Ledger
import Testing

@Suite struct `A trust policy` {
    static func key(_ kind: NoteVerifierKey.Kind, _ number: UInt8) throws -> String {
        let name = kind == .note ? VotedLedger.origin : "w\(number)"
        return try noteKey(name, kind, number).verifierKey.text
    }

    /// Reads `text`, in which `L` is the ledger's key and `W1`, `W2`, … are the keys of witnesses.
    static func parse(_ text: String) throws -> Policy {
        try Policy(parsing: Array(try expand(text).utf8))
    }

    static func expand(_ text: String) throws -> String {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        return try words.map { word in
            let bare = word.prefix { $0 != "\n" }
            let rest = word.dropFirst(bare.count)
            if bare == "L" { return try key(.note, 200) + rest }
            if bare.hasPrefix("W"), let number = UInt8(bare.dropFirst()) {
                return try key(.cosignature, number) + rest
            }
            return String(word)
        }.joined(separator: " ")
    }

    /// A note that the ledger key and these witnesses have signed, each with a time of its own.
    static func note(_ witnesses: [UInt8], log: UInt8? = 200) throws -> SignedNote {
        let checkpoint = Checkpoint(
            origin: try KeyName(VotedLedger.origin), size: 5, root: .zero, height: BlockHeight(1),
            headerHash: .zero,
            view: View(0))
        let text = checkpoint.text
        var signatures = try [log].compactMap(\.self).map {
            try noteKey(VotedLedger.origin, .note, $0).sign(text)
        }
        signatures += try witnesses.map {
            try noteKey("w\($0)", .cosignature, $0).sign(text, at: 1_700_000_000 + UInt64($0))
        }
        return try SignedNote(text: text, signatures: signatures)
    }

    static func accepts(_ policy: Policy, _ note: SignedNote) throws -> Bool {
        do {
            let verified = try policy.verify(note: note)
            #expect(verified.checkpoint.text == note.text)
            return true
        } catch {
            #expect(error.code == .quorumMissed)
            return false
        }
    }

    @Test func `of a ledger is its key, its nodes and one group`() throws {
        let ledger = try VotedLedger(nodes: 4)
        let keys = ledger.electorate.keys.map(\.text)
        #expect(
            String(decoding: ledger.policy.text, as: UTF8.self) == """
                log \(ledger.ledgerKey.verifierKey.text)
                witness node1 \(keys[0])
                witness node2 \(keys[1])
                witness node3 \(keys[2])
                witness node4 \(keys[3])
                group nodes 3 node1 node2 node3 node4
                quorum nodes

                """)
        #expect(try Policy(parsing: ledger.policy.text) == ledger.policy)
    }

    @Test func `names its group apart from its witnesses, and refuses names of two words`() throws {
        let key = try noteKey("w1", .cosignature, 1).verifierKey
        let log = try signingKey(200).verificationKey
        let origin = try KeyName(VotedLedger.origin)
        let policy = try Policy(origin: origin, ledgerKey: log, witnesses: [("nodes", key)], quorum: 1)
        #expect(
            String(decoding: policy.text, as: UTF8.self).hasSuffix(
                "group nodes-quorum 1 nodes\nquorum nodes-quorum\n"))
        for name in ["", "a b", "none", "a\nquorum none\n#"] {
            #expect(throws: ProofError.self) {
                try Policy(origin: origin, ledgerKey: log, witnesses: [(name, key)], quorum: 1)
            }
        }
        for quorum in [-1, 0, 2] {
            #expect(throws: ProofError.self) {
                try Policy(origin: origin, ledgerKey: log, witnesses: [("a", key)], quorum: quorum)
            }
        }
    }

    @Test(arguments: 1...7) func `accepts exactly the sets of nodes that are a quorum`(_ nodes: Int) throws {
        let ledger = try VotedLedger(nodes: nodes)
        let header = try ledger.header(size: 9, root: .sha256([]))
        let quorum = ledger.electorate.committee.quorum
        for set in 0..<(1 << nodes) {
            let voters = (0..<nodes).filter { set >> $0 & 1 == 1 }.map { $0 + 1 }
            let note = try ledger.note(voters, for: header).note
            #expect(try Self.accepts(ledger.policy, note) == (voters.count >= quorum))
        }
    }

    @Test func `evaluates groups of groups as their truth table says`() throws {
        let text = """
            # Two of X and one of Y, as in C2SP's example.
            log L https://example.com/log
            witness X1 W1
            witness X2 W2 https://witness.example/
            \t  witness\tX3   W3
            group X-witnesses 2 X1 X2 X3

              # A comment that is indented
            witness Y1 W4
            witness Y2 W5
            group Y-witnesses any Y1 Y2
            group X-and-Y all X-witnesses Y-witnesses
            quorum X-and-Y

            """
        let policy = try Self.parse(text)
        #expect(try Policy(parsing: policy.text) == policy)
        for set in 0..<32 {
            let signers = (0..<5).filter { set >> $0 & 1 == 1 }
            let isQuorum = signers.count { $0 < 3 } >= 2 && signers.contains { $0 >= 3 }
            let note = try Self.note(signers.map { UInt8($0 + 1) })
            #expect(try Self.accepts(policy, note) == isQuorum)
        }
    }

    @Test(arguments: [
        ("all", 3), ("any", 1), ("1", 1), ("2", 2), ("3", 3),
    ]) func `understands each kind of threshold`(_ word: String, _ needed: Int) throws {
        let policy = try Self.parse(
            "log L\nwitness a W1\nwitness b W2\nwitness c W3\ngroup g \(word) a b c\nquorum g\n")
        for count in 0...3 {
            #expect(
                try Self.accepts(policy, Self.note((1...3).prefix(count).map { $0 })) == (count >= needed))
        }
    }

    @Test func `takes a single witness or none as its quorum`() throws {
        let one = try Self.parse("log L\nwitness a W1\nwitness b W2\nquorum b\n")
        #expect(try !Self.accepts(one, Self.note([1])))
        #expect(try Self.accepts(one, Self.note([2])))
        let none = try Self.parse("log L\nquorum none\n")
        #expect(try Self.accepts(none, Self.note([])))
        let error = #expect(throws: ProofError.self) { try none.verify(note: Self.note([1], log: nil)) }
        #expect(error?.code == .unknownLog)
        let noLog = try Self.parse("quorum none\n")
        #expect(throws: ProofError.self) { try noLog.verify(note: Self.note([])) }
    }

    @Test func `accepts any of its logs, but only for the log's own origin`() throws {
        let other = try noteKey("other.example/log", .note, 201)
        let policy = try Self.parse("log L\nlog \(other.verifierKey.text)\nquorum none\n")
        #expect(try Self.accepts(policy, Self.note([])))
        // The other log signs a checkpoint of this ledger.
        let text = try Self.note([]).text
        let note = try SignedNote(text: text, signatures: [other.sign(text)])
        let error = #expect(throws: ProofError.self) { try policy.verify(note: note) }
        #expect(error?.code == .unknownLog)
    }

    @Test func `counts a witness once and refuses a note with one false line`() throws {
        let policy = try Self.parse("log L\nwitness a W1\nwitness b W2\ngroup g 2 a b\nquorum g\n")
        let note = try Self.note([1, 1, 1])
        let error = #expect(throws: ProofError.self) { try policy.verify(note: note) }
        #expect(error?.code == .quorumMissed)
        let good = try Self.note([1, 2])
        #expect(try policy.verify(note: good).witnesses == ["a", "b"])
        var signatures = good.signatures
        var bytes = signatures[2].bytes
        bytes[20] ^= 1
        signatures[2] = NoteSignature(name: signatures[2].name, keyID: signatures[2].keyID, bytes: bytes)
        let spoiled = try SignedNote(text: good.text, signatures: signatures)
        let refusal = #expect(throws: ProofError.self) { try policy.verify(note: spoiled) }
        #expect(refusal?.code == .badSignature)
        // Lines of strangers, even of a known name, change nothing.
        let stranger = NoteSignature(name: signatures[2].name, keyID: 1, bytes: [1])
        let more = try SignedNote(text: good.text, signatures: good.signatures + [stranger])
        #expect(try Self.accepts(policy, more))
    }

    @Test(arguments: [
        "", "\n", "log L\n", "quorum none", "quorum none\nquorum none\n", "quorum\n", "quorum none none\n",
        "quorum a\nwitness a W1\n", "witness a W1\nquorum b\n", "witness a W1\nquorum A\n", "Quorum none\n",
        "quorums none\n",
        "quorum none\r\n", "quorum none\n\u{1}\n", "quorum none\n#\u{7F}\n", "quorum none\nfoo\n",
        "quorum\u{A0}none\n",
        "log\nquorum none\n", "log W\nquorum none\n", "log L L L\nquorum none\n",
        "log L\nlog L\nquorum none\n",
        "log L x\nlog L y\nquorum none\n", "witness W1\nquorum none\n", "witness a\nquorum none\n",
        "witness a L\nquorum none\n", "witness a W1 u v\nquorum none\n", "witness none W1\nquorum none\n",
        "witness a W1\nwitness a W2\nquorum none\n", "witness a W1\nwitness b W1\nquorum none\n",
        "witness a W1\ngroup g\nquorum none\n", "witness a W1\ngroup g 1\nquorum none\n",
        "witness a W1\ngroup g any\nquorum none\n", "witness a W1\ngroup g 0 a\nquorum none\n",
        "witness a W1\ngroup g 2 a\nquorum none\n", "witness a W1\ngroup g -1 a\nquorum none\n",
        "witness a W1\ngroup g +1 a\nquorum none\n", "witness a W1\ngroup g 01 a\nquorum none\n",
        "witness a W1\ngroup g 18446744073709551617 a\nquorum none\n",
        "witness a W1\ngroup g Any a\nquorum none\n",
        "witness a W1\ngroup g some a\nquorum none\n", "witness a W1\ngroup a any a\nquorum none\n",
        "witness a W1\ngroup none any a\nquorum none\n", "witness a W1\ngroup g any none\nquorum none\n",
        "witness a W1\ngroup g any b\nquorum none\n", "group g any g\nquorum none\n",
        "witness a W1\ngroup g any a a\nquorum none\n",
        "witness a W1\ngroup g any a\ngroup h any a\nquorum none\n",
        "witness a W1\ngroup g any a\ngroup h any g\ngroup i any g\nquorum none\n",
        "group h any g\nwitness a W1\ngroup g any a\nquorum none\n",
    ])
    func `is refused when it breaks the grammar`(_ text: String) throws {
        let error = #expect(throws: ProofError.self) { try Self.parse(text) }
        #expect(error?.code == .malformedPolicy)
    }

    @Test func `holds names as octets, whatever their encoding`() throws {
        let witness = try Self.key(.cosignature, 1)
        let raw =
            Array("witness ".utf8) + [0xFF, 0xFE] + Array(" \(witness)\nquorum ".utf8) + [0xFF, 0xFE, 0x0A]
        let policy = try Policy(parsing: raw)
        #expect(policy.text == raw)
        // The Kelvin sign is not K, nor is one spelling of é the other.
        for (name, other) in [("K", "\u{212A}"), ("\u{E9}", "e\u{301}")] {
            let two = try Self.parse(
                "witness \(name) W1\nwitness \(other) W2\ngroup g all \(name) \(other)\nquorum g\n")
            #expect(try Policy(parsing: two.text) == two)
        }
    }

    @Test func `holds what C2SP asks for and what members need, and is bounded`() throws {
        func policy(witnesses: Int, groups: Int) throws -> String {
            // Nested: each group holds the one before and, while there are any, a witness.
            var lines = try (0..<witnesses).map { number in
                let key = NoteVerifierKey(
                    name: try KeyName("w"), kind: .cosignature,
                    key: try #require(
                        VerificationKey(Digest.sha256([UInt8(number & 255), UInt8(number >> 8)]).bytes)))
                return "witness w\(number) \(key.text)"
            }
            for group in 0..<groups {
                lines.append(
                    "group g\(group) any \(group < witnesses ? "w\(group)" : "") \(group > 0 ? "g\(group - 1)" : "")"
                )
            }
            return lines.joined(separator: "\n") + "\nquorum none\n"
        }
        _ = try Policy(parsing: Array(try policy(witnesses: 128, groups: 128).utf8))
        #expect(throws: ProofError.self) {
            try Policy(parsing: Array(try policy(witnesses: 257, groups: 0).utf8))
        }
        let comment = "#" + String(repeating: "x", count: Limits.policyBytes) + "\nquorum none\n"
        #expect(throws: ProofError.self) { try Policy(parsing: Array(comment.utf8)) }
    }

    @Test func `never traps when damaged`() throws {
        let text = Array(
            try Self.expand("log L u\nwitness a W1\nwitness b W2\ngroup g 2 a b\ngroup h any g\nquorum h\n")
                .utf8)
        for damaged in damaged(text, flips: 1500, seed: 7) {
            if let policy = try? Policy(parsing: damaged) {
                #expect(try Policy(parsing: policy.text) == policy)
            }
        }
    }
}
