import Ledger
import TestSupport
import Testing

/// The rules that decide whether a checked entry may stand at its place in the log.
@Suite struct `An entry at its place in the log` {
    private let ledger: TestLedger
    private let checker: EntryChecker
    private var state: LedgerState

    init() throws {
        ledger = try TestLedger()
        checker = try ledger.checker
        state = try ledger.initialState
    }

    private func check(
        _ bytes: [UInt8], as type: Statement.ContentType = .sealed, at time: Timestamp? = nil
    ) throws -> CheckedEntry {
        try checker.check(bytes, expecting: type, state: state, clock: time ?? ledger.start)
    }

    /// Admits an entry and applies it, as the block that holds it does.
    private mutating func append(
        _ bytes: [UInt8], as type: Statement.ContentType = .sealed, at index: UInt64 = 0
    ) throws {
        let entry = try check(bytes, as: type)
        try state.admit(entry, at: ledger.start, treeSize: index)
        state.apply(entry, at: EntryIndex(index), time: ledger.start)
    }

    private func refusal(
        _ entry: CheckedEntry, at time: Timestamp? = nil, treeSize: UInt64 = 10
    ) -> Rejection.Code? {
        do throws(Rejection) {
            try state.admit(entry, at: time ?? ledger.start, treeSize: treeSize)
            return nil
        } catch { return error.code }
    }

    private func later(_ hours: Int64) -> Timestamp {
        ledger.start.advanced(byMilliseconds: hours * 3_600_000)
    }

    @Test mutating func `is refused once its key is revoked, however long ago it was checked`() throws {
        let document = try check(try ledger.kpis(id: "one", by: ledger.identities.ci2))
        #expect(refusal(document) == nil)
        try append(try ledger.revoke(ledger.identities.ci2, sequence: 1), as: .governance)
        #expect(refusal(document) == .forbidden)
    }

    @Test func `is refused outside the validity of its certificate`() throws {
        let document = try check(try ledger.kpis(id: "one"))
        #expect(refusal(document, at: ledger.identities.ci.certificate.notAfter) == nil)
        let past = ledger.identities.ci.certificate.notAfter.advanced(byMilliseconds: 1000)
        #expect(refusal(document, at: past) == .forbidden)
        let before = ledger.identities.ci.certificate.notBefore.advanced(byMilliseconds: -1000)
        #expect(refusal(document, at: before) == .forbidden)
    }

    @Test func `may speak of a day ahead of its block and no more`() throws {
        let day = try check(
            try ledger.kpis(id: "one", [try ledger.measure(at: later(24))]), at: ledger.start)
        #expect(refusal(day) == nil)
        #expect(refusal(day, at: ledger.start.advanced(byMilliseconds: -1)) == .invalid)
    }

    @Test mutating func `may be sealed with its submitter's session until that expires`() throws {
        let session = try ledger.session(expires: later(2))
        try append(session.submission)
        let document = try check(try ledger.kpis(id: "one", sealedTo: session))
        #expect(refusal(document, at: later(2)) == nil)
        #expect(refusal(document, at: later(2).advanced(byMilliseconds: 1)) == .sealing)
        // The session itself was erased: nobody may seal with it any more.
        try append(try ledger.erase(EntryIndex(0), sequence: 1), as: .governance, at: 1)
        #expect(refusal(document) == .sealing)
    }

    @Test mutating func `may not be a session that is sealed with another one`() throws {
        let session = try ledger.session()
        try append(session.submission)
        let inner = SessionDocument(
            ledger: ledger.origin, submitter: ledger.identities.ci.name, id: "inner",
            key: [UInt8](repeating: 7, count: 32), expires: later(2))
        let entry = try check(
            try ledger.seal(Array(inner.xml.utf8), by: ledger.identities.ci, sealedTo: session))
        #expect(refusal(entry) == .sealing)
    }

    @Test func `may be a session of a day at most that has not expired`() throws {
        let session = try check(try ledger.session(expires: later(24)).submission)
        #expect(refusal(session) == nil)
        #expect(refusal(session, at: later(24)) == .invalid)
        #expect(refusal(session, at: ledger.start.advanced(byMilliseconds: -1)) == .invalid)
    }

    @Test mutating func `carries the next number where it is a record`() throws {
        let newcomers = ledger.identities.newcomers
        let second = try check(try ledger.enrol(newcomers[1], sequence: 2), as: .governance)
        #expect(refusal(second) == .conflict)
        let first = try ledger.enrol(newcomers[0], sequence: 1)
        try append(first, as: .governance)
        #expect(refusal(try check(first, as: .governance)) == .conflict)
        #expect(refusal(second) == nil)
    }

    @Test mutating func `enrols a key once, for one identity`() throws {
        try append(try ledger.enrol(ledger.identities.newcomers[0], sequence: 1), as: .governance)
        let again = Enrolment(
            identity: "somebody else", roles: [.submitter],
            certificate: ledger.identities.newcomers[0].certificate.der)
        let record = try check(try ledger.governance(.enrol(again), sequence: 2), as: .governance)
        #expect(refusal(record) == .conflict)
    }

    @Test func `is signed by the role that the record asks for`() throws {
        let byOperator = try ledger.governance(
            .erase(EntryIndex(0), reason: "asked"), sequence: 1, by: ledger.identities.operator)
        #expect(refusal(try check(byOperator, as: .governance)) == .forbidden)
        let byOfficer = try ledger.governance(
            .enrol(
                Enrolment(
                    identity: "newcomer1", roles: [.submitter],
                    certificate: ledger.identities.newcomers[0].certificate.der)),
            sequence: 1, by: ledger.identities.dpo)
        #expect(refusal(try check(byOfficer, as: .governance)) == .forbidden)
    }

    @Test func `erases only what is in the log before its block`() throws {
        let record = try check(try ledger.erase(EntryIndex(9), sequence: 1), as: .governance)
        #expect(refusal(record, treeSize: 10) == nil)
        #expect(refusal(record, treeSize: 9) == .invalid)
    }

    @Test func `is not ordered again once it was erased`() throws {
        let document = try check(try ledger.kpis(id: "one"))
        let left = Entry(
            statement: document.entry.statement, erasedKeyCommitment: document.entry.keyCommitment)
        let identity = try #require(document.identity)
        #expect(refusal(CheckedEntry(erased: left, identity: identity)) == .erased)
    }
}
