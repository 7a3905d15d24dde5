import Ledger

extension Limits {
    /// Connections at one time. Each costs about 100 KB with TLS; more wait in the listener's queue.
    static let connections = 1024
    /// How long a connection may stay silent. Long enough for a scraper that comes each minute.
    static let idleSeconds: Int64 = 90
    /// Submissions that are read and checked at one time: each holds up to `submissionBytes`, twice.
    static let submissionsAtOnce = 256
    /// An access token, in bytes. Ours have 400.
    static let tokenBytes = 8192
    /// Blocks in one answer of `/v1/blocks`.
    static let blocksPerAnswer = 1000
    /// A form or query of the Prometheus API, in bytes.
    static let queryBytes = 1 << 20
    /// Queries that are evaluated at one time; the rest wait for a place.
    static let queriesAtOnce = 4
    /// How long one query may take.
    static let querySeconds = 120
    /// Entries that the follower applies in one transaction of the query store.
    static let followerEntries: UInt64 = 512
}
