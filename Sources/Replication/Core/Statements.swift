public import Ledger

/// The place of a block among all that were ever proposed: what a certificate is about.
public struct BlockMark: Hashable, Sendable {
    public let view: View
    public let height: BlockHeight
    public let headerHash: Digest

    public init(view: View, height: BlockHeight, headerHash: Digest) {
        self.view = view
        self.height = height
        self.headerHash = headerHash
    }

    public init(_ header: BlockHeader, hash: Digest) {
        self.init(view: header.view, height: header.height, headerHash: hash)
    }

    /// By (view, height): the order of bases and of highest certificates.
    func isBelow(_ other: BlockMark) -> Bool { (view, height) < (other.view, other.height) }

    func write(to writer: inout ByteWriter) {
        writer.write(view.value)
        writer.write(height.value)
        writer.write(headerHash)
    }
}

/// `PREPARE(v, k, h)`: the signer accepted this block, after its parent, in this view.
public struct Prepare: Signable {
    public let mark: BlockMark

    public init(_ mark: BlockMark) { self.mark = mark }

    public func signedBytes(_ context: SigningContext) -> [UInt8] {
        var writer = context.start("prepare")
        mark.write(to: &writer)
        return writer.bytes
    }
}

/// `COMMIT(v, k, h)`: the signer's cosignature of the checkpoint after this block. What it signs is a note
/// (`VoteAuthority.commitMessage`), so that a quorum of them is a checkpoint as the world knows it.
public struct CommitVote: Hashable, Sendable {
    /// The whole header: the checkpoint's text follows from it, so the vote can be checked before the block is here.
    public let header: BlockHeader
    public let headerHash: Digest
    public let signer: ReplicaID
    /// Ed25519, 64 bytes.
    public let signature: [UInt8]

    public init(_ header: BlockHeader, signer: ReplicaID, signature: [UInt8]) {
        self.header = header
        headerHash = header.hash
        self.signer = signer
        self.signature = signature
    }

    public var mark: BlockMark { BlockMark(header, hash: headerHash) }
}

/// The identity of a VIEW-CHANGE: what its sender claims to hold as it leaves for `view`. Never changes once sent.
public struct Claim: Signable {
    public let view: View
    /// Of its highest prepared certificate.
    public let prepared: BlockMark?
    /// Of its highest commit certificate.
    public let committed: BlockMark?

    public init(view: View, prepared: BlockMark?, committed: BlockMark?) {
        self.view = view
        self.prepared = prepared
        self.committed = committed
    }

    /// The higher of the two: a commit certificate counts as a prepared one.
    public var highest: BlockMark? {
        guard let prepared else { return committed }
        guard let committed else { return prepared }
        return prepared.isBelow(committed) ? committed : prepared
    }

    public func signedBytes(_ context: SigningContext) -> [UInt8] {
        var writer = context.start("view-change")
        writer.write(view.value)
        for mark in [prepared, committed] {
            writer.write(UInt8(mark == nil ? 0 : 1))
            mark?.write(to: &writer)
        }
        return writer.bytes
    }
}

/// `VIEW-CHANGE`: a claim, with the certificates that bear it out.
public struct ViewChange: Hashable, Sendable {
    public let claim: Signed<Claim>
    public let prepared: PreparedCertificate?
    public let committed: CommitCertificate?

    public init(claim: Signed<Claim>, prepared: PreparedCertificate?, committed: CommitCertificate?) {
        self.claim = claim
        self.prepared = prepared
        self.committed = committed
    }
}

/// What the primary of a view begins it with: the claims of a quorum, from which everyone finds the same base.
public struct Installation: Signable {
    public let view: View
    /// Of one view, signers ascending.
    public let claims: [Signed<Claim>]

    public init(view: View, claims: [Signed<Claim>]) {
        self.view = view
        self.claims = claims.sorted { $0.signer < $1.signer }
    }

    /// The highest block that any of them claims; `nil` is the start of the epoch.
    public var base: BlockMark? {
        let marks = claims.compactMap(\.body.highest)
        if Defect.isActive(.lowestBase) { return marks.min { $0.isBelow($1) } }
        if Defect.isActive(.baseOrderedByHeight) {
            return marks.max { ($0.height, $0.view) < ($1.height, $1.view) }
        }
        return marks.max { $0.isBelow($1) }
    }

    public func signedBytes(_ context: SigningContext) -> [UInt8] {
        var writer = context.start("new-view")
        writer.write(view.value)
        writer.write(UInt16(claims.count))
        for claim in claims {
            writer.write(claim.signer.value)
            writer.write(claim.body.signedBytes(context))
            writer.write(claim.signature)
        }
        return writer.bytes
    }
}

/// The certificate behind a base. Only the winner's travels: a lower claim changes nothing, and a higher one would have
/// to be the winner.
public enum BaseCertificate: Hashable, Sendable {
    case prepared(PreparedCertificate)
    case committed(CommitCertificate)

    var mark: BlockMark {
        switch self {
        case .prepared(let certificate): certificate.mark
        case .committed(let certificate): certificate.mark
        }
    }
}

/// `NEW-VIEW`.
public struct NewView: Hashable, Sendable {
    public let installation: Signed<Installation>
    public let certificate: BaseCertificate?

    public init(installation: Signed<Installation>, certificate: BaseCertificate?) {
        self.installation = installation
        self.certificate = certificate
    }

    public var view: View { installation.body.view }
}

extension CommitCertificate {
    var mark: BlockMark { BlockMark(header, hash: header.hash) }
}
