import Foundation
import Ledger
import TestSupport
import Testing

@Suite struct `Bytes in base64` {
    @Test func `agrees with Foundation`() {
        var generator = SeededGenerator(seed: 30)
        for count in 0..<200 {
            let bytes = generator.bytes(count)
            let text = Base64.encode(bytes)
            #expect(text == Data(bytes).base64EncodedString())
            #expect(Base64.decode(text) == bytes)
        }
    }

    @Test(arguments: [
        "A", "AA", "AAA", "AA=", "A===", "====", "AB==", "AAB=", "AA==AA==", "AA =", "AAAA\n", "AA-_", "A=AA",
        "é===",
    ])
    func `is refused in any form but its own`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `has one text for each value, tried with all texts of four digits over a small alphabet`() {
        let alphabet = Array("AQgw/=x ")
        for first in alphabet {
            for second in alphabet {
                for third in alphabet {
                    for fourth in alphabet {
                        let text = String([first, second, third, fourth])
                        if let bytes = Base64.decode(text) { #expect(Base64.encode(bytes) == text) }
                    }
                }
            }
        }
    }
}

@Suite struct `The byte reader` {
    private func sample() -> [UInt8] {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.write(UInt16(0x0203))
        writer.write(UInt32(0x0405_0607))
        writer.write(UInt64(0x0809_0A0B_0C0D_0E0F))
        writer.write(Digest.sha256([]))
        writer.writeSized("héllo")
        return writer.bytes
    }

    private func read(_ bytes: [UInt8]) throws(DecodingFailure) -> String {
        try ByteReader.decode(bytes) { (reader) throws(DecodingFailure) in
            _ = try reader.read(UInt8.self, "a")
            _ = try reader.read(UInt16.self, "b")
            _ = try reader.read(UInt32.self, "c")
            _ = try reader.read(UInt64.self, "d")
            _ = try reader.readDigest("e")
            return try reader.readSizedText("f", limitBytes: 100)
        }
    }

    @Test func `reads what the writer wrote, big-endian`() throws {
        let bytes = sample()
        #expect(bytes.prefix(15).elementsEqual(1...15))
        #expect(try read(bytes) == "héllo")
    }

    @Test func `refuses every shorter and every longer input`() {
        let bytes = sample()
        for count in 0..<bytes.count { #expect((try? read(Array(bytes[..<count]))) == nil) }
        #expect((try? read(bytes + [0])) == nil)
    }

    @Test func `never traps on flipped bytes and never reads over a limit`() {
        var generator = SeededGenerator(seed: 31)
        let bytes = sample()
        for _ in 0..<2000 {
            var damaged = bytes
            damaged[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                in: 0...255, using: &generator)
            _ = try? read(damaged)
        }
        let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
        #expect(throws: DecodingFailure.self) {
            try ByteReader.decode(huge) { (reader) throws(DecodingFailure) in
                try reader.readSized("x", limitBytes: 10)
            }
        }
    }
}
