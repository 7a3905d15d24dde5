/// The end of a chain of blocks: all that is needed to propose or check the next one.
public struct ChainTip: Hashable, Sendable {
    public let header: BlockHeader
    public let headerHash: Digest
    public let frontier: MerkleFrontier

    /// The block that every chain of this ledger begins with: height 0, no entries, a zero parent.
    ///
    /// - Precondition: the genesis was made in 1970 or later, which its parser assures.
    public init(genesis: Genesis, id: Digest) {
        self.init(
            header: BlockHeader(
                ledgerID: id, height: .genesis, view: View(0), epoch: Epoch(0), time: genesis.created,
                parent: .zero, treeSize: 0, treeRoot: MerkleTree.emptyRoot,
                keyCommitments: KeyCommitment.fold([])),
            frontier: MerkleFrontier())
    }

    /// - Precondition: the frontier is that of the tree which the header names.
    public init(header: BlockHeader, frontier: MerkleFrontier) {
        precondition(frontier.size == header.treeSize, "header and frontier speak of one tree")
        self.header = header
        headerHash = header.hash
        self.frontier = frontier
    }

    /// The block on top of this one, with the complete subtrees that its leaves bring about.
    ///
    /// - Parameter clock: the proposer's own clock. A block is never before its parent, whatever the clock says.
    public func extended(
        by entries: [Entry], view: View, epoch: Epoch, clock: Timestamp
    ) -> (block: Block, tip: ChainTip, completed: [TileHash]) {
        var frontier = frontier
        var completed: [TileHash] = []
        completed.reserveCapacity(entries.count + 2)
        for entry in entries {
            frontier.append(MerkleTree.leafHash(entry.statement.bytes), into: &completed)
        }
        let header = BlockHeader(
            ledgerID: header.ledgerID, height: header.height.next, view: view, epoch: epoch,
            time: max(clock, header.time), parent: headerHash, treeSize: frontier.size,
            treeRoot: frontier.root,
            keyCommitments: KeyCommitment.fold(entries.map(\.keyCommitment)))
        return (
            Block(header: header, entries: entries), ChainTip(header: header, frontier: frontier), completed
        )
    }
}
