/// An entry whose signature, sealing and content were checked. It exists only as the result of `EntryChecker`, or of
/// reading back what a node accepted before.
///
/// A value in one reference: entries pass through many hands, and copying their dozens of strings was a tenth of a
/// node's work.
public struct CheckedEntry: Hashable, Sendable {
    private let parts: Parts

    public var entry: Entry { parts.entry }
    public var content: Content { parts.content }
    /// SHA-256 of the document's exact bytes: tells a resend from another content under the same id. Kept in memory
    /// only: on disk it would outlive an erasure.
    public var contentDigest: Digest { parts.contentDigest }
    /// What its payload was sealed to; `nil` for a governance record.
    public var sealing: Sealing? { parts.sealing }
    /// Which document it is; `nil` for a governance record.
    public var identity: DocumentIdentity? { parts.identity }

    private final class Parts: Sendable {
        let entry: Entry
        let content: Content
        let contentDigest: Digest
        let sealing: Sealing?
        let identity: DocumentIdentity?

        init(entry: Entry, content: Content, contentDigest: Digest, sealing: Sealing?) {
            self.entry = entry
            self.content = content
            self.contentDigest = contentDigest
            self.sealing = sealing
            identity =
                switch content {
                case .document(let document):
                    DocumentIdentity(submitter: document.submitter, id: document.id)
                case .governance: nil
                case .erased(let identity): identity
                }
        }
    }

    public enum Content: Hashable, Sendable {
        case document(SealedDocument)
        case governance(GovernanceRecord)
        /// Nothing is left but whose it was. Never proposed; fetched as part of what is final.
        case erased(DocumentIdentity)
    }

    public enum Sealing: Hashable, Sendable {
        /// To the nodes of the configuration in force.
        case nodes
        /// With the key of a session.
        case session(keyID: SessionKeyID)
    }

    package init(entry: Entry, content: Content, contentDigest: Digest, sealing: Sealing?) {
        parts = Parts(entry: entry, content: content, contentDigest: contentDigest, sealing: sealing)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.parts === right.parts
            || left.entry == right.entry && left.content == right.content
                && left.contentDigest == right.contentDigest && left.sealing == right.sealing
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(entry.statement.digest) }

    /// An entry that was erased before this node had it. A certificate vouches for its place, nobody for its identity.
    public init(erased entry: Entry, identity: DocumentIdentity) {
        self.init(
            entry: entry, content: .erased(identity), contentDigest: entry.statement.payloadDigest,
            sealing: nil)
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
