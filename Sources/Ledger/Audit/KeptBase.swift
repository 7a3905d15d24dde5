/// What a run needs to go on from a checkpoint that was kept: the tree, the rules and the block there.
struct KeptBase {
    let header: BlockHeader
    let frontier: MerkleFrontier
    let state: LedgerState
    let goneSessions: GoneSessions

    /// Reads every leaf below the checkpoint: those that make the kept root are those that were verified before.
    ///
    /// The records among them are found in the leaves themselves, since an index of the source could leave one out (a
    /// revocation, say). Sessions live a day at most, so payloads are read for that day alone.
    /// - Throws: `AuditFault` where the log does not extend the checkpoint.
    init(of kept: Checkpoint, in audit: Audit) async throws {
        let blocks = try await audit.source.blocks(kept.height.value..<kept.height.value + 1)
        guard let block = blocks.first, Checkpoint(origin: kept.origin, header: block.header) == kept else {
            throw AuditFault(
                .checkpoint,
                "block \(kept.height) is not the one of the kept checkpoint: the log was rewritten")
        }
        header = block.header
        var frontier = MerkleFrontier()
        var state = audit.initialState
        var completed: [TileHash] = []
        var records: [(index: EntryIndex, record: CheckedEntry)] = []
        while frontier.size < kept.size {
            for hashed in try await Self.hashLeaves(from: frontier.size, to: kept.size, in: audit) {
                let index = EntryIndex(frontier.size)
                frontier.append(hashed.hash, into: &completed)
                completed.removeAll(keepingCapacity: true)
                if let record = hashed.record { records.append((index, record)) }
            }
        }
        guard frontier.root == kept.root else {
            throw AuditFault(
                .checkpoint,
                "the first \(kept.size) entries are not those of the kept checkpoint: the log was rewritten")
        }
        self.frontier = frontier
        // Only now are they known to be those that were in force.
        var orders: [EntryIndex] = []
        for (index, record) in records {
            guard case .governance(let content) = record.content else { continue }
            switch content.action {
            case .enrol(let enrolment):
                guard (try? state.registry.checkNew(enrolment)) != nil else { continue }
            case .erase(let erased, _): orders.append(erased)
            case .revoke, .evidence: break
            }
            state.apply(record, at: index, time: header.time)
        }
        var gone = GoneSessions()
        try await Self.addSessions(to: &state, &gone, before: header, in: audit)
        for order in orders { gone.remove(at: order) }
        self.state = state
        goneSessions = gone
    }

    private struct HashedLeaf: Sendable {
        let hash: Digest
        let record: CheckedEntry?
    }

    /// A stretch of leaves, hashed on all cores.
    private static func hashLeaves(
        from start: UInt64, to end: UInt64, in audit: Audit
    ) async throws -> [HashedLeaf] {
        let stretch = start..<min(end, start + UInt64(Limits.auditEntries * 4))
        return try await withThrowingTaskGroup(of: (UInt64, [HashedLeaf]).self) { group in
            for first in stride(from: stretch.lowerBound, to: stretch.upperBound, by: 1024) {
                let range = first..<min(first + 1024, stretch.upperBound)
                group.addTask {
                    var leaves: [HashedLeaf] = []
                    while leaves.count < range.count {
                        let next = range.lowerBound + UInt64(leaves.count)
                        let more = try await audit.source.leaves(next..<range.upperBound)
                        guard !more.isEmpty else {
                            throw AuditFault(.count, "the entry is missing", index: EntryIndex(next))
                        }
                        leaves += more.prefix(range.count - leaves.count).map(hash)
                    }
                    return (first, leaves)
                }
            }
            var pieces: [(UInt64, [HashedLeaf])] = []
            for try await piece in group { pieces.append(piece) }
            return pieces.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }

    private static func hash(_ leaf: [UInt8]) -> HashedLeaf {
        HashedLeaf(hash: MerkleTree.leafHash(leaf), record: record(in: leaf))
    }

    /// The record in a leaf of a governance record. That it is in order was verified before.
    private static func record(in leaf: [UInt8]) -> CheckedEntry? {
        guard let statement = try? Statement(canonical: leaf), let content = statement.content,
            let record = try? GovernanceRecord.parse(content)
        else { return nil }
        return CheckedEntry(
            entry: Entry(statement: statement, sealed: nil), content: .governance(record),
            contentDigest: .sha256(content), sealing: nil)
    }

    /// The sessions that may still be in force after `header`.
    private static func addSessions(
        to state: inout LedgerState, _ gone: inout GoneSessions, before header: BlockHeader, in audit: Audit
    ) async throws {
        let oldest = header.time.advanced(byMilliseconds: -Limits.sessionMilliseconds)
        var first = header
        // Down the chain: each parent hash vouches for the header below.
        while first.height > .genesis, first.time >= oldest {
            let low = first.height.value - min(first.height.value, 512)
            var below: [AuditBlock] = []
            while low + UInt64(below.count) < first.height.value {
                let more = try await audit.source.blocks(low + UInt64(below.count)..<first.height.value)
                guard !more.isEmpty else {
                    throw AuditFault(.count, "the block is missing", height: first.height)
                }
                below += more
            }
            for block in below.reversed() {
                guard block.header.hash == first.parent else {
                    throw AuditFault(
                        .header, "it is not the parent of the block above", height: block.header.height)
                }
                first = block.header
                if first.time < oldest { break }
            }
        }
        var next = first.treeSize
        while next < header.treeSize {
            let entries = try await audit.source.entries(next..<header.treeSize)
            guard !entries.isEmpty else {
                throw AuditFault(.count, "the entry is missing", index: EntryIndex(next))
            }
            for entry in entries {
                if let session = session(in: entry) {
                    state.apply(session, at: EntryIndex(next), time: header.time)
                }
                if case .erased = entry.payload, let statement = try? Statement(canonical: entry.leaf),
                    let signer = statement.signers.first,
                    let key = state.registry.key(signer.keyIdentifier)
                {
                    gone.add(
                        SessionKeyID(of: statement), of: key.identity, at: EntryIndex(next), time: header.time
                    )
                }
                next += 1
            }
        }
    }

    private static func session(in entry: AuditEntry) -> CheckedEntry? {
        // An index that leaves a session out causes a false alarm, and hides nothing.
        guard entry.rows?.changesRules != false, case .held(let sealed) = entry.payload,
            let statement = try? Statement(canonical: entry.leaf),
            Digest.sha256(sealed.payload) == statement.payloadDigest,
            let payload = try? SealedPayload(sealed.payload),
            let content = try? payload.open(contentKey: sealed.contentKey).content,
            let document = try? DocumentParser().parse(content), case .session = document
        else { return nil }
        return CheckedEntry(
            entry: Entry(statement: statement, sealed: sealed), content: .document(document),
            contentDigest: .sha256(content), sealing: CheckedEntry.Sealing(payload.recipients))
    }
}
