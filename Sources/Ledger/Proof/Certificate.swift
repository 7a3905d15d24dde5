/// The votes that make a block, and all before it, final: the protocol's `CC(v, k, h)`.
///
/// Shape: `header 165 ‖ u16 count ‖ (u16 member ‖ signature 64)…`, members ascending.
/// - Source: docs/protocol.md, Terms; docs/formats.md 4.4.
public struct CommitCertificate: Hashable, Sendable {
    /// One member's COMMIT: the Ed25519 signature of its cosignature line.
    public struct Vote: Hashable, Sendable {
        public let member: ReplicaID
        /// 64 bytes over `Electorate.commitMessage(for:)`.
        public let signature: [UInt8]

        public init(member: ReplicaID, signature: [UInt8]) {
            self.member = member
            self.signature = signature
        }
    }

    public let header: BlockHeader
    /// Members ascend, so each votes once, and one set of votes has one encoding.
    public let cosignatures: [Vote]

    /// `nil` for two votes of one member, for more votes than members can be, or a vote that has not 64 bytes.
    public init?(header: BlockHeader, cosignatures: [Vote]) {
        let votes = cosignatures.sorted { $0.member < $1.member }
        guard votes.count <= Limits.members else { return nil }
        guard votes.allSatisfy({ $0.signature.count == SigningKey.signatureByteCount }) else { return nil }
        guard zip(votes, votes.dropFirst()).allSatisfy({ $0.member < $1.member }) else { return nil }
        self.header = header
        self.cosignatures = votes
    }

    /// Whether a quorum of `electorate` has voted for this block, and every vote shown is good.
    ///
    /// One bad vote spoils the certificate, or some would rely on what others refuse.
    /// - Throws: `badSignature` or `quorumMissed`.
    public func verify(by electorate: Electorate) throws(ProofError) {
        let quorum = electorate.committee.quorum
        guard cosignatures.count >= quorum else {
            throw ProofError(
                .quorumMissed, "\(cosignatures.count) votes for block \(header.height), not \(quorum)")
        }
        let message = electorate.commitMessage(for: header)
        for vote in cosignatures {
            guard electorate.isValid(vote.signature, by: vote.member, over: message) else {
                throw ProofError(
                    .badSignature, "the vote of member \(vote.member) for block \(header.height)")
            }
        }
    }

    /// The checkpoint that these votes sign, as it is served.
    ///
    /// - Throws: `malformedKey` if a voter is not in `electorate`: the certificate was not verified with it.
    public func checkpointNote(
        of electorate: Electorate, ledgerKey: NoteSigningKey
    ) throws(ProofError) -> CheckpointNote {
        var lines: [NoteSignature] = []
        for vote in cosignatures {
            guard let key = electorate.key(of: vote.member),
                let cosignature = Cosignature(seconds: header.seconds, signature: vote.signature)
            else { throw ProofError(.malformedKey, "member \(vote.member) is not in the configuration") }
            lines.append(NoteSignature(name: key.name, keyID: key.id, bytes: cosignature.bytes))
        }
        let checkpoint = Checkpoint(origin: electorate.origin, header: header)
        return try CheckpointNote(signing: checkpoint, with: ledgerKey, cosignatures: lines)
    }
}

extension CommitCertificate {
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.write(header.encoded)
        writer.write(UInt16(cosignatures.count))
        for vote in cosignatures {
            writer.write(vote.member.value)
            writer.write(vote.signature)
        }
        return writer.bytes
    }

    public init(decoding bytes: [UInt8]) throws(DecodingFailure) {
        self = try ByteReader.decode(bytes) { (reader) throws(DecodingFailure) in
            try CommitCertificate(from: &reader)
        }
    }

    /// Reads a certificate inside a longer encoding.
    public init(from reader: inout ByteReader) throws(DecodingFailure) {
        let header = try BlockHeader(from: &reader)
        let start = reader.offset
        let count = try reader.read(UInt16.self, "number of votes")
        guard Int(count) <= Limits.members else {
            throw DecodingFailure("more votes than members", at: start)
        }
        var votes: [Vote] = []
        for _ in 0..<count {
            let member = ReplicaID(try reader.read(UInt16.self, "voter"))
            let signature = try reader.readBytes(SigningKey.signatureByteCount, "vote")
            // Any other order would be a second encoding of the same certificate.
            guard votes.last.map({ $0.member < member }) ?? true else {
                throw DecodingFailure("voters do not ascend", at: reader.offset)
            }
            votes.append(Vote(member: member, signature: signature))
        }
        self.header = header
        cosignatures = votes
    }
}
