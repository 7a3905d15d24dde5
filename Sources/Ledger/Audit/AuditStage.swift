/// A stretch of whole blocks, in the hands of an audit.
struct AuditPlan: Sendable {
    /// The index of the first block's first entry.
    let first: UInt64
    var blocks: [AuditBlock] = []

    var end: UInt64 { blocks.last?.header.treeSize ?? first }
}

/// The same after every core has looked at it.
struct ExaminedPlan: Sendable {
    let plan: AuditPlan
    /// From `plan.first` on; fewer than the blocks count where one did not read.
    var entries: [ExaminedEntry] = []
    /// The source's hash of each entry; `nil` where it offers none.
    var tiles: [Digest]? = []
    /// The source's hashes of the levels above, for the subtrees that end in the plan.
    var upperTiles: [(level: Int, first: UInt64, hashes: [Digest])] = []
    /// For each block.
    var certificateFaults: [AuditFault?] = []
    var tileFaults: [AuditFault] = []
    /// Why the entries end early.
    var end: AuditFault?
}

extension Audit {
    /// Examines the entries and certificates of a plan on all cores.
    func examine(_ plan: AuditPlan?, registry: Registry) async throws -> ExaminedPlan? {
        guard let plan else { return nil }
        let examiner = EntryExaminer(
            origin: initialState.genesis.origin, sealingCertificates: initialState.sealingCertificates,
            registry: registry)
        var result = ExaminedPlan(plan: plan)
        let pieces = try await withThrowingTaskGroup(of: Piece.self) { group in
            for start in stride(from: plan.first, to: plan.end, by: Limits.auditPieceEntries) {
                let end = min(start + UInt64(Limits.auditPieceEntries), plan.end)
                group.addTask { .entries(try await examineEntries(start..<end, of: plan, with: examiner)) }
            }
            for start in stride(from: 0, to: plan.blocks.count, by: Limits.auditPieceBlocks) {
                let end = min(start + Limits.auditPieceBlocks, plan.blocks.count)
                group.addTask { .certificates(start, plan.blocks[start..<end].map(certificateFault)) }
            }
            group.addTask { try await readUpperTiles(of: plan) }
            var pieces: [Piece] = []
            for try await piece in group { pieces.append(piece) }
            return pieces
        }
        var entries: [ExaminedPiece] = []
        result.certificateFaults = Array(repeating: nil, count: plan.blocks.count)
        for piece in pieces {
            switch piece {
            case .entries(let piece): entries.append(piece)
            case .certificates(let start, let faults):
                for (position, fault) in faults.enumerated() {
                    result.certificateFaults[start + position] = fault
                }
            case .upperTiles(let tiles, let faults):
                result.upperTiles = tiles
                result.tileFaults += faults
            }
        }
        for piece in entries.sorted(by: { $0.start < $1.start }) where result.end == nil {
            result.entries += piece.entries
            result.tileFaults += piece.tileFault.map { [$0] } ?? []
            if let tiles = piece.tiles { result.tiles? += tiles } else { result.tiles = nil }
            result.end = piece.end
        }
        return result
    }

    private enum Piece: Sendable {
        case entries(ExaminedPiece)
        case certificates(Int, [AuditFault?])
        case upperTiles([(level: Int, first: UInt64, hashes: [Digest])], [AuditFault])
    }

    private struct ExaminedPiece: Sendable {
        let start: UInt64
        var entries: [ExaminedEntry] = []
        var tiles: [Digest]?
        var tileFault: AuditFault?
        var end: AuditFault?
    }

    private func examineEntries(
        _ range: Range<UInt64>, of plan: AuditPlan, with examiner: EntryExaminer
    ) async throws -> ExaminedPiece {
        var piece = ExaminedPiece(start: range.lowerBound)
        do {
            piece.tiles = try await source.tileHashes(level: 0, range: range)
            if let tiles = piece.tiles, tiles.count != range.count {
                throw AuditFault(
                    .tile, "there are \(tiles.count) hashes, not \(range.count)",
                    index: EntryIndex(range.lowerBound))
            }
        } catch let fault as AuditFault {
            piece.tileFault = fault
            piece.tiles = nil
        }
        var position = plan.blocks.partitioningIndex { $0.header.treeSize > range.lowerBound }
        var next = range.lowerBound
        do {
            while next < range.upperBound {
                let entries = try await source.entries(next..<range.upperBound)
                guard !entries.isEmpty else {
                    throw AuditFault(.count, "the entry is missing", index: EntryIndex(next))
                }
                for entry in entries.prefix(Int(range.upperBound - next)) {
                    while plan.blocks[position].header.treeSize <= next { position += 1 }
                    piece.entries.append(
                        examiner.examine(entry, at: EntryIndex(next), in: plan.blocks[position].header))
                    next += 1
                }
            }
        } catch let fault as AuditFault {
            piece.end = fault.placed(in: plan.blocks[position].header.height)
        }
        return piece
    }

    private func certificateFault(_ block: AuditBlock) -> AuditFault? {
        guard let certificate = block.certificate else { return nil }
        let height = block.header.height
        guard certificate.header == block.header else {
            return AuditFault(.certificate, "the votes are for another block", height: height)
        }
        do { try certificate.verify(by: electorate) } catch {
            return AuditFault(.certificate, error.reason, height: height)
        }
        return nil
    }

    private func readUpperTiles(of plan: AuditPlan) async throws -> Piece {
        var tiles: [(level: Int, first: UInt64, hashes: [Digest])] = []
        var faults: [AuditFault] = []
        var level = 1
        while case let end = HashTile.hashCount(level: level, treeSize: plan.end), end > 0 {
            let first = HashTile.hashCount(level: level, treeSize: plan.first)
            if first < end {
                do {
                    if let hashes = try await source.tileHashes(level: level, range: first..<end) {
                        guard hashes.count == Int(end - first) else {
                            throw AuditFault(
                                .tile,
                                "there are \(hashes.count) hashes of level \(level), not \(end - first)")
                        }
                        tiles.append((level, first, hashes))
                    }
                } catch let fault as AuditFault { faults.append(fault) }
            }
            level += 1
        }
        return .upperTiles(tiles, faults)
    }
}

extension AuditFault {
    /// The same fault with its block, where it named none.
    func placed(in height: BlockHeight) -> AuditFault {
        AuditFault(kind, reason, index: index, height: self.height ?? height, offset: offset)
    }
}

extension RandomAccessCollection {
    /// The first place at which `predicate` holds, where it holds for all elements behind the first such one.
    func partitioningIndex(where predicate: (Element) -> Bool) -> Index {
        var low = startIndex
        var count = count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if predicate(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
