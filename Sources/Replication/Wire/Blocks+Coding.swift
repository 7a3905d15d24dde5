public import Ledger

/// `00 ‖ statement u32-sized` for a governance record;
/// `01 ‖ statement u32-sized ‖ payload u32-sized ‖ content key 32` for a document, whose key TLS protects.
extension EntryBytes: WireValue {
    var expectedBytes: Int { byteCount + Limits.entryFrameBytes }

    func write(to writer: inout ByteWriter) {
        writer.write(UInt8(sealed == nil ? 0 : 1))
        writer.writeSized(statement)
        guard let sealed else { return }
        writer.writeSized(sealed.payload)
        writer.write(sealed.contentKey)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let isSealed = try reader.readFlag("kind of entry")
        self.init(
            statement: try reader.readSized("statement", limitBytes: Ledger.Limits.leafBytes),
            sealed: isSealed
                ? .init(
                    payload: try reader.readSized("payload", limitBytes: Ledger.Limits.submissionBytes),
                    contentKey: try reader.readBytes(32, "content key"))
                : nil)
    }
}

extension [EntryBytes] {
    var expectedBytes: Int { reduce(2) { $0 + $1.expectedBytes } }
}

extension ByteReader {
    fileprivate mutating func readStatement() throws(DecodingFailure) -> Statement {
        let start = offset
        let bytes = try readSized("statement", limitBytes: Ledger.Limits.leafBytes)
        do { return try Statement(canonical: bytes) } catch { throw DecodingFailure(error.reason, at: start) }
    }
}

/// `header 165 ‖ u16 count ‖ entries`.
extension ProposedBlock: WireValue {
    var expectedBytes: Int { BlockHeader.byteCount + entries.expectedBytes }

    func write(to writer: inout ByteWriter) {
        writer.write(header.encoded)
        writer.writeCounted(entries)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            header: try BlockHeader(from: &reader),
            entries: try reader.readCounted(EntryBytes.self, "entries", limit: Ledger.Limits.blockEntries))
    }
}

/// `block ‖ signed prepare`.
extension Proposal: WireValue {
    var expectedBytes: Int { block.expectedBytes + Signed<Prepare>.byteCount }

    func write(to writer: inout ByteWriter) {
        writer.write(block)
        writer.write(prepare)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(block: try ProposedBlock(from: &reader), prepare: try Signed<Prepare>(from: &reader))
    }

    /// What can be read of a proposal whatever its entries are: the header before them and the PREPARE behind them
    /// have fixed widths. The block comes without entries.
    init(withoutEntries bytes: [UInt8]) throws(DecodingFailure) {
        let header = Array(bytes.prefix(BlockHeader.byteCount))
        let prepare = Array(bytes.dropFirst(header.count).suffix(Signed<Prepare>.byteCount))
        self.init(
            block: ProposedBlock(
                header: try ByteReader.decode(header) { reader throws(DecodingFailure) in
                    try BlockHeader(from: &reader)
                }, entries: []),
            prepare: try Signed<Prepare>(wireBytes: prepare))
    }
}

extension Signed<Prepare> {
    /// On the wire.
    fileprivate static let byteCount = 8 + 8 + Digest.byteCount + 2 + SigningKey.signatureByteCount
}

/// `00 ‖ entry`, or
/// `01 ‖ statement u32-sized ‖ key commitment 32 ‖ submitter u32-sized ‖ id u32-sized` for an erased one.
extension FetchedEntry: WireValue {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .whole(let entry):
            writer.write(UInt8(0))
            writer.write(entry)
        case .erased(let entry, let identity):
            writer.write(UInt8(1))
            writer.writeSized(entry.statement.bytes)
            writer.write(entry.keyCommitment)
            writer.writeSized(identity.submitter)
            writer.writeSized(identity.id)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        guard try reader.readFlag("kind of fetched entry") else {
            self = .whole(try EntryBytes(from: &reader))
            return
        }
        let statement = try reader.readStatement()
        let start = reader.offset
        let commitment = try reader.readDigest("key commitment")
        let identity = DocumentIdentity(
            submitter: try reader.readSizedText("submitter", limitBytes: Ledger.Limits.identityBytes),
            id: try reader.readSizedText("id", limitBytes: Ledger.Limits.documentIDBytes))
        // Both are parts of a key in the log, where a zero byte separates them.
        for text in [identity.submitter, identity.id] {
            guard !text.isEmpty, !text.utf8.contains(0) else {
                throw DecodingFailure("no submitter and id", at: start)
            }
        }
        guard statement.content == nil else {
            throw DecodingFailure("a governance record is never erased", at: start)
        }
        self = .erased(Entry(statement: statement, erasedKeyCommitment: commitment), identity)
    }
}

/// `header 165 ‖ u16 count ‖ fetched entries`.
extension FetchedBlock: WireValue {
    var expectedBytes: Int {
        entries.reduce(BlockHeader.byteCount) { sum, entry in
            switch entry {
            case .whole(let entry): sum + entry.byteCount + 512
            case .erased(let entry, _): sum + entry.byteCount + 512
            }
        }
    }

    func write(to writer: inout ByteWriter) {
        writer.write(header.encoded)
        writer.writeCounted(entries)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            header: try BlockHeader(from: &reader),
            entries: try reader.readCounted(FetchedEntry.self, "entries", limit: Ledger.Limits.blockEntries))
    }
}

/// `u16 count ‖ blocks ‖ commit certificate?`.
extension FetchedBlocks: WireValue {
    var expectedBytes: Int { blocks.reduce(Limits.smallFrameBytes) { $0 + $1.expectedBytes } }

    func write(to writer: inout ByteWriter) {
        writer.writeCounted(blocks)
        writer.write(certificate)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            blocks: try reader.readCounted(FetchedBlock.self, "blocks", limit: Limits.fetchedBlocks),
            certificate: try reader.readOptional(CommitCertificate.self, "certificate"))
    }
}

/// `00 ‖ after u64`, or `01 ‖ header hash 32 ‖ height u64 ‖ above u64`.
extension FetchRequest: WireValue {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .committed(let height):
            writer.write(UInt8(0))
            writer.write(height.value)
        case .ancestry(let hash, let height, let above):
            writer.write(UInt8(1))
            writer.write(hash)
            writer.write(height.value)
            writer.write(above.value)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        guard try reader.readFlag("kind of request") else {
            self = .committed(after: try reader.readHeight())
            return
        }
        self = .ancestry(
            of: try reader.readDigest("header hash"), at: try reader.readHeight(),
            above: try reader.readHeight())
    }
}

/// `view u64 ‖ is changing u8 ‖ asks for u64 ‖ tip u64 ‖ committed u64`.
extension Status: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(view.value)
        writer.write(UInt8(isChanging ? 1 : 0))
        writer.write(asksFor.value)
        writer.write(tip.value)
        writer.write(committed.value)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            view: try reader.readView(), isChanging: try reader.readFlag("phase"),
            asksFor: try reader.readView(), tip: try reader.readHeight(),
            committed: try reader.readHeight())
    }
}
