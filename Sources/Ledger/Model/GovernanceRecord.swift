/// What an identity may do.
public enum Role: String, CaseIterable, Hashable, Sendable {
    /// Sends entries.
    case submitter
    /// Asks queries.
    case analyst
    /// Reads entries, statements, payloads and disclosures.
    case auditor
    /// Enrols and revokes; reads metrics.
    case `operator`
    /// Data protection officer: orders erasures.
    case dpo
}

/// A public record about the ledger itself, signed by the roles that the configuration demands.
///
/// The sequence number is one more than that of the governance record before it (the first is 1), so that a record
/// cannot be replayed and two operators who act at once cannot both win unseen.
public struct GovernanceRecord: Hashable, Sendable {
    public let ledger: String
    public let sequence: UInt64
    public let action: Action

    public enum Action: Hashable, Sendable {
        /// A key begins to act for an identity, from the next height.
        case enrol(Enrolment)
        /// A key stops, from the next height. The subject key identifier, 1 to 64 bytes.
        case revoke(identity: String, keyIdentifier: [UInt8], reason: String)
        /// The payload of an entry, and every key to it, is destroyed.
        case erase(EntryIndex, reason: String)
        /// A member, by its name, made two statements of which an honest node makes only one. Nothing follows from it
        /// but that everyone knows.
        case evidence(member: String, Contradiction)
    }

    public init(ledger: String, sequence: UInt64, action: Action) {
        self.ledger = ledger
        self.sequence = sequence
        self.action = action
    }
}

/// A key that acts for an identity. It holds a pseudonym, no names of people.
public struct Enrolment: Hashable, Sendable {
    public let identity: String
    public let roles: [Role]
    /// X.509, DER. The certificate must carry a subject key identifier and be valid at a block's time.
    public let certificate: [UInt8]

    public init(identity: String, roles: [Role], certificate: [UInt8]) {
        self.identity = identity
        self.roles = roles
        self.certificate = certificate
    }
}
