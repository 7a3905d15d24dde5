public import Ledger
import Replication
import TestSupport

/// Real entries, opened and checked once for all worlds of a process: a world moves them about, and what arrives over
/// its wire is looked up here. That stands for the checking stage of a node.
public struct EntryPool: Sendable {
    /// One entry with what the simulator knows about it.
    public struct Item: Sendable {
        public let entry: CheckedEntry
        /// What a trace calls it: the same in every process, unlike its bytes.
        public let name: String

        /// Whether it can be ordered first of all: a document under an id of its own.
        var isPlain: Bool { name.hasPrefix("d") && !name.hasSuffix("7") && !name.hasSuffix("'") }
    }

    /// In the order in which worlds offer them.
    public let items: [Item]
    /// Of statements. Looked up, never iterated.
    private let numbers: [Digest: Int]
    public let start: Timestamp
    /// Of ledgers with 1, 2, … members.
    private let positions: [Replica.Position]

    private static let made = Result { try EntryPool() }

    public static func shared() throws -> EntryPool { try made.get() }

    /// The entry with these exact bytes; `nil` for what no client wrote.
    func checked(_ entry: EntryBytes) -> CheckedEntry? {
        guard let number = numbers[entry.digest], entry.isSame(as: items[number].entry.entry) else {
            return nil
        }
        return items[number].entry
    }

    func number(of digest: Digest) -> Int? { numbers[digest] }

    /// Where a ledger of so many members begins. Documents do not say in a way that the replica asks about how many
    /// nodes they were sealed to, so that all worlds share them.
    func position(members: Int) throws -> Replica.Position {
        guard members > 0, members <= positions.count else { throw NoSuchCommittee(members: members) }
        return positions[members - 1]
    }

    struct NoSuchCommittee: Error { let members: Int }

    private static func position(
        members: Int, of genesis: Genesis, _ certificates: [[UInt8]]
    ) throws -> Replica.Position {
        let document = Genesis(
            origin: genesis.origin, created: genesis.created, ledgerKey: genesis.ledgerKey,
            tokenKey: genesis.tokenKey,
            members: (0..<members).map { number in
                Member(
                    name: "node\(number + 1)", url: genesis.members[0].url,
                    peerAddress: genesis.members[0].peerAddress,
                    voteKey: Digest.sha256([UInt8(number)]).bytes,
                    // Each has another certificate, since no two may share one; nothing is sealed here.
                    sealingCertificate: certificates[number],
                    tlsKeyDigest: Digest.sha256([1, UInt8(number)]).bytes)
            },
            identities: genesis.identities)
        let id = Digest.sha256([UInt8](genesis.origin.utf8) + [UInt8(members)])
        return Replica.Position(
            tip: ChainTip(genesis: document, id: id), state: try LedgerState(genesis: document, ledgerID: id))
    }

    /// Members that a world can have.
    public var largestCommittee: Int { positions.count }

    private init() throws {
        let ledger = try TestLedger()
        let identities = ledger.identities
        start = ledger.start
        let certificates =
            ([
                identities.node, identities.ci, identities.ci2, identities.operator, identities.dpo,
                identities.auditor, identities.analyst, identities.tls, identities.token,
            ] + identities.newcomers).map(\.certificate.der)
        positions = try (1...10).map {
            try Self.position(members: $0, of: ledger.genesis, certificates)
        }
        let checker = try ledger.checker
        var state = try ledger.initialState
        var items: [Item] = []
        func add(
            _ name: String, _ bytes: [UInt8], as type: Statement.ContentType = .sealed, applies: Bool = false
        )
            throws
        {
            let entry = try checker.check(bytes, expecting: type, state: state, clock: ledger.start)
            if applies { state.apply(entry, at: EntryIndex(UInt64(items.count)), time: ledger.start) }
            items.append(Item(entry: entry, name: name))
        }
        let submitter = identities.ci2
        let sessions = try (0..<2).map { try ledger.session(id: "session\($0)", by: submitter) }
        for (number, session) in sessions.enumerated() {
            try add("session\(number)", session.submission, applies: true)
        }
        let newcomer = identities.newcomers[0]
        let records = [
            ("enrol1", try ledger.enrol(newcomer, sequence: 1)),
            ("erase0", try ledger.erase(EntryIndex(0), sequence: 2)),
            ("enrol2", try ledger.enrol(identities.newcomers[1], sequence: 3)),
            ("revoke1", try ledger.revoke(newcomer, sequence: 4)),
            ("erase3", try ledger.erase(EntryIndex(3), sequence: 5)),
        ]
        try add("rival1", try ledger.enrol(identities.newcomers[2], sequence: 1), as: .governance)
        try add("enrol1", records[0].1, as: .governance, applies: true)
        for number in 0..<200 {
            let value = String(number)
            let id = "document \(number)"
            let measure = [try ledger.measure("test.cases", value, unit: "{case}")]
            switch number % 10 {
            case 3:
                try add("s\(number)", try ledger.kpis(id: id, measure, sealedTo: sessions[number / 10 % 2]))
            case 5: try add("n\(number)", try ledger.kpis(id: id, measure, by: newcomer))
            case 7:
                try add("d\(number)", try ledger.kpis(id: id, measure, by: submitter))
                // Another content under the same id: one of the two at most is ordered.
                let other = [try ledger.measure("test.cases", "1\(number)", unit: "{case}")]
                try add("d\(number)'", try ledger.kpis(id: id, other, by: submitter))
            default: try add("d\(number)", try ledger.kpis(id: id, measure, by: submitter))
            }
            if number % 9 == 8, number / 9 + 1 < records.count {
                let record = records[number / 9 + 1]
                try add(record.0, record.1, as: .governance)
            }
        }
        self.items = items
        var numbers: [Digest: Int] = [:]
        for (number, item) in items.enumerated() { numbers[item.entry.entry.statement.digest] = number }
        self.numbers = numbers
    }
}
