public import Ledger

/// Checks the votes of a configuration. Two conform: the configuration's own keys, and the simulator's cheap ones.
public protocol VoteAuthority: Sendable {
    var committee: Committee { get }
    /// Whether `signature` is the member's over `message`; false for strangers.
    func isValid(_ signature: [UInt8], by member: ReplicaID, over message: [UInt8]) -> Bool
    /// What a COMMIT for the block under `header` signs.
    func commitMessage(for header: BlockHeader) -> [UInt8]
}

extension Electorate: VoteAuthority {}

/// A message whose signatures were all checked, with who sent it. There is no other way to make one than to check.
public struct Verified<Value: Sendable>: Sendable {
    public let value: Value
    public let sender: ReplicaID

    fileprivate init(_ value: Value, from sender: ReplicaID) {
        self.value = value
        self.sender = sender
    }
}

/// Why a message is dropped.
public struct Refused: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A proposal whose signature is the primary's and whose entries were opened and checked.
public struct CheckedProposal: Sendable {
    public let header: BlockHeader
    public let headerHash: Digest
    public let entries: [CheckedEntry]
    public let prepare: Signed<Prepare>
}

extension Verified<CheckedProposal> {
    /// The same with its entries, each checked. The signature is over the header, which the replica compares with them.
    func with(_ entries: [CheckedEntry]) -> Verified {
        Verified(
            CheckedProposal(
                header: value.header, headerHash: value.headerHash, entries: entries, prepare: value.prepare),
            from: sender)
    }
}

/// Blocks whose entries were opened: what vouches for them are their hashes, which the replica compares.
public struct CheckedBlocks: Sendable {
    public struct CheckedBlock: Sendable {
        public let header: BlockHeader
        public let entries: [CheckedEntry]

        public init(header: BlockHeader, entries: [CheckedEntry]) {
            self.header = header
            self.entries = entries
        }
    }

    public let blocks: [CheckedBlock]
    public let certificate: CommitCertificate?
}

/// Turns messages into verified ones: pure, so any thread may do it.
public struct MessageVerifier<Authority: VoteAuthority>: Sendable {
    public let context: SigningContext
    public let authority: Authority
    private var committee: Committee { authority.committee }

    public init(context: SigningContext, authority: Authority) {
        self.context = context
        self.authority = authority
    }

    /// Checks every signature of a message. Proposals and fetched blocks have functions of their own, since they come
    /// with entries.
    ///
    /// - Parameter sender: who holds the other end of the connection, this node itself for its own.
    public func verify(_ message: Message, from sender: ReplicaID) throws(Refused) -> Verified<Message> {
        switch message {
        case .prepare(let prepare):
            guard prepare.signer == sender else { throw Refused("a PREPARE of another node") }
            try check(prepare)
        case .commit(let vote):
            guard vote.signer == sender else { throw Refused("a COMMIT of another node") }
            guard
                authority.isValid(vote.signature, by: sender, over: authority.commitMessage(for: vote.header))
            else { throw Refused("the signature of a COMMIT") }
        case .viewChange(let change):
            guard change.claim.signer == sender else { throw Refused("a VIEW-CHANGE of another node") }
            try check(change)
        case .newView(let newView): try check(newView)
        case .prepared(let certificate): try check(certificate)
        case .committed(let certificate): try check(certificate)
        case .complaint, .status: break
        case .proposal, .entries, .fetch, .fetched:
            throw Refused("this message is not verified by its signatures alone")
        }
        return Verified(message, from: sender)
    }

    /// What this node has signed a moment ago, with its own key: it need not ask itself.
    ///
    /// - Precondition: it is a vote or a VIEW-CHANGE of `id`, which is this node.
    func ownMessage(_ message: Message, of id: ReplicaID) -> Verified<Message> {
        switch message {
        case .prepare(let prepare): precondition(prepare.signer == id, "a node signs for itself")
        case .commit(let vote): precondition(vote.signer == id, "a node signs for itself")
        case .viewChange(let change): precondition(change.claim.signer == id, "a node signs for itself")
        case .proposal, .complaint, .newView, .prepared, .committed, .status, .entries, .fetch, .fetched:
            preconditionFailure("a node hears nothing else of itself")
        }
        return Verified(message, from: id)
    }

