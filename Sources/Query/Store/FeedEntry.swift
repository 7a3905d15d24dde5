public import Ledger

/// What a follower of the log's tail hands to the query store: one entry, in order, none left out.
public struct FeedEntry: Hashable, Sendable {
    public let index: EntryIndex
    public let blockHeight: BlockHeight
    public let blockTime: Timestamp
    /// `nil` for governance, sessions, and entries whose payload is erased.
    public let document: KPIDocument?
    /// The entry of the document that this one replaces: its samples count no longer, from this entry on.
    public let replaces: EntryIndex?
    /// Entries whose erasure this entry orders. They are taken out in the transaction that follows this entry.
    public let erases: [EntryIndex]

    public init(
        index: EntryIndex, blockHeight: BlockHeight, blockTime: Timestamp, document: KPIDocument?,
        replaces: EntryIndex? = nil, erases: [EntryIndex] = []
    ) {
        self.index = index
        self.blockHeight = blockHeight
        self.blockTime = blockTime
        self.document = document
        self.replaces = replaces
        self.erases = erases
    }
}

/// What a batch did.
public struct ApplyOutcome: Hashable, Sendable {
    /// Entries followed now.
    public internal(set) var entries = 0
    /// Entries that had been followed before.
    public internal(set) var repeated = 0
    public internal(set) var samples = 0
    public internal(set) var newSeries = 0
    /// Samples that the limit of series kept out (`QueryLimits.series`).
    public internal(set) var refusedSamples = 0
}

public enum QueryStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The batch does not go on where the store stands. Nothing of it was kept.
    case gap(expected: EntryIndex, found: EntryIndex)
    case store(StoreError)

    public var description: String {
        switch self {
        case .gap(let expected, let found): "entry \(found) was offered where entry \(expected) comes next"
        case .store(let error): error.description
        }
    }
}

/// Why a query store was emptied when it was opened, to be filled from the log again.
public enum RebuildReason: Hashable, Sendable, CustomStringConvertible {
    case otherFormat(found: UInt32, expected: UInt32)
    case otherLedger
    /// The configuration asks for other aggregates across series.
    case otherAggregates
    /// The configuration declares other continuous aggregates.
    case otherWindows
    case damaged(reason: String)

    public var description: String {
        switch self {
        case .otherFormat(let found, let expected):
            "query store has format \(found), this program writes \(expected): rebuilding it from the log"
        case .otherLedger: "query store belongs to another ledger: rebuilding it from the log"
        case .otherAggregates:
            "other aggregates are configured than the query store keeps: rebuilding it from the log"
        case .otherWindows:
            "other windows are configured than the query store keeps: rebuilding it from the log"
        case .damaged(let reason): "query store is damaged (\(reason)): rebuilding it from the log"
        }
    }
}
