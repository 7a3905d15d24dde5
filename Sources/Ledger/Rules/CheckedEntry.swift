/// An entry whose signature, sealing and content were checked. It exists only as the result of `EntryChecker`, or of
/// reading back what a node accepted before.
public struct CheckedEntry: Hashable, Sendable {
    public let entry: Entry
    public let content: Content
    /// SHA-256 of the document's exact bytes: tells a resend from another content under the same id. Kept in memory
    /// only: on disk it would outlive an erasure.
    public let contentDigest: Digest

    public enum Content: Hashable, Sendable {
        case document(SealedDocument)
        case governance(GovernanceRecord)
        /// Nothing is left but whose it was. Never proposed; fetched as part of what is final.
        case erased(DocumentIdentity)
    }

    /// What its payload was sealed to; `nil` for a governance record.
    public let sealing: Sealing?

    public enum Sealing: Hashable, Sendable {
        /// To the nodes of the configuration in force.
        case nodes
        /// With the key of a session.
        case session(keyID: SessionKeyID)
    }

    init(entry: Entry, content: Content, contentDigest: Digest, sealing: Sealing?) {
        self.entry = entry
        self.content = content
        self.contentDigest = contentDigest
        self.sealing = sealing
    }

    /// An entry that was erased before this node had it. A certificate vouches for its place, nobody for its identity.
    public init(erased entry: Entry, identity: DocumentIdentity) {
        self.init(
            entry: entry, content: .erased(identity), contentDigest: entry.statement.payloadDigest,
            sealing: nil)
    }

    public var identity: DocumentIdentity? {
        switch content {
        case .document(let document): DocumentIdentity(submitter: document.submitter, id: document.id)
        case .governance: nil
        case .erased(let identity): identity
        }
    }

    /// What the log keeps beside the entry.
    public var facts: LogStore.EntryFacts {
        switch content {
        case .document(.kpis), .erased: .init(identity: identity, changesRules: false)
        case .document(.session), .governance: .init(identity: identity, changesRules: true)
        }
    }
}

extension CheckedEntry.Sealing {
    init(_ recipients: SealedPayload.Recipients) {
        switch recipients {
        case .nodes: self = .nodes
        case .session(let keyID): self = .session(keyID: keyID)
        }
    }
}
