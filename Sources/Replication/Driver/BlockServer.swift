import Ledger

/// Answers the fetches of peers from the log. Reads only what is final, or what a peer names by its hash.
struct BlockServer: Sendable {
    let log: LogStore
    let published: @Sendable () -> Published

    /// `nil` where there is nothing to send.
    func answer(_ request: FetchRequest) throws(StoreError) -> FetchedBlocks? {
        switch request {
        case .committed(let height): try committed(after: height)
        case .ancestry(let hash, let height, let above): try ancestry(of: hash, at: height, above: above)
        }
    }

    /// Final blocks up to one that has a certificate: as many as fit, and always those up to the first.
    private func committed(after height: BlockHeight) throws(StoreError) -> FetchedBlocks? {
        let published = published()
        guard height < published.header.height else { return nil }
        var blocks: [FetchedBlock] = []
        var byteCount = 0
        var proven: (count: Int, certificate: CommitCertificate)?
        var next = height.next
        while next <= published.header.height, blocks.count < Limits.fetchedBlocks {
            guard let (header, kept) = try log.blocks(from: next, limit: 1).first,
                let stored = try log.block(header.hash, at: next)
            else { break }
            let block = try FetchedBlock(stored)
            byteCount += block.expectedBytes
            if proven != nil, byteCount > Limits.fetchedBytes { break }
            guard byteCount <= Limits.fetchedFrameBytes else { break }
            blocks.append(block)
            let isNewest = next == published.header.height
            if let certificate = kept ?? (isNewest ? published.certificate : nil) {
                proven = (blocks.count, certificate)
            }
            next = next.next
        }
        guard let proven else { return nil }
        return FetchedBlocks(blocks: Array(blocks.prefix(proven.count)), certificate: proven.certificate)
    }

    /// A block and its ancestors: the one who asks knows the hash, which vouches for them.
    private func ancestry(
        of hash: Digest, at height: BlockHeight, above: BlockHeight
    ) throws(StoreError) -> FetchedBlocks? {
        var blocks: [FetchedBlock] = []
        var byteCount = 0
        var (hash, height) = (hash, height)
        while height > above, height > .genesis, blocks.count < Limits.fetchedBlocks {
            guard let stored = try log.block(hash, at: height) else { return nil }
            let block = try FetchedBlock(stored)
            byteCount += block.expectedBytes
            guard byteCount <= Limits.fetchedFrameBytes else { return nil }
            blocks.append(block)
            hash = stored.header.parent
            height = height.previous
        }
        guard !blocks.isEmpty else { return nil }
        return FetchedBlocks(blocks: blocks.reversed(), certificate: nil)
    }
}

extension FetchedBlock {
    fileprivate init(_ stored: StoredBlock) throws(StoreError) {
        var entries: [FetchedEntry] = []
        for entry in stored.entries { entries.append(try FetchedEntry(entry)) }
        self.init(header: stored.header, entries: entries)
    }
}

extension FetchedEntry {
    fileprivate init(_ entry: LogEntry) throws(StoreError) {
        func damaged(_ reason: String) -> StoreError {
            .damaged(place: "entry \(entry.index)", reason: reason)
        }
        switch entry.payload {
        case .none: self = .whole(EntryBytes(statement: entry.statement, sealed: nil))
        case .held(let sealed): self = .whole(EntryBytes(statement: entry.statement, sealed: sealed))
        case .damaged(let reason): throw damaged(reason)
        case .erased:
            guard let identity = entry.identity else { throw damaged("a governance record was erased") }
            let statement: Statement
            do { statement = try Statement(canonical: entry.statement) } catch { throw damaged(error.reason) }
            self = .erased(Entry(statement: statement, erasedKeyCommitment: entry.keyCommitment), identity)
        }
    }
}
