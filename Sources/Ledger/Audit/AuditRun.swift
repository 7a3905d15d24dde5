/// One run of an audit: reads blocks in order, has them examined on all cores, and places them one stretch behind.
struct AuditRun {
    private let audit: Audit
    private let kept: Checkpoint?
    private let faultLimit: Int
    private(set) var report = AuditReport()

    private var extent: AuditExtent
    private var walk: ChainWalk
    private var replay: AuditReplay
    /// The index at which full verification begins.
    private let start: UInt64
    /// The newest block with a valid certificate.
    private var certified: (height: BlockHeight, note: SignedNote?)
    /// Blocks that were read and not yet planned.
    private var ahead: ArraySlice<AuditBlock> = []
    private var faults: [AuditFault] = []
    /// Set where nothing above can be read.
    private var isCutShort = false

    init(_ audit: Audit, kept: Checkpoint?, depth: Audit.Depth, faultLimit: Int) async throws {
        self.audit = audit
        self.kept = kept
        self.faultLimit = max(1, faultLimit)
        extent = try await Self.extent(of: audit.source)
        walk = ChainWalk(from: audit.genesis.header)
        replay = AuditReplay(state: audit.initialState, frontier: audit.genesis.frontier)
        certified = (.genesis, nil)
        var start: UInt64 = 0
        if let kept {
            if extent.height < kept.height {
                faults.append(
                    AuditFault(
                        .checkpoint,
                        "the log ends at block \(extent.height), and the kept checkpoint is of block \(kept.height)"
                    ))
                isCutShort = true
            } else if case .sinceKept = depth {
                do {
                    let base = try await KeptBase(of: kept, in: audit)
                    walk = ChainWalk(from: base.header)
                    replay = AuditReplay(
                        state: base.state, frontier: base.frontier, goneSessions: base.goneSessions)
                    certified = (base.header.height, nil)
                    start = kept.size
                } catch let fault as AuditFault {
                    faults.append(fault)
                    isCutShort = true
                }
            }
        }
        self.start = start
    }

    /// - Throws: `AuditFault` for a height that no ledger reaches.
    private static func extent(of source: any AuditSource) async throws -> AuditExtent {
        let extent = try await source.extent()
        guard extent.height.value < Limits.sequenceNumber else {
            throw AuditFault(.header, "the source states the height \(extent.height)")
        }
        return extent
    }

    mutating func run(_ progress: @Sendable (AuditProgress) -> Void) async throws {
        if walk.last.height == .genesis, !isCutShort { try await checkGenesisBlock() }
        if !isCutShort { try await verify(progress) }
        // Whoever erases while we read may have been ordered to by a block that was not there when we began.
        if !replay.unordered.isEmpty, !isCutShort, faults.isEmpty {
            let newer = try await Self.extent(of: audit.source)
            if newer.height > extent.height {
                extent = newer
                try await verify(progress)
            }
        }
        if !isCutShort { try await checkEnd() }
        finish()
    }

    private mutating func checkGenesisBlock() async throws {
        do {
            let first = try await audit.source.blocks(0..<1).first
            guard first?.header == audit.genesis.header else {
                throw AuditFault(
                    .header, "the first block is not that of the genesis document", height: .genesis)
            }
        } catch let fault as AuditFault {
            faults.append(fault)
            isCutShort = true
        }
    }

    /// Verifies up to `extent`.
    private mutating func verify(_ progress: @Sendable (AuditProgress) -> Void) async throws {
        var waiting: ExaminedPlan?
        while true {
            let plan = try await nextPlan()
            let audit = audit
            let registry = replay.state.registry
            async let examining = audit.examine(plan, registry: registry)
            if let ready = waiting {
                place(ready)
                progress(AuditProgress(done: replay.frontier.size, total: walk.last.treeSize))
            }
            waiting = try await examining
            if waiting == nil || faults.count >= faultLimit || isCutShort { break }
        }
        // The stretch in hand is placed in any case: a fault above it does not excuse those in it.
        if let ready = waiting { place(ready) }
        progress(AuditProgress(done: replay.frontier.size, total: walk.last.treeSize))
        if faults.count >= faultLimit { isCutShort = true }
    }

    /// The next whole blocks, about as many as keep the cores busy; `nil` at the end.
    private mutating func nextPlan() async throws -> AuditPlan? {
        var plan = AuditPlan(first: walk.last.treeSize)
        do {
            while plan.end - plan.first < UInt64(audit.stretchEntries), plan.blocks.count < Limits.auditBlocks
            {
                let next = walk.last.height.next
                guard next <= extent.height else { break }
                if ahead.isEmpty {
                    ahead = try await audit.source.blocks(next.value..<extent.height.value + 1)[...]
                }
                guard let block = ahead.popFirst() else {
                    throw AuditFault(.count, "the block is missing", height: next)
                }
                faults += try walk.step(to: block.header)
                faults += block.faults
                plan.blocks.append(block)
            }
        } catch let fault as AuditFault {
            faults.append(fault)
            isCutShort = true
        }
        return plan.blocks.isEmpty ? nil : plan
    }

