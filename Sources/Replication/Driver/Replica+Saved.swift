import Ledger

extension Replica.Saved {
    /// What a node finds on its disk: the last final block, every block above it, and what its signatures rest on.
    ///
    /// - Throws: `StoreError.damaged` where the chain does not read back. A block beside it that does not is left out: it
    ///   can be fetched.
    init(
        from log: LogStore, genesis: Genesis, ledgerID: Digest, report: (String) -> Void
    ) throws(StoreError) {
        let certificate = try log.lastCertificate()
        let tip = try log.chainTip(at: certificate?.header.height ?? .genesis)
        let state = try LedgerState.restored(
            genesis: genesis, ledgerID: ledgerID, from: log, size: tip.header.treeSize)
        let committed = Replica.Position(tip: tip, state: state)

        var positions: [Digest: Replica.Position] = [tip.headerHash: committed]
        var blocks: [AcceptedBlock] = []
        var end = tip.headerHash
        for stored in try log.blocks(above: tip.header.height) {
            guard let parent = positions[stored.header.parent] else { continue }
            let block: AcceptedBlock
            do throws(StoreError) { block = try AcceptedBlock(reading: stored, above: parent) } catch {
                guard !stored.isOnChain else { throw error }
                report("a block beside the chain is left out: \(error)")
                continue
            }
            positions[stored.hash] = .init(tip: block.tip, state: block.state)
            blocks.append(block)
            if stored.isOnChain { end = stored.hash }
        }

        var safety = SafetyState()
        if let bytes = try log.safety() {
            do throws(DecodingFailure) { safety = try SafetyState(decoding: bytes) } catch {
                throw .damaged(place: "the safety state", reason: error.description)
            }
        }
        self.init(
            committed: committed, certificate: certificate, blocks: blocks, tip: end, safety: safety)
    }
}

extension AcceptedBlock {
    /// Reads back a block that this node accepted, and works out again what follows from it.
    fileprivate convenience init(
        reading stored: StoredBlock, above parent: Replica.Position
    ) throws(StoreError) {
        let header = stored.header
        var state = parent.state
        var entries: [CheckedEntry] = []
        for (position, entry) in stored.entries.enumerated() {
            let checked = try CheckedEntry(readingAny: entry)
            let index = EntryIndex(parent.tip.header.treeSize + UInt64(position))
            state.apply(checked, at: index, time: header.time)
            entries.append(checked)
        }
        let again = parent.tip.extended(
            by: entries.map(\.entry), view: header.view, epoch: header.epoch, clock: header.time)
        guard again.block.header == header else {
            throw .damaged(
                place: "block \(header.height)", reason: "its entries are not those of its header")
        }
        self.init(
            block: again.block, entries: entries, completed: again.completed, tip: again.tip, state: state)
    }
}

extension CheckedEntry {
    /// Reads back an entry, erased ones too: a node that was away may have fetched them so.
    init(readingAny entry: LogEntry) throws(StoreError) {
        if let checked = try CheckedEntry(reading: entry) {
            self = checked
            return
        }
        guard let identity = entry.identity else {
            throw .damaged(place: "entry \(entry.index)", reason: "a governance record was erased")
        }
        do {
            self.init(
                erased: Entry(
                    statement: try Statement(canonical: entry.statement),
                    erasedKeyCommitment: entry.keyCommitment),
                identity: identity)
        } catch { throw .damaged(place: "entry \(entry.index)", reason: error.reason) }
    }
}
