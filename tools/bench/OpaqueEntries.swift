import Ledger
import Replication
import Synchronization

/// Entries of a given size that nobody opens: what is measured is ordering, agreement and the disk.
///
/// An eighth of an entry stands for its statement, the rest for its payload, which is sealed at rest and has its keys in
/// a slot, as every payload has. A block's rules are asked for each (is its signer enrolled, is its id new). Signatures,
/// encryption on the way and XML are not there. The last ten bytes of the statement are the entry's number.
final class OpaqueEntries: Sendable {
    private let ledger: BenchLedger
    private let model: Statement
    private let statementBytes: Int
    private let sealed: Entry.Sealed
    private let next = Atomic<UInt64>(0)

    init(_ ledger: BenchLedger, byteCount: Int) throws {
        self.ledger = ledger
        statementBytes = byteCount / 8
        sealed = .init(
            payload: [UInt8](repeating: 0x5A, count: byteCount - statementBytes),
            contentKey: [UInt8](repeating: 7, count: 32))
        model = try Submission(ledger.session.submission).statement
    }

    /// A new one.
    func make() -> CheckedEntry {
        let number = next.add(1, ordering: .relaxed).newValue
        let digits = String(number)
        var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: statementBytes)
        bytes.replaceSubrange((statementBytes - digits.utf8.count)..., with: digits.utf8)
        return read(EntryBytes(statement: bytes, sealed: sealed))
    }

    /// What the nodes of the measurement have in the place of a validator.
    var validation: EntryValidation {
        EntryValidation(
            proposed: { entry, _, _ throws(Rejection) in self.read(entry) },
            certified: { entry throws(Rejection) in self.read(entry) })
    }

    private func read(_ bytes: EntryBytes) -> CheckedEntry {
        let statement = Statement(opaque: bytes.statement, like: model)
        let document = KPIDocument(
            ledger: ledger.genesis.origin, submitter: BenchLedger.submitter,
            id: String(decoding: bytes.statement.suffix(10), as: UTF8.self), pipeline: nil, run: nil,
            measures: [])
        return CheckedEntry(
            entry: Entry(statement: statement, sealed: bytes.sealed), content: .document(.kpis(document)),
            contentDigest: statement.digest, sealing: .nodes)
    }
}