    /// Places the blocks of a stretch, and compares what results with what the source shows.
    private mutating func place(_ examined: ExaminedPlan) {
        // Behind a stretch that did not read to its end, nothing has a place.
        guard replay.frontier.size == examined.plan.first else { return }
        var position = 0
        var completed: [TileHash] = []
        replay.add(examined.tileFaults.map { $0.placed(in: height(of: $0.index, in: examined.plan)) })
        for (block, certificateFault) in zip(examined.plan.blocks, examined.certificateFaults) {
            let count = Int(block.header.treeSize - replay.frontier.size)
            guard position + count <= examined.entries.count else { break }
            let isCertified = block.certificate != nil && certificateFault == nil
            replay.place(
                block.header, examined.entries[position..<position + count],
                tiles: examined.tiles?[position..<position + count], isCertified: isCertified,
                completed: &completed)
            position += count
            report.height = block.header.height
            if let certificateFault { replay.add([certificateFault]) }
            if isCertified, let certificate = block.certificate {
                certified = (block.header.height, try? certificate.votesNote(of: audit.electorate))
            }
            compareWithKept(block.header)
        }
        if let end = examined.end {
            replay.add([end])
            isCutShort = true
        }
        if !replay.isTreeLost { compare(completed, examined) }
        faults += replay.takeFaults()
        report.entries = replay.frontier.size
    }

    private func height(of index: EntryIndex?, in plan: AuditPlan) -> BlockHeight {
        let position = plan.blocks.partitioningIndex { $0.header.treeSize > index?.value ?? 0 }
        return plan.blocks.indices.contains(position) ? plan.blocks[position].header.height : walk.last.height
    }

    private mutating func compareWithKept(_ header: BlockHeader) {
        guard let kept, header.height == kept.height else { return }
        guard Checkpoint(origin: kept.origin, header: header) != kept else { return }
        faults.append(
            AuditFault(
                .checkpoint,
                "block \(kept.height) is not the one of the kept checkpoint: the log was rewritten"))
    }

    private mutating func compare(_ completed: [TileHash], _ examined: ExaminedPlan) {
        for hash in completed {
            guard let row = examined.upperTiles.first(where: { $0.level == hash.level }),
                hash.index >= row.first,
                case let position = Int(hash.index - row.first), position < row.hashes.count,
                row.hashes[position] != hash.digest
            else { continue }
            let index = EntryIndex(hash.index << UInt64(TileHash.heightPerLevel * hash.level))
            replay.add([
                AuditFault(
                    .tile, "hash \(hash.index) of level \(hash.level) is not that of the leaves below it",
                    index: index,
                    height: height(of: index, in: examined.plan))
            ])
        }
    }
}

// MARK: - The end

extension AuditRun {
    private mutating func checkEnd() async throws {
        checkServedCheckpoint()
        checkUnsettled()
        try await checkErasures()
        checkTotals()
        report.isComplete = true
    }

    private mutating func checkServedCheckpoint() {
        guard let served = extent.checkpoint else { return }
        do {
            _ = try audit.policy.verify(served)
        } catch {
            faults.append(AuditFault(.checkpoint, "the served checkpoint: \(error.reason)"))
            return
        }
        guard served.checkpoint.height == walk.last.height else { return }
        guard served.checkpoint == Checkpoint(origin: audit.electorate.origin, header: walk.last) else {
            faults.append(AuditFault(.checkpoint, "the served checkpoint is not that of its block"))
            return
        }
        certified = (walk.last.height, served.note)
    }

    private mutating func checkUnsettled() {
        report.unsettled = walk.last.height.value - certified.height.value
        guard report.unsettled > Limits.unsettledBlocks else { return }
        faults.append(
            AuditFault(
                .certificate, "no votes settle this block and the \(report.unsettled - 1) above it",
                height: certified.height.next))
    }

    private mutating func checkErasures() async throws {
        // Without a height they come last: a record that was changed is the cause, and says more.
        for index in replay.unordered.sorted().prefix(faultLimit) {
            faults.append(
                AuditFault(
                    .erasure, "the payload is gone, and no record in the log orders it",
                    index: EntryIndex(index)))
        }
        // An order that is final has been carried out: the node does so before it lets the votes go to the disk.
        for (index, height) in replay.openOrders.sorted(by: { $0.key < $1.key })
        where height <= certified.height {
            guard let entry = try await audit.source.entries(index..<index + 1).first else { continue }
            switch entry.payload {
            case .none, .erased, .withheld: continue
            case .held, .damaged:
                faults.append(
                    AuditFault(
                        .erasure, "block \(height) orders its erasure, and the payload is still there",
                        index: EntryIndex(index)))
            }
        }
    }

    /// The indexes of the store may hold rows that belong to no entry.
    private mutating func checkTotals() {
        guard start == 0, faults.isEmpty else { return }
        if let rows = extent.documents, rows != replay.documents {
            faults.append(
                AuditFault(
                    .store, "the index of documents has \(rows) rows for \(replay.documents) documents"))
        }
        if let rows = extent.ruleChanges, rows != replay.ruleChanges {
            faults.append(
                AuditFault(
                    .store, "the index of rule changes has \(rows) rows for \(replay.ruleChanges) entries"))
        }
    }

    private mutating func finish() {
        report.entries = replay.frontier.size
        report.examined = replay.frontier.size - start
        report.height = max(report.height, isCutShort ? report.height : walk.last.height)
        report.erased = replay.erased
        report.withheld = replay.withheld
        report.blocksWithoutKeys = replay.blocksWithoutKeys
        report.checkpoint = certified.note
        report.faults = Array(faults.sorted().prefix(faultLimit))
    }
}
