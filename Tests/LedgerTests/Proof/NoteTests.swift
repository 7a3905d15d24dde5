import Ledger
import Testing

func signingKey(_ number: UInt8) throws -> SigningKey {
    try #require(SigningKey(seed: [UInt8](repeating: number, count: 32)))
}

func noteKey(
    _ name: String, _ kind: NoteVerifierKey.Kind = .note, _ number: UInt8
) throws -> NoteSigningKey {
    NoteSigningKey(name: try KeyName(name), kind: kind, key: try signingKey(number))
}

@Suite struct `A signature` {
    @Test func `is the one of RFC 8032`() throws {
        // RFC 8032 §7.1, tests 1 and 2.
        let vectors: [(seed: String, key: String, message: [UInt8], signature: String)] = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", [],
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                    + "d25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", [0x72],
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
                    + "387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ]
        for vector in vectors {
            let key = try #require(SigningKey(seed: digest(vector.seed).bytes))
            #expect(key.verificationKey.bytes.hexadecimal == vector.key)
            #expect(key.sign(vector.message).hexadecimal == vector.signature)
            #expect(key.verificationKey.isValid(key.sign(vector.message), over: vector.message))
        }
    }

    @Test func `of another length, key or message is refused`() throws {
        let (key, other) = (try signingKey(1), try signingKey(2))
        let message: [UInt8] = [1, 2, 3]
        let signature = key.sign(message)
        #expect(!other.verificationKey.isValid(signature, over: message))
        #expect(!key.verificationKey.isValid(signature, over: [1, 2]))
        for length in [0, 1, 63, 65, 1000] {
            let bytes = (signature + [UInt8](repeating: 0, count: 1000)).prefix(length)
            #expect(!key.verificationKey.isValid(Array(bytes), over: message))
        }
        #expect(VerificationKey([UInt8](repeating: 0, count: 31)) == nil)
        #expect(SigningKey(seed: [UInt8](repeating: 0, count: 33)) == nil)
        for noPoint: UInt8 in [0x02, 0xEE, 0xFF] {
            let key = VerificationKey([UInt8](repeating: noPoint, count: 32))
            #expect(key?.isValid(signature, over: message) == false)
        }
    }

    @Test func `key shows nothing of its seed`() throws {
        let key = try signingKey(0xAB)
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!"\(key)\(String(reflecting: key))\(dumped)".contains("ababab"))
        #expect(!dumped.contains("171"))
    }
}

@Suite struct `A verifier key` {
    static let vector = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

    @Test func `is read and written as C2SP has it`() throws {
        let key = try NoteVerifierKey(parsing: Self.vector)
        #expect(key.text == Self.vector)
        #expect(key.kind == .note)
        #expect(key.name.description == "example.com/foo")
        #expect(key.id == 0x530D_903A)
    }

    @Test func `survives its text with every key id, and kinds differ in theirs`() throws {
        for number: UInt8 in 0..<64 {
            let note = try noteKey("ex.org/é", .note, number).verifierKey
            let cosignature = try noteKey("ex.org/é", .cosignature, number).verifierKey
            #expect(try NoteVerifierKey(parsing: note.text) == note)
            #expect(try NoteVerifierKey(parsing: cosignature.text) == cosignature)
            #expect(note.id != cosignature.id)
        }
    }

    @Test(arguments: [
        "", "+", "++", "example.com/foo", "example.com/foo+530d903a",
        "example.com/foo+530d903a+", "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2",
        "example.com/foo+530d903a+AQ==",
        "example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example .com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k ",
    ])
    func `is refused in any other form`(_ text: String) {
        let error = #expect(throws: ProofError.self) { try NoteVerifierKey(parsing: text) }
        #expect(error?.code == .malformedKey)
    }

    @Test func `has a name without spaces, plus signs and control characters`() throws {
        for name in [
            "", " ", "a b", "a\tb", "a\nb", "a+b", "a\u{A0}b", "a\u{2003}b", "a\u{85}b", "a\0b", "\u{3000}",
        ] {
            #expect(throws: ProofError.self) { try KeyName(name) }
        }
        #expect(throws: ProofError.self) { try KeyName(String(repeating: "n", count: 256)) }
        #expect(try KeyName(String(repeating: "n", count: 255)).bytes.count == 255)
        #expect(try KeyName("\u{E9}") != KeyName("e\u{301}"), "names are bytes, not characters")
    }
}

@Suite struct `A signed note` {
    static let text = Array("This is an example message.\n".utf8)
    static let vector = """
        This is an example message.

        \u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

        """

    @Test func `of C2SP's vector verifies and is written again byte for byte`() throws {
        let key = try NoteVerifierKey(parsing: `A verifier key`.vector)
        let note = try SignedNote(parsing: Array(Self.vector.utf8))
        #expect(note.text == Self.text)
        #expect(note.bytes == Array(Self.vector.utf8))
        #expect(note.signatures.count == 1)
        #expect(try note.signers(among: [key]) == [key])
    }

    @Test func `goes round with several signatures and blank lines in its text`() throws {
        let text = Array("Ognuno sta solo\n\n\ned è subito sera.\n\n".utf8)
        let keys = try (1...3).map { try noteKey("poet\($0)", .note, $0) }
        let note = try SignedNote(text: text, signatures: keys.map { $0.sign(text) })
        let again = try SignedNote(parsing: note.bytes)
        #expect(again == note)
        #expect(again.text == text)
        #expect(try again.signers(among: keys.map(\.verifierKey)) == keys.map(\.verifierKey))
    }

