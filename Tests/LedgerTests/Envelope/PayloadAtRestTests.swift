import Testing

@testable import Ledger

@Suite struct `A payload at rest` {
    private let statement = Digest.sha256([1])
    private let payload = Array("sealed already".utf8)

    @Test func `opens with its key and its statement alone`() throws {
        let key = try RandomBytes.make(PayloadAtRest.dataKeyBytes)
        let stored = try PayloadAtRest.Sealer().seal(payload, dataKey: key, statementDigest: statement)
        #expect(stored.count == payload.count + PayloadAtRest.overheadBytes)
        #expect(try PayloadAtRest.open(stored, dataKey: key, statementDigest: statement) == payload)

        func isRefused(_ bytes: [UInt8], _ key: [UInt8], _ digest: Digest) -> Bool {
            (try? PayloadAtRest.open(bytes, dataKey: key, statementDigest: digest)) == nil
        }
        #expect(isRefused(stored, key, Digest.sha256([2])))
        #expect(isRefused(stored, try RandomBytes.make(32), statement))
        #expect(isRefused(stored, [], statement))
        for count in 0..<stored.count { #expect(isRefused(Array(stored.prefix(count)), key, statement)) }
        for position in stored.indices {
            var damaged = stored
            damaged[position] ^= 0x40
            #expect(isRefused(damaged, key, statement))
        }
        #expect(isRefused(stored + [0], key, statement))
    }

    @Test func `may be empty`() throws {
        let key = try RandomBytes.make(32)
        let stored = try PayloadAtRest.Sealer().seal([], dataKey: key, statementDigest: statement)
        #expect(try PayloadAtRest.open(stored, dataKey: key, statementDigest: statement) == [])
    }

    @Test func `has keys that differ`() throws {
        #expect(Set(try (0..<100).map { _ in try RandomBytes.make(32) }).count == 100)
        #expect(try RandomBytes.make(0).isEmpty)
    }
}
