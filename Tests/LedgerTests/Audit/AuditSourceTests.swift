import TestSupport
import Testing

@testable import Ledger

/// What an auditor far away sees: a few items at a time, no indexes, perhaps no payloads.
private struct DistantSource: AuditSource {
    let directory: LogAuditSource
    let showsPayloads: Bool
    let showsCommitments: Bool
    let checkpoint: CheckpointNote?

    func extent() throws -> AuditExtent {
        AuditExtent(height: try directory.extent().height, checkpoint: checkpoint)
    }

    func blocks(_ heights: Range<UInt64>) throws -> [AuditBlock] {
        try directory.blocks(heights).prefix(3).map {
            AuditBlock(header: $0.header, certificate: $0.certificate)
        }
    }

    func leaves(_ indexes: Range<UInt64>) throws -> [[UInt8]] {
        Array(try directory.leaves(indexes).prefix(7))
    }

    func entries(_ indexes: Range<UInt64>) throws -> [AuditEntry] {
        try directory.entries(indexes).prefix(5).map { entry in
            let commitment = showsCommitments ? entry.rows?.commitment : nil
            let payload: AuditEntry.Payload =
                switch entry.payload {
                case .none: .none
                case .damaged(let reason): .damaged(reason: reason)
                case .erased: .erased(commitment: commitment)
                case .withheld: .withheld(commitment: commitment)
                case .held(let sealed): showsPayloads ? .held(sealed) : .withheld(commitment: commitment)
                }
            return AuditEntry(leaf: entry.leaf, payload: payload)
        }
    }

    func tileHashes(level: Int, range: Range<UInt64>) throws -> [Digest]? { nil }
}

@Suite struct `An audit from afar` {
    private let damaged: DamagedLedger

    init() async throws { damaged = try await AuditedLedger.shared().copy() }

    private func audit(
        payloads: Bool = true, commitments: Bool = true, stretch: Int = 32, checkpoint: CheckpointNote? = nil
    ) async throws -> AuditReport {
        var audit = try Audit(
            genesis: damaged.ledger.genesisXML,
            source: DistantSource(
                directory: LogAuditSource(damaged.log), showsPayloads: payloads,
                showsCommitments: commitments,
                checkpoint: checkpoint))
        audit.stretchEntries = stretch
        return try await audit.run(faultLimit: 1000)
    }

    private func served(_ ledgerKey: NoteSigningKey) throws -> CheckpointNote {
        let certificate = try #require(try damaged.log.lastCertificate())
        return try certificate.checkpointNote(of: damaged.ledger.electorate, ledgerKey: ledgerKey)
    }

    @Test(arguments: [1, 32, 10_000])
    func `finds nothing, however little it is given at a time`(stretch: Int) async throws {
        let note = try served(damaged.ledger.noteKey)
        let report = try await audit(stretch: stretch, checkpoint: note)
        #expect(report.faults == [])
        #expect(report.isClean)
        #expect(report.examined == 354)
        #expect(report.checkpoint == note.note)
    }

    @Test func `counts what it may not see`() async throws {
        let report = try await audit(payloads: false)
        #expect(report.isClean)
        #expect(report.withheld == 354 - 4 - 2)
        #expect(report.erased == 2)
        #expect(report.blocksWithoutKeys == 0)
        let less = try await audit(payloads: false, commitments: false)
        #expect(less.isClean)
        #expect(less.blocksWithoutKeys > 0)
    }

    @Test func `refuses a checkpoint that the ledger key did not sign`() async throws {
        let stranger = try TestLedger(seed: 9)
        let note = try served(
            NoteSigningKey(name: damaged.ledger.electorate.origin, kind: .note, key: stranger.ledgerKey))
        #expect(try await audit(checkpoint: note).faults.map(\.kind) == [.checkpoint])
    }

    @Test(arguments: [40, 200])
    func `names an entry that is missing and stops there`(index: UInt64) async throws {
        let key = try damaged.row(index).key
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.delete(tables.entries, key)
        }
        let report = try await audit()
        #expect(report.faults.map(\.kind) == [.count])
        #expect(report.faults.first?.index?.value == index)
        #expect(!report.isComplete)
        #expect(report.entries <= index)
    }

    @Test func `names a document that is there twice, where no index helps`() async throws {
        let (one, two) = (try damaged.row(20), try damaged.row(21))
        try damaged.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.entries, two.key, one.stored)
        }
        let fault = try #require(try await audit().faults.first)
        #expect(fault.kind == .document)
        #expect(fault.index?.value == 21)
    }
}
