/// Who may vote on blocks: the vote keys of one configuration, in the order of its members.
public struct Electorate: Hashable, Sendable {
    /// The name of the ledger; it is in every text that is voted on.
    public let origin: KeyName
    /// One for each member, named `<origin>/<member>`. The position is the `ReplicaID`.
    public let keys: [NoteVerifierKey]

    /// - Throws: `ProofError.malformedKey` for names or keys that cannot be, for no or too many members, and
    ///   for two members with one name or one key: a single node would then have two votes.
    public init(origin: String, members: [Member]) throws(ProofError) {
        guard (1...Limits.members).contains(members.count) else {
            throw ProofError(.malformedKey, "a configuration has 1 to \(Limits.members) members")
        }
        self.origin = try KeyName(origin)
        var keys: [NoteVerifierKey] = []
        for member in members {
            guard let voteKey = VerificationKey(member.voteKey) else {
                throw ProofError(.malformedKey, "the vote key of \(member.name) has not 32 bytes")
            }
            let name = try Self.keyName(origin: origin, member: member.name)
            guard !keys.contains(where: { $0.name == name || $0.key == voteKey }) else {
                throw ProofError(
                    .malformedKey, "\(member.name) has the name or the vote key of another member")
            }
            keys.append(NoteVerifierKey(name: name, kind: .cosignature, key: voteKey))
        }
        self.keys = keys
    }

    /// The name under which a member signs: `<origin>/<member>`.
    public static func keyName(origin: String, member: String) throws(ProofError) -> KeyName {
        try KeyName("\(origin)/\(member)")
    }

    public var committee: Committee { Committee(size: keys.count) }

    /// `nil` for a number that no member has.
    public func key(of member: ReplicaID) -> NoteVerifierKey? {
        Int(member.value) < keys.count ? keys[Int(member.value)] : nil
    }

    /// What a COMMIT for the block under `header` signs: the same bytes at every member.
    public func commitMessage(for header: BlockHeader) -> [UInt8] {
        Cosignature.message(Checkpoint(origin: origin, header: header).text, at: header.seconds)
    }

    /// Whether `signature` is the member's Ed25519 signature of `message`; false for strangers.
    public func isValid(_ signature: [UInt8], by member: ReplicaID, over message: [UInt8]) -> Bool {
        key(of: member)?.key.isValid(signature, over: message) ?? false
    }
}
