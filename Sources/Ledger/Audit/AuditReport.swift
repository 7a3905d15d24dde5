/// What an auditor's run found.
public struct AuditReport: Hashable, Sendable {
    /// Entries of the log, as far as the run went.
    public internal(set) var entries: UInt64 = 0
    /// Of those, how many were verified in full; fewer than `entries` after an incremental run.
    public internal(set) var examined: UInt64 = 0
    /// The height of the last block.
    public internal(set) var height = BlockHeight.genesis
    /// Examined entries whose payload was erased, by order.
    public internal(set) var erased: UInt64 = 0
    /// Examined entries whose payload this source does not hand out: only their statements were verified.
    public internal(set) var withheld: UInt64 = 0
    /// Blocks whose key commitments could not be recomputed, because payloads were withheld.
    public internal(set) var blocksWithoutKeys: UInt64 = 0
    /// Blocks above the last certificate: accepted, not final. A node that was killed has a few, and settles them when
    /// it starts again; more than `Limits.unsettledBlocks` are a fault.
    public internal(set) var unsettled: UInt64 = 0
    /// In the order of the log; empty where everything is as it must be.
    public internal(set) var faults: [AuditFault] = []
    /// Whether the run reached the end. One that met too many faults, or a block that does not read, stops there.
    public internal(set) var isComplete = false
    /// The last final block with the votes for it, to be kept for the next run; `nil` where only genesis is final.
    ///
    /// A signed note. From a directory it bears the votes and no line of the ledger key, which proves nothing alone.
    public internal(set) var checkpoint: SignedNote?

    /// Whether everything that was looked at is as it must be.
    public var isClean: Bool { faults.isEmpty && isComplete }
}

/// How far a run is.
public struct AuditProgress: Hashable, Sendable {
    /// Entries.
    public let done: UInt64
    public let total: UInt64
}