    /// Checks the primary's signature.
    ///
    /// - Parameter entries: those of the proposal, each checked.
    public func verify(
        _ proposal: Proposal, entries: [CheckedEntry], from sender: ReplicaID
    ) throws(Refused) -> Verified<CheckedProposal> {
        let header = proposal.block.header
        let hash = header.hash
        guard header.ledgerID == context.ledgerID else { throw Refused("a block of another ledger") }
        guard proposal.prepare.body.mark == BlockMark(header, hash: hash) else {
            throw Refused("a PREPARE for another block than the proposed one")
        }
        guard proposal.prepare.signer == committee.primary(of: header.view) else {
            throw Refused("a proposal that is not the primary's")
        }
        try check(proposal.prepare)
        return Verified(
            CheckedProposal(header: header, headerHash: hash, entries: entries, prepare: proposal.prepare),
            from: sender)
    }

    /// Checks the certificate at the end of a range.
    public func verify(
        _ blocks: [CheckedBlocks.CheckedBlock], certificate: CommitCertificate?, from sender: ReplicaID
    ) throws(Refused) -> Verified<CheckedBlocks> {
        if let certificate { try check(certificate) }
        return Verified(CheckedBlocks(blocks: blocks, certificate: certificate), from: sender)
    }

    private func check<Body>(_ signed: Signed<Body>) throws(Refused) {
        guard authority.isValid(signed.signature, by: signed.signer, over: signed.body.signedBytes(context))
        else { throw Refused("the signature of node \(signed.signer) on a \(Body.self)") }
    }

    private func check(_ change: ViewChange) throws(Refused) {
        let claim = change.claim.body
        guard claim.prepared == change.prepared?.mark, claim.committed == change.committed?.mark else {
            throw Refused("a VIEW-CHANGE with certificates that are not those it claims")
        }
        try checkViews(of: claim)
        try check(change.claim)
        if let certificate = change.prepared { try check(certificate) }
        if let certificate = change.committed { try check(certificate) }
    }

    private func checkViews(of claim: Claim) throws(Refused) {
        for case let mark? in [claim.prepared, claim.committed] where mark.view >= claim.view {
            throw Refused("a VIEW-CHANGE with a certificate of its own view or a later one")
        }
    }

    private func check(_ newView: NewView) throws(Refused) {
        let installation = newView.installation.body
        guard installation.view.value > 0, newView.installation.signer == committee.primary(of: newView.view)
        else { throw Refused("a NEW-VIEW that is not the primary's") }
        let claims = installation.claims
        guard claims.count >= committee.quorum(for: .viewChange), claims.count <= committee.size else {
            throw Refused("a NEW-VIEW without a quorum of claims")
        }
        guard zip(claims, claims.dropFirst()).allSatisfy({ $0.signer < $1.signer }) else {
            throw Refused("a NEW-VIEW that counts one node twice")
        }
        for claim in claims {
            guard claim.body.view == installation.view else { throw Refused("a claim for another view") }
            try checkViews(of: claim.body)
            try check(claim)
        }
        try check(newView.installation)
        switch newView.certificate {
        case .prepared(let certificate): try check(certificate)
        case .committed(let certificate): try check(certificate)
        case nil: break
        }
    }

    private func check(_ certificate: PreparedCertificate) throws(Refused) {
        guard certificate.votes.count >= committee.quorum(for: .votes) else {
            throw Refused("a prepared certificate without a quorum")
        }
        let message = Prepare(certificate.mark).signedBytes(context)
        for vote in certificate.votes
        where !authority.isValid(vote.signature, by: vote.member, over: message) {
            throw Refused("the PREPARE of node \(vote.member) in a certificate")
        }
    }

    private func check(_ certificate: CommitCertificate) throws(Refused) {
        guard certificate.header.ledgerID == context.ledgerID else {
            throw Refused("a certificate of another ledger")
        }
        // The genesis block needs no votes, and one that has them is nobody's.
        guard certificate.header.height > .genesis else {
            throw Refused("a certificate of the genesis block")
        }
        guard certificate.cosignatures.count >= committee.quorum(for: .votes) else {
            throw Refused("a commit certificate without a quorum")
        }
        let message = authority.commitMessage(for: certificate.header)
        for vote in certificate.cosignatures
        where !authority.isValid(vote.signature, by: vote.member, over: message) {
            throw Refused("the COMMIT of node \(vote.member) in a certificate")
        }
    }
}

extension Committee {
    /// The node that orders in a view.
    public func primary(of view: View) -> ReplicaID { ReplicaID(UInt16(view.value % UInt64(size))) }

    enum Purpose { case votes, viewChange }

    /// `q`. One figure for both purposes; the two can be broken apart to see whether the simulator notices.
    func quorum(for purpose: Purpose) -> Int {
        switch purpose {
        case .votes: Defect.isActive(.voteQuorumTooSmall) ? quorum - 1 : quorum
        case .viewChange: Defect.isActive(.viewChangeQuorumTooSmall) ? quorum - 1 : quorum
        }
    }
}
