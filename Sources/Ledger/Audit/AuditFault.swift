/// A difference between what a ledger shows and what it must be: what kind, where, why.
public struct AuditFault: Error, Hashable, Sendable {
    /// What is not as it must be. Raw values are stable: programs compare them.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The document that the ledger begins with.
        case genesis
        /// A leaf: its form, its signature, or the right of its signer.
        case statement
        /// A sealed payload or its content key.
        case payload
        /// The document in a payload: schema, rules, ledger, submitter.
        case document
        /// A governance record.
        case governance
        /// A payload that is gone without an order, or an order that was not carried out.
        case erasure
        /// The leaves are each in order, and do not make the signed tree in this order.
        case order
        /// Entries or blocks that are missing, or that are too many.
        case count
        /// A hash that proofs are served from.
        case tile
        /// A block header, or its place in the chain.
        case header
        /// A commit certificate, or one that is missing.
        case certificate
        /// The served or the kept checkpoint.
        case checkpoint
        /// Stored rows that do not read back, or indexes that disagree with the entries.
        case store
    }

    public let kind: Kind
    /// The entry at fault, where it is one.
    public let index: EntryIndex?
    /// The block at fault, or that of the entry.
    public let height: BlockHeight?
    /// Counted from the first byte of the statement or payload, where a byte is to blame.
    public let offset: Int?
    /// A sentence for people.
    public let reason: String

    public init(
        _ kind: Kind, _ reason: String, index: EntryIndex? = nil, height: BlockHeight? = nil,
        offset: Int? = nil
    ) {
        self.kind = kind
        self.index = index
        self.height = height
        self.offset = offset
        self.reason = reason
    }
}

extension AuditFault: CustomStringConvertible {
    /// One line: `statement: entry 17, block 9, byte 40: the signature of ci is not valid`.
    public var description: String {
        var places: [String] = []
        if let index { places.append("entry \(index)") }
        if let height { places.append("block \(height)") }
        if let offset { places.append("byte \(offset)") }
        let place = places.isEmpty ? "" : " " + places.joined(separator: ", ") + ":"
        return "\(kind.rawValue):\(place) \(reason)"
    }
}

extension AuditFault: Comparable {
    /// In the order of the log: by block, the faults of entries by index, then those of the block as a whole; what
    /// concerns the whole ledger comes last.
    public static func < (left: Self, right: Self) -> Bool {
        func place(_ fault: AuditFault) -> (UInt64, UInt64) {
            (fault.height?.value ?? .max, fault.index?.value ?? .max)
        }
        return place(left) < place(right)
    }
}
