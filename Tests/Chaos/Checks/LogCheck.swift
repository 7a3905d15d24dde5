import Ledger
import Query

/// What the nodes have on their disks at the end, compared with what clients know and with each other. They have ended.
struct LogCheck {
    let folder: LedgerFolder
    let appends: [Append]
    /// The roots that nodes have shown, by size.
    let roots: [UInt64: Digest]
    let findings: Findings

    /// What one log holds.
    private struct Contents {
        var leafHashes: [Digest] = []
        var identities: [DocumentIdentity?] = []
        var size: UInt64 { UInt64(leafHashes.count) }
    }

    /// - Returns: Entries of the log, and the digest of its queries.
    func run() async throws -> (entries: UInt64, queries: String) {
        var first: Contents?
        var digests: [Digest] = []
        for node in folder.names.indices {
            let contents = try read(node)
            compare(contents, node)
            if let first {
                compare(contents, node, with: first)
            } else {
                first = contents
            }
            try await audit(node)
            digests.append(try queryDigest(node))
        }
        for node in folder.names.indices where digests[node] != digests[0] {
            findings.add("\(folder.names[node]) has other queries than \(folder.names[0])")
        }
        return (first?.size ?? 0, digests[0].description)
    }

    private func read(_ node: Int) throws -> Contents {
        let root = ChainTip(genesis: folder.genesis, id: folder.ledgerID).header
        let log = try LogStore(
            directory: folder.directory(node) + "/data", genesis: root, access: .reading)
        let size = try log.header(at: try log.tipHeight())?.treeSize ?? 0
        var contents = Contents()
        while contents.size < size {
            let range = EntryIndex(contents.size)..<EntryIndex(min(size, contents.size + 512))
            for entry in try log.entries(range) {
                contents.leafHashes.append(MerkleTree.leafHash(entry.statement))
                contents.identities.append(entry.identity)
            }
        }
        return contents
    }

    /// With what the clients know.
    private func compare(_ contents: Contents, _ node: Int) {
        let name = folder.names[node]
        for append in appends {
            guard let index = append.index else { continue }
            guard index < contents.size, contents.leafHashes[Int(index)] == append.leafHash else {
                findings.add(
                    "document \(append.number) is not entry \(index) of \(name), as was acknowledged")
                continue
            }
            if contents.identities[Int(index)]?.id != Submitter.id(append.number) {
                findings.add("entry \(index) of \(name) has another id than document \(append.number)")
            }
        }
        var seen: Set<DocumentIdentity> = []
        for (index, identity) in contents.identities.enumerated() {
            guard let identity, !seen.insert(identity).inserted else { continue }
            findings.add("\(identity.id) is in \(name) a second time, at index \(index)")
        }
        // The session, and the documents.
        if contents.size != UInt64(appends.count) + 1 {
            findings.add("\(name) has \(contents.size) entries, for \(appends.count) documents and a session")
        }
        var tree = MerkleFrontier()
        for leaf in contents.leafHashes {
            tree.append(leaf)
            guard let root = roots[tree.size], root != tree.root else { continue }
            findings.add("the checkpoint of size \(tree.size) that was shown is not of the log of \(name)")
        }
        for size in roots.keys where size > contents.size {
            findings.add("a checkpoint of size \(size) was shown; \(name) has \(contents.size) entries")
        }
    }

    private func compare(_ contents: Contents, _ node: Int, with first: Contents) {
        let pairs = zip(contents.leafHashes, first.leafHashes)
        if let index = pairs.enumerated().first(where: { $1.0 != $1.1 })?.offset {
            findings.add("entry \(index) of \(folder.names[node]) is not that of \(folder.names[0])")
        }
    }

    /// The auditor's run, as users have it.
    private func audit(_ node: Int) async throws {
        let answer = try await Programs.run("ledgerd", ["verify", "--directory", folder.directory(node)])
        if answer.status != 0 { findings.add("\(folder.names[node]) does not verify: \(answer.output)") }
    }

    private func queryDigest(_ node: Int) throws -> Digest {
        let opened = try QueryStore.open(
            directory: folder.directory(node) + "/data/query", ledger: folder.ledgerID)
        if let reason = opened.rebuilt {
            findings.add("the query store of \(folder.names[node]) is unusable: \(reason)")
        }
        return try opened.store.digest()
    }
}
