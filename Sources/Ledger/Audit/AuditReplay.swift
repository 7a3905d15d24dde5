/// Applies the examined entries in their order, as every node once did, and compares what results.
///
/// Sequential and quick: the expensive checks were made before, on all cores.
struct AuditReplay: Sendable {
    private(set) var state: LedgerState
    private(set) var frontier: MerkleFrontier
    private(set) var faults: [AuditFault] = []
    private(set) var erased: UInt64 = 0
    private(set) var withheld: UInt64 = 0
    private(set) var blocksWithoutKeys: UInt64 = 0
    /// Sealed entries and those that change the rules: what the source's indexes must count.
    private(set) var documents: UInt64 = 0
    private(set) var ruleChanges: UInt64 = 0
    /// Payloads that are gone, and whose order has not come yet.
    private(set) var unordered: Set<UInt64> = []
    /// Orders whose payload was not seen to be gone, with their heights: it lies before this run, or is still there.
    private(set) var openOrders: [UInt64: BlockHeight] = [:]

    private var goneSessions: GoneSessions
    /// Identities by the first half of a SHA-256, where the source shows no index of them.
    private var identities: Set<UInt128> = []
    /// A wrong root spoils all above it: the first one says all there is to say.
    private(set) var isTreeLost = false

    init(state: LedgerState, frontier: MerkleFrontier, goneSessions: GoneSessions = GoneSessions()) {
        self.state = state
        self.frontier = frontier
        self.goneSessions = goneSessions
    }

    /// The block that entries are being placed into.
    private struct OpenBlock {
        let header: BlockHeader
        let firstIndex: UInt64
        let isCertified: Bool
        var keys = Digest.Hash()
        var knowsKeys = true
        var hasFaults = false
        var isClosed = false
        /// Entries whose leaf is not the one that the tiles have.
        var strangers: [(index: EntryIndex, leaf: Digest, tile: Digest)] = []
        /// Rows of indexes that disagree: the consequence where leaves changed places, else a fault of their own.
        var rowFaults: [AuditFault] = []
    }

    /// Places a block.
    ///
    /// - Parameters:
    ///   - entries: exactly those that the header counts, in order.
    ///   - tiles: the source's hash for each entry, or none at all.
    ///   - isCertified: whether the header has a valid certificate of its own, so that it is not what was changed.
    ///   - completed: takes the subtrees above the leaves that these complete.
    mutating func place(
        _ header: BlockHeader, _ entries: ArraySlice<ExaminedEntry>, tiles: ArraySlice<Digest>?,
        isCertified: Bool, completed: inout [TileHash]
    ) {
        var block = OpenBlock(header: header, firstIndex: frontier.size, isCertified: isCertified)
        let faultsBefore = faults.count
        for (position, entry) in entries.enumerated() {
            var hashes: [TileHash] = []
            frontier.append(entry.leafHash, into: &hashes)
            completed += hashes.dropFirst()
            if let tiles {
                let tile = tiles[tiles.startIndex + position]
                if tile != entry.leafHash { block.strangers.append((entry.index, entry.leafHash, tile)) }
            }
            place(entry, in: &block)
        }
        block.hasFaults = faults.count > faultsBefore
        close(block)
    }

    private mutating func place(_ entry: ExaminedEntry, in block: inout OpenBlock) {
        if let commitment = entry.commitment {
            block.keys.update(commitment)
        } else {
            block.knowsKeys = false
        }
        if block.isClosed {
            faults.append(
                fault(.order, "it stands behind an entry that changes the rules, in one block", entry))
        }
        switch entry.content {
        case .unreadable:
            // A changed statement does not open its payload either: the cause is named, not the consequence.
            let before = faults.count
            let signer = entry.isRecord ? nil : signer(of: entry, at: block.header.time)
            if faults.count == before { faults += entry.faults }
            // What was sealed with a session that is damaged is not at fault itself.
            if let signer, let keyID = entry.lostSession {
                goneSessions.add(keyID, of: signer, at: entry.index, time: block.header.time)
            }
        case .document(let identity, let sealing):
            guard let signer = signer(of: entry, at: block.header.time) else { break }
            check(identity, of: entry, signedBy: signer, in: &block)
            if case .session(let keyID) = sealing {
                checkSession(keyID, of: signer, at: block.header.time, entry)
            }
        case .erased(let keyID):
            erased += 1
            unordered.insert(entry.index.value)
            documents += 1
            guard let signer = signer(of: entry, at: block.header.time) else { break }
            checkRows(of: entry, submitter: signer, in: &block)
            goneSessions.add(keyID, of: signer, at: entry.index, time: block.header.time)
        case .withheld:
            withheld += 1
            documents += 1
            _ = signer(of: entry, at: block.header.time)
        case .rules(let checked):
            block.isClosed = true
            apply(checked, entry, &block)
        }
        if let rows = entry.rows, rows.changesRules { ruleChanges += 1 }
    }

