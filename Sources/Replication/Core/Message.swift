public import Ledger

/// What one node says to another. As it comes from a peer, nothing in it is believed: `Verified` is.
public enum Message: Hashable, Sendable {
    /// PRE-PREPARE: a block of the primary, with the primary's PREPARE for it.
    case proposal(Proposal)
    case prepare(Signed<Prepare>)
    case commit(CommitVote)
    case complaint(View)
    case viewChange(ViewChange)
    case newView(NewView)
    /// To a node that lacks it; in larger clusters, from the primary to all.
    case prepared(PreparedCertificate)
    case committed(CommitCertificate)
    case status(Status)
    /// Entries for the primary to order; after a timeout, for all to wait for.
    case entries([EntryBytes])
    case fetch(FetchRequest)
    case fetched(FetchedBlocks)
}

public struct Proposal: Hashable, Sendable {
    public let block: ProposedBlock
    public let prepare: Signed<Prepare>

    public init(block: ProposedBlock, prepare: Signed<Prepare>) {
        self.block = block
        self.prepare = prepare
    }
}

/// A header with the entries that it should commit to, unread.
public struct ProposedBlock: Hashable, Sendable {
    public let header: BlockHeader
    public let entries: [EntryBytes]

    public init(header: BlockHeader, entries: [EntryBytes]) {
        self.header = header
        self.entries = entries
    }

    public init(_ block: Block) {
        self.init(header: block.header, entries: block.entries.map(EntryBytes.init))
    }
}

/// A heartbeat: where its sender stands. A hint and no more; a liar's costs a fetch that fails.
public struct Status: Hashable, Sendable {
    public let view: View
    /// Whether it waits for the NEW-VIEW of that view.
    public let isChanging: Bool
    /// The view that it asks for: its own, or a higher one.
    public let asksFor: View
    public let tip: BlockHeight
    public let committed: BlockHeight

    public init(view: View, isChanging: Bool, asksFor: View, tip: BlockHeight, committed: BlockHeight) {
        self.view = view
        self.isChanging = isChanging
        self.asksFor = asksFor
        self.tip = tip
        self.committed = committed
    }
}

/// What a node lacks.
public enum FetchRequest: Hashable, Sendable {
    /// Committed blocks above a height, and a certificate that settles the last of them.
    case committed(after: BlockHeight)
    /// One block with its ancestors above a height. It is certified, or was claimed with a certificate.
    case ancestry(of: Digest, at: BlockHeight, above: BlockHeight)
}

/// Blocks in answer to a `FetchRequest`, parent before child.
public struct FetchedBlocks: Hashable, Sendable {
    public let blocks: [FetchedBlock]
    /// Settles the last of the blocks, and so all of them.
    public let certificate: CommitCertificate?

    public init(blocks: [FetchedBlock], certificate: CommitCertificate?) {
        self.blocks = blocks
        self.certificate = certificate
    }
}

public struct FetchedBlock: Hashable, Sendable {
    public let header: BlockHeader
    public let entries: [FetchedEntry]

    public init(header: BlockHeader, entries: [FetchedEntry]) {
        self.header = header
        self.entries = entries
    }
}

public enum FetchedEntry: Hashable, Sendable {
    case whole(EntryBytes)
    /// Its payload was erased, here or everywhere: what is left of it.
    case erased(Entry, DocumentIdentity)
}
