import Ledger
import Replication

/// A node of a world: the real replica with a virtual disk and virtual clocks around it.
struct SimulatedNode {
    enum Role {
        case honest
        case liar(Plan.Habits)
        /// One of two live copies with one identity.
        case twin
    }

    let slot: Int
    let id: ReplicaID
    let role: Role
    /// It never comes back.
    var isGone = false
    /// `nil` while it is down.
    var replica: Replica?
    /// Counts its starts: what was under way at a crash never comes.
    var life = 0
    var disk = VirtualDisk()
    var startedAt = 0
    /// The wall clock beside the world's, in milliseconds.
    var clockOffset: Int64 = 0
    /// How much faster than the world's its clocks run, in millionths.
    var drift = 0
    /// When the next `tick` is planned.
    var tickAt: Int?
    /// It will crash in the midst of the next flush that writes a block, and be away for so long.
    var crashWhileWriting: Int?
    /// Frozen until then: alive, and hears everything late.
    var pausedUntil = 0
    /// The last final block, in this life.
    var committed: UInt64 = 0
    /// The last final block of all its lives; all of it must be there after a restart.
    var acknowledged: UInt64 = 0
    /// Goes to the disk with the next flush.
    var unsavedCertificate: CommitCertificate?
    /// Documents of its log, with the tree's size before each. Looked up, never iterated.
    var documents = LoggedDocuments()
    /// Entries whose payloads are gone.
    var erased: Set<Digest> = []
    /// Entries of its clients that no answer was given for.
    var owed: [Int] = []

    var isHonest: Bool {
        if case .honest = role { return true }
        return false
    }

    func habits(_ habit: Plan.Habits) -> Bool {
        if case .liar(let habits) = role { return habits.contains(habit) }
        return false
    }

    func uptime(at now: Int) -> Duration {
        let elapsed = now - startedAt
        return .microseconds(elapsed + elapsed * drift / 1_000_000)
    }

    /// The first moment of the world at which its uptime is at least this.
    func moment(of uptime: Duration) -> Int {
        let (seconds, attoseconds) = uptime.components
        let target = Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000) + 1
        return startedAt + target * 1_000_000 / (1_000_000 + drift) + 1
    }

    func clock(at now: Int, from start: Timestamp) -> Timestamp {
        start.advanced(byMilliseconds: Int64((now + now / 1_000_000 * drift) / 1000) + clockOffset)
    }
}

/// Which documents stand in the log, as the replica asks for them.
struct LoggedDocuments: CommittedDocuments {
    private var places: [DocumentIdentity: UInt64] = [:]

    func known(among identities: [DocumentIdentity], below size: UInt64) -> Set<DocumentIdentity> {
        Set(identities.lazy.filter { contains($0, below: size) })
    }

    func contains(_ identity: DocumentIdentity, below size: UInt64) -> Bool {
        places[identity].map { $0 < size } ?? false
    }

    mutating func add(_ block: AcceptedBlock) {
        let first = block.header.treeSize - UInt64(block.entries.count)
        for (position, entry) in block.entries.enumerated() {
            guard let identity = entry.identity, places[identity] == nil else { continue }
            places[identity] = first + UInt64(position)
        }
    }
}