    private func fault(_ kind: AuditFault.Kind, _ reason: String, _ entry: ExaminedEntry) -> AuditFault {
        AuditFault(kind, reason, index: entry.index, height: entry.height)
    }
}

// MARK: - Entries

extension AuditReplay {
    /// The identity that signed a sealed entry, if it might; what is wrong becomes a fault.
    private mutating func signer(of entry: ExaminedEntry, at time: Timestamp) -> String? {
        guard let signature = entry.signatures.first else { return nil }
        do {
            let key = try state.registry.key(signature.keyIdentifier, actingAs: .submitter, at: time)
            guard isValid(signature) else {
                faults.append(fault(.statement, "the signature of \(key.identity) is not valid", entry))
                return nil
            }
            return key.identity
        } catch {
            faults.append(fault(.statement, error.reason, entry))
            return nil
        }
    }

    private func isValid(_ signature: ExaminedEntry.SignatureCheck) -> Bool {
        switch signature.verdict {
        case .valid: true
        case .invalid: false
        case .keyUnknown(let statement, let position):
            state.registry.key(signature.keyIdentifier).map {
                statement.isSigned(by: $0.certificate, signer: position)
            } ?? false
        }
    }

    private mutating func check(
        _ identity: DocumentIdentity, of entry: ExaminedEntry, signedBy signer: String,
        in block: inout OpenBlock
    ) {
        documents += 1
        guard identity.submitter == signer else {
            faults.append(
                fault(.document, "the document names another submitter than its signer, \(signer)", entry))
            return
        }
        guard let rows = entry.rows else {
            let digest = Digest.sha256(DocumentKey(identity).keyBytes)
            let half = digest.bytes.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
            if !identities.insert(half).inserted {
                faults.append(fault(.document, "the id \(identity.id) of \(signer) was taken before", entry))
            }
            return
        }
        guard rows.identity == identity else {
            block.rowFaults.append(fault(.store, "its row names another document than its payload", entry))
            return
        }
        checkRows(of: entry, submitter: signer, in: &block)
    }

    /// The index of documents finds one entry for an identity: where each is found by its own, none is there twice.
    private func checkRows(of entry: ExaminedEntry, submitter: String, in block: inout OpenBlock) {
        guard let rows = entry.rows else { return }
        guard let identity = rows.identity, identity.submitter == submitter else {
            block.rowFaults.append(
                fault(.store, "its row names another submitter than its signer, \(submitter)", entry))
            return
        }
        guard let found = rows.documentIndex else {
            block.rowFaults.append(fault(.store, "the index of documents does not have it", entry))
            return
        }
        guard found != entry.index.value else { return }
        // An index that finds an earlier entry is right, and this one came second; otherwise the index is wrong.
        if found < entry.index.value {
            block.rowFaults.append(
                fault(
                    .document, "the id \(identity.id) of \(submitter) was taken before, by entry \(found)",
                    entry))
        } else {
            block.rowFaults.append(
                fault(.store, "the index of documents finds entry \(found) in its place", entry))
        }
    }

