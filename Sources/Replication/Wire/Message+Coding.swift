public import Ledger

extension Message {
    public var frame: Frame {
        switch self {
        case .proposal(let proposal): Frame(kind: .proposal, body: proposal.wireBytes)
        case .prepare(let prepare): Frame(kind: .prepare, body: prepare.wireBytes)
        case .commit(let vote): Frame(kind: .commit, body: vote.wireBytes)
        case .complaint(let view): Frame(kind: .complaint, body: view.value.valueBytes)
        case .viewChange(let change): Frame(kind: .viewChange, body: change.wireBytes)
        case .newView(let newView): Frame(kind: .newView, body: newView.wireBytes)
        case .prepared(let certificate): Frame(kind: .prepared, body: certificate.wireBytes)
        case .committed(let certificate): Frame(kind: .committed, body: certificate.wireBytes)
        case .status(let status): Frame(kind: .status, body: status.wireBytes)
        case .entries(let entries): Frame(kind: .entries, body: EntryList(entries: entries).wireBytes)
        case .fetch(let request): Frame(kind: .fetch, body: request.wireBytes)
        case .fetched(let blocks): Frame(kind: .fetched, body: blocks.wireBytes)
        }
    }

    /// - Throws: for a body that is not exactly one message of the frame's kind, and for a greeting.
    public init(_ frame: Frame) throws(DecodingFailure) {
        let body = frame.body
        switch frame.kind {
        case .hello: throw DecodingFailure("a greeting in the midst of messages", at: 0)
        case .awaited: throw DecodingFailure("a hint of the connection is no message", at: 0)
        case .proposal: self = .proposal(try Proposal(wireBytes: body))
        case .prepare: self = .prepare(try Signed<Prepare>(wireBytes: body))
        case .commit: self = .commit(try CommitVote(wireBytes: body))
        case .complaint:
            self = .complaint(
                try ByteReader.decode(body) { reader throws(DecodingFailure) in try reader.readView() })
        case .viewChange: self = .viewChange(try ViewChange(wireBytes: body))
        case .newView: self = .newView(try NewView(wireBytes: body))
        case .prepared: self = .prepared(try PreparedCertificate(wireBytes: body))
        case .committed: self = .committed(try CommitCertificate(wireBytes: body))
        case .status: self = .status(try Status(wireBytes: body))
        case .entries: self = .entries(try EntryList(wireBytes: body).entries)
        case .fetch: self = .fetch(try FetchRequest(wireBytes: body))
        case .fetched: self = .fetched(try FetchedBlocks(wireBytes: body))
        }
    }
}

/// `u16 count ‖ entries`.
private struct EntryList: WireValue {
    let entries: [EntryBytes]

    init(entries: [EntryBytes]) { self.entries = entries }

    var expectedBytes: Int { entries.expectedBytes }

    func write(to writer: inout ByteWriter) { writer.writeCounted(entries) }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        entries = try reader.readCounted(EntryBytes.self, "entries", limit: Limits.forwardedEntries)
    }
}
