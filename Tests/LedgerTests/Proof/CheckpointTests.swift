import Ledger
import Testing

@Suite struct `A checkpoint` {
    static let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    static let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    static let text = "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash)\nview 7\n"

    @Test func `has the five lines of formats.md`() throws {
        let checkpoint = try Checkpoint(parsing: Array(Self.text.utf8))
        #expect(checkpoint.origin.description == "example.com/kpi")
        #expect(checkpoint.size == 70_000)
        #expect(Base64.encode(checkpoint.root.bytes) == Self.root)
        #expect(checkpoint.height == BlockHeight(5312))
        #expect(checkpoint.headerHash == .sha256([]))
        #expect(checkpoint.view == View(7))
        #expect(checkpoint.text == Array(Self.text.utf8))
    }

    @Test(arguments: [
        "", "\n", "example.com/kpi\n", "example.com/kpi\n70000\n\(root)\n",
        "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash)\n", "\(text)more\n", "\(text)\n", "\n\(text)",
        "example.com/kpi\n70000\n\(root)\nview 7\nblock 5312 \(hash)\n",
        "example.com/kpi\n070000\n\(root)\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n+7\n\(root)\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n\n\(root)\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n9223372036854775808\n\(root)\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n99999999999999999999999\n\(root)\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n70000\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n70000\nCsUYapGG\nblock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n70000\n\(root)\nblock 05312 \(hash)\nview 7\n",
        "example.com/kpi\n70000\n\(root)\nblock  5312 \(hash)\nview 7\n",
        "example.com/kpi\n70000\n\(root)\nblock 5312\nview 7\n",
        "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash) x\nview 7\n",
        "example.com/kpi\n70000\n\(root)\nBlock 5312 \(hash)\nview 7\n",
        "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash)\nview\n",
        "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash)\nview -7\n",
        "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash)\nview 7 \n",
        "example.com/kpi\n70000\n\(root)\nblock 5312 \(hash)\nview 7",
        "example com\n70000\n\(root)\nblock 5312 \(hash)\nview 7\n",
    ])
    func `is refused in any other form`(_ text: String) {
        let error = #expect(throws: ProofError.self) { try Checkpoint(parsing: Array(text.utf8)) }
        #expect(error?.code == .malformedCheckpoint)
    }

    @Test func `reads only what it writes, however it is damaged`() {
        for damaged in damaged(Array(Self.text.utf8), flips: 3000, seed: 5) {
            if let checkpoint = try? Checkpoint(parsing: damaged) { #expect(checkpoint.text == damaged) }
        }
    }
}

@Suite struct `A cosignature` {
    @Test func `is a time and a signature over header, time and text`() throws {
        let key = try noteKey("example.com/kpi/node1", .cosignature, 1)
        let text = Array(`A checkpoint`.text.utf8)
        let line = key.sign(text, at: 1_679_315_147)
        #expect(line.bytes.count == 72)
        #expect(Array(line.bytes.prefix(8)) == [0, 0, 0, 0, 0x64, 0x18, 0x50, 0xCB])
        #expect(key.verifierKey.isValid(line, over: text))
        let message = Array("cosignature/v1\ntime 1679315147\n".utf8) + text
        #expect(key.verifierKey.key.isValid(Array(line.bytes.dropFirst(8)), over: message))
    }

    @Test func `is refused with another time, text, shape or key`() throws {
        let key = try noteKey("example.com/kpi/node1", .cosignature, 1)
        let text = Array(`A checkpoint`.text.utf8)
        let line = key.sign(text, at: 1_679_315_147)
        func isValid(_ bytes: [UInt8], over text: [UInt8] = text) -> Bool {
            key.verifierKey.isValid(
                NoteSignature(name: line.name, keyID: line.keyID, bytes: bytes), over: text)
        }
        #expect(isValid(line.bytes))
        for position in line.bytes.indices {
            var bytes = line.bytes
            bytes[position] ^= 1
            #expect(!isValid(bytes))
        }
        #expect(!isValid(Array(line.bytes.dropLast())))
        #expect(!isValid(Array(line.bytes.dropFirst(8))), "a bare signature is no cosignature")
        #expect(!isValid(line.bytes + [0]))
        #expect(!isValid(line.bytes, over: text + [0x0A]))
        let plain = try noteKey("example.com/kpi/node1", .note, 1)
        #expect(!plain.verifierKey.isValid(line, over: text))
        #expect(!isValid(plain.sign(text).bytes))
        #expect(Cosignature(seconds: 1 << 63, signature: Array(line.bytes.dropFirst(8))) == nil)
        #expect(Cosignature([0x80] + [UInt8](repeating: 0, count: 71)) == nil)
    }
}

@Suite struct `A checkpoint note` {
    @Test func `carries the ledger key's line, then the votes, and goes round`() throws {
        let ledger = try VotedLedger(nodes: 4)
        let header = try ledger.header(size: 70_000, root: .sha256([9]))
        let note = try ledger.note([1, 2, 4], for: header)
        #expect(note.checkpoint == Checkpoint(origin: ledger.electorate.origin, header: header))
        let names = [
            "example.com/kpi", "example.com/kpi/node1", "example.com/kpi/node2", "example.com/kpi/node4",
        ]
        #expect(note.note.signatures.map(\.name.description) == names)
        #expect(try CheckpointNote(parsing: note.bytes) == note)
        let text = String(decoding: note.bytes, as: UTF8.self)
        #expect(text.hasPrefix("example.com/kpi\n70000\n"))
        #expect(text.contains("\nview 7\n\n\u{2014} example.com/kpi "))
        #expect(text.hasSuffix("\n"))
        let keys = [ledger.ledgerKey.verifierKey] + ledger.electorate.keys
        #expect(try note.note.signers(among: keys).map(\.name.description) == names)
    }

    @Test func `without a checkpoint in it is refused`() throws {
        let text = Array("no checkpoint\n".utf8)
        let note = try SignedNote(text: text, signatures: [try noteKey("n", .note, 1).sign(text)])
        let error = #expect(throws: ProofError.self) { try CheckpointNote(parsing: note.bytes) }
        #expect(error?.code == .malformedCheckpoint)
    }

    @Test func `in C2SP's own example form, without our extension lines, is read as a note`() throws {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        let note = try SignedNote(
            parsing: Array(
                """
                \(text)
                \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
                \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==

                """.utf8))
        #expect(note.text == Array(text.utf8))
        #expect(Cosignature(note.signatures[1].bytes)?.seconds == 1_679_315_147)
    }
}
