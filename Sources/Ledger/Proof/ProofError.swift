/// Why a note, key, policy, proof or receipt was refused.
public struct ProofError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What callers compare and programs print; stable.
    public enum Code: String, Hashable, Sendable {
        case malformedKey = "malformed-key"
        case malformedNote = "malformed-note"
        case malformedCheckpoint = "malformed-checkpoint"
        case malformedPolicy = "malformed-policy"
        case malformedProof = "malformed-proof"
        case malformedReceipt = "malformed-receipt"
        case malformedTilePath = "malformed-tile-path"
        /// An index or a size that the tree does not have.
        case outOfRange = "out-of-range"
        /// The hashes lead to another root than the one that is signed.
        case wrongRoot = "wrong-root"
        /// A key that is known did not make this signature.
        case badSignature = "bad-signature"
        /// No log of the policy has signed.
        case unknownLog = "unknown-log"
        /// Too few of those who must sign have signed.
        case quorumMissed = "quorum-missed"
    }

    public let code: Code
    /// For people: what was wrong, and where.
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(reason) (\(code.rawValue))" }
}
