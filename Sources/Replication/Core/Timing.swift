/// How long a replica waits. Timing decides when it complains, never what is true.
public struct Timing: Hashable, Sendable {
    /// For a commit, while something waits for one. Doubles with each view that fails in a row.
    public var viewTimeout: Duration = .milliseconds(400)
    /// How often it doubles at most: the longest wait exceeds a view change, a fetch and a commit.
    public var timeoutDoublings = 6
    /// How many timeouts an entry waits while others are committed before its node takes the primary for partial.
    public var starvationTimeouts = 20
    /// Between heartbeats.
    public var heartbeat: Duration = .milliseconds(250)
    /// Heartbeats of the primary that may be missing before it is taken for dead.
    public var silentHeartbeats = 8
    /// Before what was sent is sent again; doubles until something is committed or the view changes.
    public var resend: Duration = .milliseconds(100)
    public var resendDoublings = 5
    /// For an answer to a fetch, before another peer is asked.
    public var fetch: Duration = .milliseconds(500)

    public init() {}
}
