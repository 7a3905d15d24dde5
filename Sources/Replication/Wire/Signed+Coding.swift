import Ledger

// How what nodes sign travels. The bytes that are signed are others: `Signable.signedBytes`.

/// `view u64 ‖ height u64 ‖ header hash 32`.
extension BlockMark: WireValue {
    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            view: try reader.readView(), height: try reader.readHeight(),
            headerHash: try reader.readDigest("header hash"))
    }
}

/// A mark.
extension Prepare: WireValue {
    func write(to writer: inout ByteWriter) { mark.write(to: &writer) }
    init(from reader: inout ByteReader) throws(DecodingFailure) { self.init(try BlockMark(from: &reader)) }
}

/// `body ‖ signer u16 ‖ signature 64`.
extension Signed: WireValue where Body: WireValue {
    func write(to writer: inout ByteWriter) {
        body.write(to: &writer)
        writer.write(signer.value)
        writer.write(signature)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            try Body(from: &reader), signer: try reader.readMember(), signature: try reader.readSignature())
    }
}

/// `header 165 ‖ signer u16 ‖ signature 64`.
extension CommitVote: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(header.encoded)
        writer.write(signer.value)
        writer.write(signature)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            try BlockHeader(from: &reader), signer: try reader.readMember(),
            signature: try reader.readSignature())
    }
}

/// `view u64 ‖ prepared mark? ‖ committed mark?`.
extension Claim: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(view.value)
        writer.write(prepared)
        writer.write(committed)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            view: try reader.readView(), prepared: try reader.readOptional(BlockMark.self, "prepared mark"),
            committed: try reader.readOptional(BlockMark.self, "committed mark"))
    }
}

/// `view u64 ‖ u16 count ‖ signed claims`, signers ascending.
extension Installation: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(view.value)
        writer.writeCounted(claims)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let view = try reader.readView()
        let start = reader.offset
        let claims = try reader.readCounted(Signed<Claim>.self, "claims", limit: Ledger.Limits.members)
        // Any other order would be a second encoding of one installation.
        guard zip(claims, claims.dropFirst()).allSatisfy({ $0.signer < $1.signer }) else {
            throw DecodingFailure("claims do not ascend", at: start)
        }
        self.init(view: view, claims: claims)
    }
}

/// `mark ‖ u16 count ‖ (member u16 ‖ signature 64)…`, members ascending.
extension PreparedCertificate: WireValue {
    func write(to writer: inout ByteWriter) {
        mark.write(to: &writer)
        writer.writeCounted(votes)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let mark = try BlockMark(from: &reader)
        let start = reader.offset
        let votes = try reader.readCounted(Vote.self, "votes", limit: Ledger.Limits.members)
        guard let certificate = PreparedCertificate(mark: mark, votes: votes) else {
            throw DecodingFailure("voters do not ascend", at: start)
        }
        self = certificate
    }
}

extension PreparedCertificate.Vote: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(member.value)
        writer.write(signature)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(member: try reader.readMember(), signature: try reader.readSignature())
    }
}

extension CommitCertificate: WireValue {
    func write(to writer: inout ByteWriter) { writer.write(encoded) }
}

/// `signed claim ‖ prepared certificate? ‖ commit certificate?`.
extension ViewChange: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(claim)
        writer.write(prepared)
        writer.write(committed)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            claim: try Signed<Claim>(from: &reader),
            prepared: try reader.readOptional(PreparedCertificate.self, "prepared certificate"),
            committed: try reader.readOptional(CommitCertificate.self, "commit certificate"))
    }
}

/// `00 ‖ prepared certificate`, or `01 ‖ commit certificate`.
extension BaseCertificate: WireValue {
    func write(to writer: inout ByteWriter) {
        switch self {
        case .prepared(let certificate):
            writer.write(UInt8(0))
            writer.write(certificate)
        case .committed(let certificate):
            writer.write(UInt8(1))
            writer.write(certificate)
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self =
            try reader.readFlag("kind of certificate")
            ? .committed(try CommitCertificate(from: &reader))
            : .prepared(try PreparedCertificate(from: &reader))
    }
}

/// `signed installation ‖ base certificate?`.
extension NewView: WireValue {
    func write(to writer: inout ByteWriter) {
        writer.write(installation)
        writer.write(certificate)
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        self.init(
            installation: try Signed<Installation>(from: &reader),
            certificate: try reader.readOptional(BaseCertificate.self, "base certificate"))
    }
}
