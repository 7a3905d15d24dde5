import Ledger

extension Limits {
    /// Nodes of a new ledger. `init` lays them out on one machine, on ports P+1 to P+31.
    static let ceremonyNodes = 31
    /// The origin, in bytes: it becomes the organisation name of certificates, which X.520 bounds at 64 characters.
    static let originBytes = 64
    /// Further names in a TLS certificate: a handshake carries them each time.
    static let certificateHosts = 32
    /// A DNS name, in bytes (RFC 1035 §2.3.4, as text without the last point).
    static let hostNameBytes = 253
    /// How long certificates of the first ceremony are valid: ten years of 365.25 days. Members and identities
    /// change by governance records, not because a date passed in the night.
    static let certificateSeconds: Int64 = 315_576_000
    /// How long before its making a certificate begins to be valid, for peers whose clock is behind.
    static let certificateLeadSeconds: Int64 = 3600
}
