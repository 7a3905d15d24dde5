import Ledger

/// How long a node waits for others. Tests shorten these; nothing else changes them.
struct Deadlines: Sendable {
    /// For the TLS handshake of a new connection.
    var handshake: Duration = .seconds(Limits.handshakeSeconds)
    /// From the head of a request to the end of its body.
    var body: Duration = .seconds(Limits.bodySeconds)
    /// For a connection, or a stream of one, on which nothing is asked.
    var idle: Duration = .seconds(Limits.idleSeconds)
    /// For a connection that moves no byte in either direction, whatever goes on behind it.
    var silence: Duration = .seconds(Limits.silenceSeconds)
    /// For a stream of events, or a feed, that has nothing to say.
    var heartbeat: Duration = .seconds(Limits.heartbeatSeconds)
    /// How old a connection may become. It is told to end, and ends within `silence`.
    var age: Duration = .seconds(Limits.connectionSeconds)
    /// For requests under way when the node is told to stop.
    var stop: Duration = .seconds(Limits.stopSeconds)
}
