import TestSupport
import Testing

@testable import Ledger

@Suite struct `An audit` {
    private let damaged: DamagedLedger
    private static let records: [UInt64] = [9, 311, 312, 313]

    init() async throws { damaged = try await AuditedLedger.shared().copy() }

    @Test func `of a ledger that nobody touched finds nothing`() async throws {
        let report = try await damaged.audit()
        #expect(report.faults == [])
        #expect(report.isClean)
        #expect(report.entries == 354)
        #expect(report.examined == 354)
        #expect(report.height.value == (try damaged.height))
        #expect(report.erased == UInt64(AuditedLedger.erased.count))
        #expect(report.unsettled == 0)
        #expect(report.withheld == 0)
        #expect(report.blocksWithoutKeys == 0)
        let note = try #require(report.checkpoint)
        #expect(try Checkpoint(parsing: note.text).size == 354)
        #expect(try note.signers(among: damaged.ledger.electorate.keys).count == 1)
    }

    @Test(arguments: 0..<2)
    func `names each changed statement`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let places = try randomDocuments(&generator)
        for index in places {
            let changed = try damaged.row(index).stored.statement.flipped(by: &generator)
            try damaged.replace(index) { $0.with(statement: changed) }
        }
        try await expect(.statement, places)
    }

    @Test(arguments: records)
    func `names a changed record`(index: UInt64) async throws {
        var generator = SeededGenerator(seed: index)
        let changed = try damaged.row(index).stored.statement.flipped(by: &generator)
        try damaged.replace(index) { $0.with(statement: changed) }
        try await expect(.governance, index)
    }

    @Test func `names each payload that was changed at rest`() async throws {
        var generator = SeededGenerator(seed: 2)
        let places = try randomDocuments(&generator)
        for index in places {
            let changed = try damaged.row(index).stored.payload.flipped(by: &generator)
            try damaged.replace(index) { $0.with(payload: changed) }
        }
        try await expect(.payload, places)
    }

    @Test(arguments: [false, true])
    func `names each changed key`(ofContent: Bool) async throws {
        var generator = SeededGenerator(seed: 3)
        let places = try randomDocuments(&generator)
        for index in places {
            let keys = try keys(of: index)
            let changed = KeySlots.Keys(
                dataKey: ofContent ? keys.dataKey : keys.dataKey.flipped(by: &generator),
                contentKey: ofContent ? keys.contentKey.flipped(by: &generator) : keys.contentKey)
            try damaged.log.slots.write([changed], from: damaged.row(index).stored.slot)
        }
        try await expect(.payload, places)
    }

    /// AES-GCM does not commit to its key, so one who makes two keys for a payload could show either; here the payload
    /// does not open, and the commitment in the row was made to fit.
    @Test func `knows the one key of a payload by the header`() async throws {
        let index: UInt64 = 50
        let keys = try keys(of: index)
        var other = keys.contentKey
        other[5] ^= 1
        try damaged.log.slots.write(
            [.init(dataKey: keys.dataKey, contentKey: other)], from: damaged.row(index).stored.slot)
        let statement = try Statement(canonical: damaged.row(index).stored.statement)
        let commitment = KeyCommitment.of(contentKey: other, payloadDigest: statement.payloadDigest)
        try damaged.replace(index) { $0.with(commitment: commitment) }
        #expect(try await damaged.audit().faults.first?.kind == .payload)
    }

    @Test func `names each payload that vanished without an order`() async throws {
        var generator = SeededGenerator(seed: 4)
        let places = try randomDocuments(&generator)
        for index in places { try damaged.log.erase(EntryIndex(index)) }
        try await expect(.erasure, places)
    }

    private func keys(of index: UInt64) throws -> KeySlots.Keys {
        guard case .held(let keys) = try damaged.log.slots.read(damaged.row(index).stored.slot) else {
            throw StoreError.missing(directory: "keys of \(index)")
        }
        return keys
    }

    /// A dozen entries with payloads.
    private func randomDocuments(_ generator: inout SeededGenerator) throws -> [UInt64] {
        var places: Set<UInt64> = [0, 353]
        while places.count < 12 {
            let index = UInt64.random(in: 0..<354, using: &generator)
            if !Self.records.contains(index), !AuditedLedger.erased.contains(index) { places.insert(index) }
        }
        return places.sorted()
    }

    /// All of these entries, and no others, are at fault.
    private func expect(
        _ kind: AuditFault.Kind, _ places: [UInt64], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let report = try await damaged.audit(faultLimit: 1000)
        let found = Set(report.faults.filter { $0.kind == kind }.compactMap { $0.index?.value })
        #expect(found == Set(places), "\(report.faults)", sourceLocation: sourceLocation)
        #expect(report.faults.first?.kind == kind, sourceLocation: sourceLocation)
        #expect(report.faults.first?.index?.value == places.first, sourceLocation: sourceLocation)
    }

    @Test func `names an order that was not carried out`() async throws {
        let index = AuditedLedger.erased[1]
        let held = try damaged.row(50).stored
        try damaged.replace(index) { $0.with(slot: held.slot, payload: held.payload) }
        let report = try await damaged.audit()
        // The payload of another does not open here; what counts is that something is still there.
        #expect(report.faults.contains { $0.kind == .erasure && $0.index?.value == index })
    }

    @Test func `names the commitment of an erased entry`() async throws {
        let index = AuditedLedger.erased[0]
        try damaged.replace(index) { $0.with(commitment: .sha256([1])) }
        let report = try await damaged.audit()
        #expect(report.faults.first?.kind == .payload)
        #expect(report.faults.first?.height?.value == (try damaged.height(of: index)))
    }

    @Test(arguments: [1, 25])
    func `names a header that was changed in place`(height: UInt64) async throws {
        let (header, _) = try damaged.block(height)
        for changed in [variants(of: header)[0], variants(of: header)[5]] {
            try damaged.change { transaction, tables throws(StoreError) in
                try transaction.put(
                    tables.blocks, BlockKey(height: header.height, hash: header.hash), changed)
            }
            let fault = try await damaged.audit().faults.first
            #expect(fault?.kind == .header)
            #expect(fault?.height?.value == height)
        }
    }

    @Test(arguments: [12], 0..<8)
    func `names the block from which the chain was written anew without the vote key`(
        height: UInt64, variant: Int
    ) async throws {
        try damaged.rewrite(from: height) { variants(of: $0)[variant] }
        let report = try await damaged.audit(faultLimit: 1000)
        let fault = try #require(report.faults.first)
        #expect(
            [.header, .certificate, .payload, .count, .order, .statement, .governance].contains(fault.kind))
        #expect(fault.height?.value == height || fault.kind == .certificate)
        #expect(report.faults.contains { [.certificate, .header].contains($0.kind) })
    }

    private func variants(of header: BlockHeader) -> [BlockHeader] {
        [
            header.with(time: header.time.advanced(byMilliseconds: 1)),
            header.with(time: header.time.advanced(byMilliseconds: -100_000)),
            header.with(view: View(header.view.value + 1)),
            header.with(epoch: Epoch(1)),
            header.with(treeRoot: .sha256([1])),
            header.with(keyCommitments: .sha256([1])),
            header.with(ledgerID: .sha256([1])),
            header.with(treeSize: header.treeSize + 1),
        ]
    }

    @Test(arguments: [1, 20])
    func `names a bad vote`(height: UInt64) async throws {
        let height = try certifiedHeight(from: height)
        let (header, found) = try damaged.block(height)
        let certificate = try #require(found)
        var generator = SeededGenerator(seed: height)
        var vote = certificate.cosignatures[0]
        vote = .init(member: vote.member, signature: vote.signature.flipped(by: &generator))
        for votes in [[vote], [], [.init(member: ReplicaID(1), signature: vote.signature)]] {
            let changed = try #require(CommitCertificate(header: header, cosignatures: votes))
            try damaged.change { transaction, tables throws(StoreError) in
                try transaction.put(tables.certificates, header.height, changed)
            }
            let fault = try await damaged.audit().faults.first
            #expect(fault?.kind == .certificate)
            #expect(fault?.height?.value == height)
        }
    }

    private func certifiedHeight(from height: UInt64) throws -> UInt64 {
        for place in height...(try damaged.height) where try damaged.block(place).certificate != nil {
            return place
        }
        return height
    }

    @Test func `calls a few blocks without votes unsettled, and more a fault`() async throws {
        let top = try damaged.height
        for missing in 1...Limits.unsettledBlocks + 1 {
            try damaged.change { transaction, tables throws(StoreError) in
                try transaction.deleteTail(tables.certificates, from: BlockHeight(top - missing + 1))
            }
            let last = try #require(try damaged.log.lastCertificate()).header.height.value
            let report = try await damaged.audit()
            #expect(report.unsettled == top - last)
            if report.unsettled <= Limits.unsettledBlocks {
                #expect(report.isClean)
            } else {
                #expect(report.faults.map(\.kind) == [.certificate])
                #expect(report.faults.first?.height?.value == last + 1)
            }
        }
    }

    @Test(arguments: [0, 9, 255, 353])
    func `names a changed hash of the tiles`(index: UInt64) async throws {
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.tree[0], index, .sha256([9]))
        }
        try await expect(.tile, index)
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.delete(tables.tree[0], index)
        }
        try await expect(.tile, index)
    }

    @Test func `names a changed hash of a level above`() async throws {
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.tree[1], 0, .sha256([9]))
        }
        try await expect(.tile, 0)
    }

    @Test(arguments: [20, 100, 250])
    func `names two entries that changed places`(near index: UInt64) async throws {
        let height = try damaged.height(of: index)
        var first = index
        // Two of one block: there are many in each here.
        while try damaged.height(of: first + 1) != damaged.height(of: first) { first += 1 }
        let (one, two) = (try damaged.row(first), try damaged.row(first + 1))
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.entries, one.key, two.stored)
            try transaction.put(tables.entries, two.key, one.stored)
        }
        try await expect(.order, first)
        // With every index and tile made to fit, too, the root of the header is another.
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.tree[0], first, MerkleTree.leafHash(two.stored.statement))
            try transaction.put(tables.tree[0], first + 1, MerkleTree.leafHash(one.stored.statement))
            for (place, row) in [(first, two.stored), (first + 1, one.stored)] {
                if let identity = row.identity {
                    try transaction.put(tables.documents, DocumentKey(identity), place)
                }
            }
        }
        let fault = try await damaged.audit().faults.first
        #expect(fault?.kind == .order || fault?.kind == .header)
        #expect(fault?.height?.value == (try damaged.height(of: first)))
        withExtendedLifetime(height) {}
    }

    @Test(arguments: [0, 9, 100, 353])
    func `names an entry that is missing`(index: UInt64) async throws {
        let key = try damaged.row(index).key
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.delete(tables.entries, key)
        }
        try await expect(.count, index)
    }

    @Test(arguments: [0, 9, 100, 353])
    func `names an entry too many`(index: UInt64) async throws {
        let (header, _) = try damaged.block(try damaged.height(of: index))
        let row = try damaged.row(index)
        let below = try damaged.block(header.height.value - 1).header.treeSize
        let key = EntryKey(
            height: header.height, hash: header.hash, position: UInt32(header.treeSize - below))
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.entries, key, row.stored)
        }
        try await expect(.count, header.treeSize)
    }

    @Test func `names each entry that the index of documents does not find`() async throws {
        var generator = SeededGenerator(seed: 5)
        let places = (try randomDocuments(&generator) + AuditedLedger.erased).sorted()
        for index in places {
            let identity = try #require(try damaged.row(index).stored.identity)
            let isGone = Bool.random(using: &generator)
            try damaged.change { transaction, tables throws(StoreError) in
                if isGone {
                    try transaction.delete(tables.documents, DocumentKey(identity))
                } else {
                    try transaction.put(tables.documents, DocumentKey(identity), 354)
                }
            }
        }
        try await expect(.store, places)
    }

    @Test func `notices a row of the index that belongs to no document`() async throws {
        let nobody = DocumentIdentity(submitter: "ci", id: "nobody sent this")
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.documents, DocumentKey(nobody), 7)
        }
        #expect(try await damaged.audit().faults.map(\.kind) == [.store])
    }

    @Test func `names the entry that the index of rule changes does not have`() async throws {
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.delete(tables.special, EntryIndex(313))
        }
        try await expect(.store, 313)
    }

    private func expect(
        _ kind: AuditFault.Kind, _ index: UInt64, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let report = try await damaged.audit()
        let fault = report.faults.first
        #expect(fault?.kind == kind, "\(report.faults)", sourceLocation: sourceLocation)
        #expect(fault?.index?.value == index, "\(report.faults)", sourceLocation: sourceLocation)
    }
}