    private mutating func checkSession(
        _ keyID: SessionKeyID, of signer: String, at time: Timestamp, _ entry: ExaminedEntry
    ) {
        // Where sessions are not shown, whether they were in force is not to be known.
        guard withheld == 0 else { return }
        do { _ = try state.session(keyID, of: signer, at: time) } catch {
            guard !goneSessions.mayHold(keyID, of: signer, at: time) else { return }
            faults.append(fault(.payload, error.reason, entry))
        }
    }

    /// A session or a governance record.
    private mutating func apply(_ checked: CheckedEntry, _ entry: ExaminedEntry, _ block: inout OpenBlock) {
        let kind: AuditFault.Kind
        switch checked.content {
        // What is erased is examined without its content, and never comes here.
        case .erased: return
        case .governance:
            kind = .governance
            guard entry.signatures.allSatisfy(isValid) else {
                faults.append(fault(.governance, "a signature is not that of an enrolled key", entry))
                return
            }
            if entry.rows?.identity != nil {
                block.rowFaults.append(fault(.store, "its row names a document, and it is a record", entry))
            }
        case .document(let document):
            kind = .document
            guard let signer = signer(of: entry, at: block.header.time) else { return }
            check(
                DocumentIdentity(submitter: document.submitter, id: document.id), of: entry, signedBy: signer,
                in: &block)
        }
        if let rows = entry.rows, !rows.changesRules {
            block.rowFaults.append(fault(.store, "the index of rule changes does not have it", entry))
        }
        do {
            try state.admit(checked, at: block.header.time, treeSize: block.firstIndex)
        } catch {
            faults.append(fault(kind, error.reason, entry))
            return
        }
        state.apply(checked, at: entry.index, time: block.header.time)
        if case .governance(let record) = checked.content, case .erase(let index, _) = record.action {
            carryOut(index, orderedAt: entry.height)
        }
    }

    private mutating func carryOut(_ index: EntryIndex, orderedAt height: BlockHeight) {
        if unordered.remove(index.value) == nil { openOrders[index.value] = height }
        goneSessions.remove(at: index)
    }
}

// MARK: - Blocks

extension AuditReplay {
    private mutating func close(_ block: OpenBlock) {
        let header = block.header
        if !block.knowsKeys, !block.hasFaults { blocksWithoutKeys += 1 }
        if isTreeLost || frontier.root == header.treeRoot {
            faults += block.rowFaults
            closeKeys(block)
            guard !isTreeLost else { return }
            for stranger in block.strangers {
                faults.append(
                    AuditFault(
                        .tile, "hash \(stranger.index) of level 0 is not that of the leaf",
                        index: stranger.index,
                        height: header.height))
            }
            return
        }
        isTreeLost = true
        guard !block.hasFaults else { return }
        faults.append(treeFault(block))
    }

    private mutating func closeKeys(_ block: OpenBlock) {
        guard block.knowsKeys, !block.hasFaults else { return }
        guard block.keys.finish() != block.header.keyCommitments else { return }
        faults.append(
            AuditFault(
                .payload, "the content keys of the block are not those that its header commits to",
                index: EntryIndex(block.firstIndex), height: block.header.height))
    }

    /// What was changed where each leaf is good by itself and the root is not theirs.
    private func treeFault(_ block: OpenBlock) -> AuditFault {
        let height = block.header.height
        guard let first = block.strangers.first else {
            // Leaves and tiles agree. Where a quorum stands for the header, it is they that were changed.
            return block.isCertified
                ? AuditFault(
                    .order, "the leaves from here to the end of the block do not have the root of its header",
                    index: EntryIndex(block.firstIndex), height: height)
                : AuditFault(.header, "the root is not that of the leaves", height: height)
        }
        // Leaves that changed places are each known to the tiles, elsewhere in the block.
        return block.strangers.contains { $0.leaf == first.tile }
            ? AuditFault(
                .order, "another entry of the block stands in its place", index: first.index, height: height)
            : AuditFault(
                .statement, "the leaf is not the one in the tree", index: first.index, height: height)
    }

    /// Adds what was found outside of the entries.
    mutating func add(_ more: [AuditFault]) { faults += more }

    /// Forgets the faults that were handed over.
    mutating func takeFaults() -> [AuditFault] {
        defer { faults = [] }
        return faults
    }
}