    @Test func `ignores lines of unknown keys, even with a known name or id`() throws {
        let known = try noteKey("known", .note, 1)
        let sameName = try noteKey("known", .note, 2)
        let good = known.sign(Self.text)
        let sameID = NoteSignature(name: try KeyName("other"), keyID: good.keyID, bytes: [1])
        let note = try SignedNote(text: Self.text, signatures: [sameName.sign(Self.text), sameID, good])
        #expect(try note.signers(among: [known.verifierKey]) == [known.verifierKey])
        let without = try SignedNote(text: Self.text, signatures: [sameName.sign(Self.text), sameID])
        #expect(try without.signers(among: [known.verifierKey]) == [])
    }

    @Test func `counts a key once, and is refused as a whole for one false line of a known key`() throws {
        let key = try noteKey("known", .note, 1)
        let good = key.sign(Self.text)
        let twice = try SignedNote(text: Self.text, signatures: [good, good])
        #expect(try twice.signers(among: [key.verifierKey]) == [key.verifierKey])
        let false_ = NoteSignature(name: good.name, keyID: good.keyID, bytes: key.sign([1]).bytes)
        for signatures in [[good, false_], [false_, good], [false_]] {
            let note = try SignedNote(text: Self.text, signatures: signatures)
            let error = #expect(throws: ProofError.self) { try note.signers(among: [key.verifierKey]) }
            #expect(error?.code == .badSignature)
        }
    }

    @Test(arguments: [
        "", "\n", "\n\n", "text\n", "text\n\n", "text\n\n\n", "text\n\u{2014} n AAAAAAE=\n",
        "text\n\n\u{2014} n AAAAAAE=", "text\n\n- n AAAAAAE=\n", "text\n\n\u{2013} n AAAAAAE=\n",
        "text\n\n\u{2014}n AAAAAAE=\n", "text\n\n\u{2014}  n AAAAAAE=\n", "text\n\n\u{2014} n  AAAAAAE=\n",
        "text\n\n\u{2014} n AAAAAAE= \n", "text\n\n\u{2014} n\n", "text\n\n\u{2014} n \n",
        "text\n\n\u{2014} n AAAA\n",
        "text\n\n\u{2014} n AAAAAA==\n", "text\n\n\u{2014} n AAAAAAF=\n", "text\n\n\u{2014} n AAAAAAE\n",
        "text\n\n\u{2014} n+m AAAAAAE=\n", "text\n\n\u{2014} n\u{A0}m AAAAAAE=\n",
        "text\r\n\n\u{2014} n AAAAAAE=\n",
        "te\txt\n\n\u{2014} n AAAAAAE=\n", "text\n\n\u{2014} n AAAAAAE=\r\n",
        "text\n\n\u{2014} n AAAAAAE=\n\n",
        "text\n\n\u{2014} n AAAAAAE=\n\n\u{2014} n AAAAAAE=", "text\n\n\u{2014} n AAAAAAE=\nmore\n",
        "\n\u{2014} n AAAAAAE=\n",
    ])
    func `is refused in any other form`(_ text: String) {
        let error = #expect(throws: ProofError.self) { try SignedNote(parsing: Array(text.utf8)) }
        #expect(error?.code == .malformedNote)
    }

    @Test func `is bounded in bytes and lines, and holds as many as members need`() throws {
        let line = "\u{2014} n AAAAAAE=\n"
        func note(lines: Int, padding: Int = 0) -> [UInt8] {
            Array(
                (String(repeating: "t", count: padding) + "\n\n" + String(repeating: line, count: lines)).utf8
            )
        }
        #expect(try SignedNote(parsing: note(lines: Limits.noteSignatures)).signatures.count == 128)
        #expect(throws: ProofError.self) { try SignedNote(parsing: note(lines: Limits.noteSignatures + 1)) }
        #expect(throws: ProofError.self) {
            try SignedNote(parsing: note(lines: 1, padding: Limits.noteBytes))
        }
        #expect(throws: ProofError.self) { try SignedNote(text: [], signatures: []) }
        let signature = try noteKey("n", .note, 1).sign(Self.text)
        #expect(throws: ProofError.self) { try SignedNote(text: Self.text, signatures: []) }
        #expect(throws: ProofError.self) {
            try SignedNote(text: Self.text.dropLast(), signatures: [signature])
        }
        #expect(throws: ProofError.self) { try SignedNote(text: [0xFF, 0x0A], signatures: [signature]) }
    }

    @Test func `is refused, or signed by nobody, when any byte is changed`() throws {
        let key = try NoteVerifierKey(parsing: `A verifier key`.vector)
        let bytes = Array(Self.vector.utf8)
        for position in bytes.indices {
            for bit: UInt8 in [0x01, 0x20, 0x80] {
                var copy = bytes
                copy[position] ^= bit
                let signers = try? SignedNote(parsing: copy).signers(among: [key])
                if signers?.isEmpty == false { Issue.record("byte \(position) is not signed") }
            }
        }
        for damaged in damaged(bytes, flips: 500, seed: 4) {
            let signers = try? SignedNote(parsing: damaged).signers(among: [key])
            if signers?.isEmpty == false { Issue.record("a damaged note is signed") }
        }
    }
}
