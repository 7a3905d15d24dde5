import Replication
import TestSupport
import Testing

@testable import Ledger

/// A log of some hundred entries of every sort, closed and ready to be damaged: each test damages a copy of its own.
struct AuditedLedger: Sendable {
    let ledger: TestLedger
    private let original: TemporaryDirectory

    static let made = Task { try await AuditedLedger() }
    static func shared() async throws -> AuditedLedger { try await made.value }

    /// Entries whose payload is gone.
    static let erased: [UInt64] = [3, 17]

    private init() async throws {
        ledger = try TestLedger()
        original = try TemporaryDirectory()
        let running = try ledger.open(in: original)
        try await Self.write(to: running, prefix: "first", sequence: 1)
        await running.driver.stop()
    }

    /// 0 a session, 1 to 8 documents sealed to the node, 9 an enrolment, 10 one by the newcomer, then many in the session,
    /// two erasures, a revocation, more.
    static func write(to running: RunningLedger, prefix: String, sequence: UInt64) async throws {
        let ledger = running.ledger
        let session = try ledger.session(id: "\(prefix) session", by: ledger.identities.ci2)
        try await running.append(session.submission)
        for number in 0..<8 { try await running.append(try ledger.kpis(id: "\(prefix) sealed \(number)")) }
        let newcomer = ledger.identities.newcomers[sequence == 1 ? 0 : 1]
        try await running.govern(try ledger.enrol(newcomer, sequence: sequence))
        try await running.append(try ledger.kpis(id: "\(prefix) theirs", by: newcomer))
        running.clock.advance(byMilliseconds: 60_000)
        try await running.fill(300, prefix: "\(prefix) fill", in: session, atOnce: 16)
        let first = running.driver.published.size - 311
        for (position, index) in erased.enumerated() {
            try await running.govern(
                try ledger.erase(EntryIndex(first + index), sequence: sequence + 1 + UInt64(position)))
        }
        try await running.govern(try ledger.revoke(newcomer, sequence: sequence + 3))
        running.clock.advance(byMilliseconds: 60_000)
        try await running.fill(40, prefix: "\(prefix) more", in: session, atOnce: 8)
    }

    /// A copy to damage.
    func copy() throws -> DamagedLedger { try DamagedLedger(ledger, copyOf: original) }
}

/// A directory that a test may change row by row.
final class DamagedLedger: Sendable {
    let ledger: TestLedger
    let directory: TemporaryDirectory
    let log: LogStore

    init(_ ledger: TestLedger, copyOf original: TemporaryDirectory) throws {
        self.ledger = ledger
        directory = try TemporaryDirectory()
        try directory.shell(
            "cp -r '\(original.path)'/log '\(original.path)'/journal '\(original.path)'/keys .")
        log = try LogStore(
            directory: directory.path, genesis: ledger.genesisHeader, access: .writing(.lastCommitMayBeLost))
    }

    func audit(
        since kept: SignedNote? = nil, depth: Audit.Depth = .everything, faultLimit: Int = 16
    ) async throws -> AuditReport {
        try await Audit(genesis: ledger.genesisXML, source: LogAuditSource(log)).run(
            since: kept, depth: depth, faultLimit: faultLimit)
    }

    var size: UInt64 { get throws { try log.chainTip(at: try log.tipHeight()).header.treeSize } }
    var height: UInt64 { get throws { try log.tipHeight().value } }

    func change(_ body: (inout WriteTransaction, LogTables) throws(StoreError) -> Void) throws {
        let tables = log.tables
        try log.store.write { transaction throws(StoreError) in try body(&transaction, tables) }
    }

    func row(_ index: UInt64) throws -> (key: EntryKey, stored: StoredEntry) {
        let tables = log.tables
        return try log.store.read { transaction throws(StoreError) in
            let key = try tables.entryKey(of: EntryIndex(index), in: transaction)
            guard let stored = try transaction.value(tables.entries, key) else {
                throw LogTables.lost(EntryIndex(index))
            }
            return (key, stored)
        }
    }

    /// Puts another row in the place of an entry.
    func replace(_ index: UInt64, _ change: (StoredEntry) -> StoredEntry) throws {
        let (key, stored) = try row(index)
        try self.change { transaction, tables throws(StoreError) in
            try transaction.put(tables.entries, key, change(stored))
        }
    }

    func block(_ height: UInt64) throws -> (header: BlockHeader, certificate: CommitCertificate?) {
        guard let block = try log.blocks(from: BlockHeight(height), limit: 1).first else {
            throw StoreError.missing(directory: "block \(height)")
        }
        return block
    }

    /// The height of the block that holds an entry.
    func height(of index: UInt64) throws -> UInt64 { try log.entry(EntryIndex(index)).height.value }

    /// Writes the chain anew from a height on, each header changed by `change` and linked to the one below, rows and
    /// certificates moved along: all that an attacker can do who lacks the vote key.
    func rewrite(from height: UInt64, _ change: (BlockHeader) -> BlockHeader) throws {
        var parent = try block(height - 1).header.hash
        for place in height...(try self.height) {
            let (old, certificate) = try block(place)
            var new = place == height ? change(old) : old
            new = new.with(parent: parent)
            parent = new.hash
            let rows = try log.store.read { transaction throws(StoreError) in
                try log.tables.storedEntries(of: old.height, old.hash, in: transaction)
            }
            try self.change { transaction, tables throws(StoreError) in
                try transaction.put(tables.blocks, BlockKey(height: new.height, hash: new.hash), new)
                try transaction.put(tables.chain, new.height, new.hash)
                for (position, row) in rows.enumerated() {
                    try transaction.put(
                        tables.entries,
                        EntryKey(height: new.height, hash: new.hash, position: UInt32(position)), row)
                }
                if let certificate,
                    let moved = CommitCertificate(header: new, cosignatures: certificate.cosignatures)
                {
                    try transaction.put(tables.certificates, new.height, moved)
                }
            }
        }
    }
}

extension BlockHeader {
    func with(
        ledgerID: Digest? = nil, height: BlockHeight? = nil, view: View? = nil, epoch: Epoch? = nil,
        time: Timestamp? = nil, parent: Digest? = nil, treeSize: UInt64? = nil, treeRoot: Digest? = nil,
        keyCommitments: Digest? = nil
    ) -> BlockHeader {
        BlockHeader(
            ledgerID: ledgerID ?? self.ledgerID, height: height ?? self.height, view: view ?? self.view,
            epoch: epoch ?? self.epoch, time: time ?? self.time, parent: parent ?? self.parent,
            treeSize: treeSize ?? self.treeSize, treeRoot: treeRoot ?? self.treeRoot,
            keyCommitments: keyCommitments ?? self.keyCommitments)
    }
}

extension StoredEntry {
    func with(
        slot: UInt64? = nil, commitment: Digest? = nil, identity: DocumentIdentity? = nil,
        statement: [UInt8]? = nil,
        payload: [UInt8]? = nil
    ) -> StoredEntry {
        StoredEntry(
            slot: slot ?? self.slot, commitment: commitment ?? self.commitment,
            identity: identity ?? self.identity,
            statement: statement ?? self.statement, payload: payload ?? self.payload)
    }
}

extension [UInt8] {
    /// One byte changed.
    func flipped(by generator: inout SeededGenerator) -> [UInt8] {
        var bytes = self
        bytes[Int.random(in: 0..<count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
        return bytes
    }
}
