public import Ledger
public import Replication

/// A ledger of one node on a disk, with everything a client of it does.
public struct RunningLedger: Sendable {
    public let ledger: TestLedger
    public let log: LogStore
    public let driver: ReplicaDriver
    public let clock: ManualClock
    private let checker: EntryChecker

    /// Opens the log in `directory`, making it where there is none, and settles what was accepted before.
    ///
    /// - Parameter clock: the node's; at `ledger.start` without one.
    public init(
        _ ledger: TestLedger, in directory: String, clock: ManualClock? = nil,
        onCommit: @escaping @Sendable (Published, [CertifiedBlock]) -> Void = { _, _ in },
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        try self.init(
            ledger, LogStore(directory: directory, genesis: ledger.genesisHeader, access: .writing(.full)),
            clock: clock ?? ManualClock(at: ledger.start), onCommit: onCommit, report: report)
    }

    /// Runs the node on a log that is open, as after a restart.
    public init(
        _ ledger: TestLedger, _ log: LogStore, clock: ManualClock,
        patience: ReplicaDriver.Patience = ReplicaDriver.Patience(),
        onCommit: @escaping @Sendable (Published, [CertifiedBlock]) -> Void = { _, _ in },
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        self.ledger = ledger
        self.log = log
        self.clock = clock
        checker = try ledger.checker
        driver = try ReplicaDriver(
            ports: .init(
                log: log, voteKey: ledger.voteKey, electorate: ledger.electorate, clock: { clock.now },
                onCommit: onCommit, report: report),
            id: ReplicaID(0), genesis: ledger.genesis, ledgerID: ledger.ledgerID, patience: patience)
    }

    /// Checks a submission as the HTTPS routes do.
    public func check(
        _ submission: [UInt8], as type: Statement.ContentType = .sealed
    ) throws(Rejection) -> CheckedEntry {
        try checker.check(submission, expecting: type, state: driver.published.state, clock: clock.now)
    }

    /// Checks a submission and waits until it is final.
    @discardableResult
    public func append(
        _ submission: [UInt8], as type: Statement.ContentType = .sealed
    ) async throws -> Acknowledgement {
        try await driver.submit(try check(submission, as: type))
    }

    /// Appends a governance record.
    @discardableResult
    public func govern(_ submission: [UInt8]) async throws -> Acknowledgement {
        try await append(submission, as: .governance)
    }

    /// Appends `count` documents of one measure, `<prefix>0` and on, all under way at one time.
    ///
    /// P-256 signatures in a session: about the cheapest that an entry can be. Their order is not fixed.
    ///
    /// - Parameter session: of the submitter who signs; must be in the log.
    public func fill(
        _ count: Int, prefix: String = "fill", in session: TestSession, atOnce: Int = 256
    ) async throws {
        var next = 0
        while next < count {
            let batch = next..<min(count, next + atOnce)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in batch {
                    let entry = try check(
                        try ledger.kpis(
                            id: "\(prefix)\(number)",
                            [try ledger.measure("test.cases", String(number), unit: "{case}")],
                            sealedTo: session))
                    group.addTask { _ = try await driver.submit(entry) }
                }
                try await group.waitForAll()
            }
            next = batch.upperBound
        }
    }
}

extension TestLedger {
    /// Opens the log in `directory` and runs its one node.
    public func open(in directory: TemporaryDirectory, clock: ManualClock? = nil) throws -> RunningLedger {
        try RunningLedger(self, in: directory.path, clock: clock)
    }
}
