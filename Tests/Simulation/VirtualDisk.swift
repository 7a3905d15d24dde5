import Ledger
import Replication

/// A disk that keeps what was flushed and forgets the rest. One transaction a record, as the store has it.
struct VirtualDisk {
    struct Pending {
        var record: SafetyRecord
        var certificates: [CommitCertificate]
    }

    /// Every block that was ever appended. Looked up, never iterated.
    private(set) var blocks: [Digest: AcceptedBlock] = [:]
    /// The same, parents before children, as they came.
    private(set) var order: [Digest] = []
    /// The log's chain; height k is at position k - 1.
    private(set) var chain: [Digest] = []
    private(set) var state = SafetyState()
    /// By height, ascending.
    private(set) var certificates: [CommitCertificate] = []

    var pending: [Pending] = []
    /// How many of them the flush under way takes.
    var flushing = 0
    /// Microseconds that a flush takes, least and most.
    var latency = 100...400
    var isFull = false

    /// Applies one record: all of it or nothing.
    ///
    /// - Returns: What is wrong with it, if anything is.
    mutating func apply(_ pending: Pending) -> String? {
        for step in pending.record.steps {
            switch step {
            case .truncate(let height):
                if let highest = certificates.last?.header.height, height < highest {
                    return "the log is cut back to \(height), below the final block \(highest)"
                }
                let count = Int(height.value)
                if count > chain.count {
                    return "the log is cut back to \(height), where it ends at \(chain.count)"
                }
                for hash in chain[count...] where Defect.active == .acceptedBodiesDropped {
                    blocks[hash] = nil
                    order.removeAll { $0 == hash }
                }
                chain.removeLast(chain.count - count)
            case .append(let block):
                guard Int(block.header.height.value) == chain.count + 1 else {
                    return "block \(block.header.height) is appended to a log that ends at \(chain.count)"
                }
                if let last = chain.last, block.header.parent != last {
                    return "block \(block.header.height) is appended to another block than its parent"
                }
                chain.append(block.headerHash)
                if blocks.updateValue(block, forKey: block.headerHash) == nil {
                    order.append(block.headerHash)
                }
            }
        }
        if let state = pending.record.state { self.state = state }
        for certificate in pending.certificates { keep(certificate) }
        return nil
    }

    private mutating func keep(_ certificate: CommitCertificate) {
        let height = certificate.header.height
        let position = certificates.firstIndex { $0.header.height >= height } ?? certificates.endIndex
        if position < certificates.endIndex, certificates[position].header.height == height { return }
        certificates.insert(certificate, at: position)
    }

    // MARK: What a crash leaves

    /// What becomes of the payload keys of a block that was being written: they lie beside the log and are flushed side
    /// by side with it, so that a crash may leave one without the other.
    enum Damage {
        /// They are not there.
        case torn
        /// They were written over those of another block that was being written.
        case misdirected(over: Digest)
    }

    /// Blocks with payloads that these records would write for the first time.
    func fresh(in records: some Sequence<Pending>) -> [Digest] {
        var hashes: [Digest] = []
        for case .append(let block) in records.flatMap(\.record.steps)
        where !block.entries.isEmpty && blocks[block.headerHash] == nil && !hashes.contains(block.headerHash)
        {
            hashes.append(block.headerHash)
        }
        return hashes
    }

    mutating func damage(_ hash: Digest, _ damage: Damage) {
        switch damage {
        case .torn: blocks[hash] = nil
        case .misdirected(let victim): blocks[victim] = blocks.removeValue(forKey: hash)
        }
    }

    /// What the log does at a start: it ends before the first block that does not read back. Such a block was not yet
    /// called durable. One beside the log is left out.
    ///
    /// - Returns: The height of the first that is not there any more.
    mutating func takeBack() -> BlockHeight? {
        order.removeAll { blocks[$0]?.headerHash != $0 }
        for hash in chain + order where blocks[hash].map({ $0.headerHash != hash }) ?? false {
            blocks[hash] = nil
        }
        guard let position = chain.firstIndex(where: { blocks[$0] == nil }) else { return nil }
        chain.removeLast(chain.count - position)
        return BlockHeight(UInt64(position + 1))
    }

    /// The block of the log's chain at a height.
    func block(at height: UInt64) -> AcceptedBlock? {
        guard height > 0, height <= UInt64(chain.count) else { return nil }
        return blocks[chain[Int(height - 1)]]
    }

    /// What a replica continues from.
    func saved(genesis: Replica.Position) -> Replica.Saved {
        var committed = genesis
        let certificate = certificates.last
        if let certificate, let block = blocks[certificate.header.hash] {
            committed = Replica.Position(tip: block.tip, state: block.state)
        }
        let root = committed.tip.headerHash
        var known: Set<Digest> = [root]
        var above: [AcceptedBlock] = []
        let candidates = order.compactMap { blocks[$0] }.filter {
            $0.header.height > committed.tip.header.height
        }
        let sorted = candidates.enumerated().sorted {
            ($0.element.header.height, $0.offset) < ($1.element.header.height, $1.offset)
        }
        for (_, block) in sorted where known.contains(block.header.parent) {
            known.insert(block.headerHash)
            above.append(block)
        }
        return Replica.Saved(
            committed: committed, certificate: certificate, blocks: above, tip: chain.last ?? root,
            safety: state)
    }
}
