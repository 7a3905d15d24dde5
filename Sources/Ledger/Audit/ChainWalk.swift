/// Goes up the chain of headers and names what does not fit to the block below.
struct ChainWalk: Sendable {
    private(set) var last: BlockHeader
    private(set) var lastHash: Digest
    private let ledgerID: Digest

    /// - Parameter last: a header that is trusted: the genesis block's, or that of a checkpoint which was kept.
    init(from last: BlockHeader) {
        self.last = last
        lastHash = last.hash
        ledgerID = last.ledgerID
    }

    /// Takes the next header.
    ///
    /// - Throws: The fault after which nothing above can be placed: another height, or entries that no block can have.
    /// - Returns: The faults that one can go on after.
    mutating func step(to header: BlockHeader) throws(AuditFault) -> [AuditFault] {
        let height = last.height.next
        func fault(_ reason: String) -> AuditFault { AuditFault(.header, reason, height: height) }
        guard header.height == height else {
            throw fault("the header in this place states height \(header.height)")
        }
        guard header.treeSize >= last.treeSize else {
            throw fault("the tree shrinks from \(last.treeSize) entries to \(header.treeSize)")
        }
        guard header.treeSize - last.treeSize <= UInt64(Limits.blockEntries) else {
            throw fault(
                "the header counts \(header.treeSize - last.treeSize) entries; a block has at most \(Limits.blockEntries)"
            )
        }
        var faults: [AuditFault] = []
        if header.parent != lastHash {
            faults.append(
                fault("the parent is \(header.parent), and the header below has the hash \(lastHash)"))
        }
        if header.ledgerID != ledgerID {
            faults.append(fault("the header belongs to the ledger \(header.ledgerID)"))
        }
        // Only `<configure>` ends an epoch, and this version does not accept it.
        if header.epoch != last.epoch { faults.append(fault("the epoch changes without a record")) }
        if header.time < last.time {
            faults.append(fault("the time falls from \(last.time) to \(header.time)"))
        }
        if header.view < last.view {
            faults.append(fault("the view falls from \(last.view) to \(header.view)"))
        }
        last = header
        lastHash = header.hash
        return faults
    }
}
