import Ledger

/// The blocks above the last final one that this node knows, all branches of them. Every block's parent is here, or is
/// the final one.
struct BlockTree: Sendable {
    struct Node: Sendable {
        let accepted: AcceptedBlock
        /// The record that put it into the log's chain, the last time; `nil` where it is in memory alone, or where the
        /// disk refused that record.
        var savedBy: SaveTicket?
        /// The record that first wrote it. From there on the disk has it, whichever chain the log follows.
        var storedBy: SaveTicket?
        /// Whether this node's COMMIT for it is on its way, or was sent.
        var isCommitReleased = false

        init(_ accepted: AcceptedBlock, savedBy: SaveTicket?) {
            self.accepted = accepted
            self.savedBy = savedBy
            storedBy = savedBy
        }

        mutating func save(by ticket: SaveTicket) {
            savedBy = ticket
            storedBy = storedBy ?? ticket
        }

        var keys: Set<EntryKey> { accepted.keys }
        var height: BlockHeight { accepted.header.height }
        var hash: Digest { accepted.headerHash }
        var parent: Digest { accepted.header.parent }
    }

    private(set) var root: ChainTip
    /// Parents before children. There are a few dozen at most, so that a search is a walk.
    private(set) var nodes: [Node] = []

    init(root: ChainTip) { self.root = root }

    func index(of hash: Digest) -> Int? { nodes.lastIndex { $0.hash == hash } }
    subscript(_ hash: Digest) -> Node? { index(of: hash).map { nodes[$0] } }
    func contains(_ hash: Digest) -> Bool { hash == root.headerHash || index(of: hash) != nil }

    /// - Precondition: its parent is here.
    mutating func insert(_ accepted: AcceptedBlock, savedBy: SaveTicket?) {
        precondition(contains(accepted.header.parent), "a block's parent is known before it")
        guard index(of: accepted.headerHash) == nil else { return }
        nodes.append(Node(accepted, savedBy: savedBy))
    }

    mutating func update(_ hash: Digest, _ change: (inout Node) -> Void) {
        guard let index = index(of: hash) else { return }
        change(&nodes[index])
    }

    /// The blocks above the root up to `hash`, parent before child; `nil` where the block is not here.
    func chain(to hash: Digest) -> [Node]? {
        var chain: [Node] = []
        var next = hash
        while next != root.headerHash {
            guard let node = self[next] else { return nil }
            chain.append(node)
            next = node.parent
        }
        return chain.reversed()
    }

    /// Whether `ancestor` is `hash` itself or below it.
    func isAncestor(_ ancestor: Digest, of hash: Digest) -> Bool {
        if ancestor == root.headerHash { return contains(hash) }
        return chain(to: hash)?.contains { $0.hash == ancestor } ?? false
    }

    /// Makes `hash` the root: what does not descend from it is gone.
    mutating func settle(on hash: Digest) {
        guard let node = self[hash] else { return }
        root = node.accepted.tip
        var kept: [Node] = []
        var hashes: Set<Digest> = [hash]
        for node in nodes where hashes.contains(node.parent) {
            hashes.insert(node.hash)
            kept.append(node)
        }
        nodes = kept
    }

    /// Removes blocks, and with each its descendants.
    ///
    /// - Returns: What was removed.
    mutating func remove(where isUnwanted: (Node) -> Bool) -> [Node] {
        var gone: Set<Digest> = []
        var removed: [Node] = []
        nodes.removeAll { node in
            guard gone.contains(node.parent) || isUnwanted(node) else { return false }
            gone.insert(node.hash)
            removed.append(node)
            return true
        }
        return removed
    }
}

/// What makes two entries one: the document, or the very record.
enum EntryKey: Hashable, Sendable {
    case document(DocumentIdentity)
    case record(Digest)
}

extension CheckedEntry {
    var key: EntryKey { identity.map(EntryKey.document) ?? .record(entry.statement.digest) }
}
