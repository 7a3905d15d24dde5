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
