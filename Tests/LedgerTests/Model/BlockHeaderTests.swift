import Ledger
import Testing

@Suite struct `A block header` {
    static func make(time: Int64 = 1_790_000_000_999) throws -> BlockHeader {
        BlockHeader(
            ledgerID: .sha256([1]), height: BlockHeight(0x0102_0304_0506_0708), view: View(9),
            epoch: Epoch(0xA0B0_C0D0),
            time: try #require(Timestamp(milliseconds: time)), parent: .sha256([2]), treeSize: 70_000,
            treeRoot: .sha256([3]), keyCommitments: .sha256([4]))
    }

    @Test func `is 165 bytes in the order of formats.md`() throws {
        let header = try Self.make()
        var expected: [UInt8] = [1]
        expected += Digest.sha256([1]).bytes
        expected += [1, 2, 3, 4, 5, 6, 7, 8]
        expected += [0, 0, 0, 0, 0, 0, 0, 9]
        expected += [0xA0, 0xB0, 0xC0, 0xD0]
        expected += [0, 0, 0x01, 0xA0, 0xC4, 0x50, 0x6F, 0xE7]
        expected += Digest.sha256([2]).bytes
        expected += [0, 0, 0, 0, 0, 1, 0x11, 0x70]
        expected += Digest.sha256([3]).bytes
        expected += Digest.sha256([4]).bytes
        #expect(header.encoded.count == 165)
        #expect(header.encoded == expected)
        #expect(header.hash == .sha256([0x02] + expected))
        #expect(header.seconds == 1_790_000_000)
    }

    @Test(arguments: [0, 1, 1_790_000_000_999, 253_402_300_799_999] as [Int64])
    func `goes round`(_ time: Int64) throws {
        let header = try Self.make(time: time)
        #expect(try BlockHeader(decoding: header.encoded) == header)
    }

    @Test func `is refused in any other form`() throws {
        let bytes = try Self.make().encoded
        for length in 0..<bytes.count {
            #expect(throws: DecodingFailure.self) { try BlockHeader(decoding: Array(bytes[..<length])) }
        }
        #expect(throws: DecodingFailure.self) { try BlockHeader(decoding: bytes + [0]) }
        func changed(_ position: Int, _ value: UInt8) -> [UInt8] {
            var copy = bytes
            copy[position] = value
            return copy
        }
        // Version; the sign bits of height, view, time and size; a time after the year 9999.
        for damaged in [
            changed(0, 0), changed(0, 2), changed(33, 0x80), changed(41, 0x80), changed(53, 0x80),
            changed(93, 0x80),
            changed(54, 0x01),
        ] {
            #expect(throws: DecodingFailure.self) { try BlockHeader(decoding: damaged) }
        }
        for damaged in damaged(bytes, flips: 2000, seed: 6) {
            if let header = try? BlockHeader(decoding: damaged) {
                if header.encoded != damaged || header.hash == .sha256([2] + bytes) {
                    Issue.record("a damaged header")
                }
            }
        }
    }
}
