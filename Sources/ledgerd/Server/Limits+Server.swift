import Ledger

extension Limits {
    /// Connections at one time. Each costs about 100 KB with TLS; more wait in the listener's queue.
    static let connections = 1024
    /// Requests under way over all connections: HTTP/2 carries a hundred in one, each with a window of 64 KiB.
    static let requestsAtOnce = 2048
    /// How long a TLS handshake may take. Slow links need two.
    static let handshakeSeconds: Int64 = 15
    /// How long the body of a request may take: a megabyte at 140 kbit/s.
    static let bodySeconds: Int64 = 60
    /// How long a connection may stay without a request. Long enough for a scraper that comes each minute.
    static let idleSeconds: Int64 = 90
    /// How long a connection may move no byte. Longer than the longest query, whose client waits in silence.
    static let silenceSeconds: Int64 = 180
    /// How old a connection may become: whoever asks for nothing, and never lets go, ends here.
    static let connectionSeconds: Int64 = 3600
    /// How long a node that was told to stop waits for requests under way. With the five seconds after which TLS gives
    /// up on a client that does not say goodbye, less than the ten that supervisors allow.
    static let stopSeconds: Int64 = 3
    /// Bodies in memory at one time, in bytes, all requests together.
    static let bodyBytes = 128 << 20
    /// Submissions that are checked and ordered at one time: each holds up to `submissionBytes`, twice.
    static let submissionsAtOnce = 256
    /// An access token, in bytes. Ours have 400.
    static let tokenBytes = 8192
    /// Blocks in one answer of `/v1/blocks`.
    static let blocksPerAnswer = 1000
    /// A form or query of the Prometheus API, in bytes.
    static let queryBytes = 1 << 20
    /// Queries that are evaluated at one time; the rest wait for a place.
    static let queriesAtOnce = 4
    /// Queries that wait for a place. A dashboard of many panels asks them all at once.
    static let queriesWaiting = 256
    /// How long one query may take.
    static let querySeconds = 120
    /// Streams of events at one time. Each keeps a connection, and two answers of up to `streamSeries` series.
    static let streams = 128
    /// Series of one answer in a stream, at most and without `limit`: about 300 KB.
    static let streamSeries = 1000
    /// How long a stream or a feed says nothing. Proxies end what is silent for longer, most from 30 seconds on.
    static let heartbeatSeconds: Int64 = 15
    /// Between two evaluations of a stream's query, at least, without `step`.
    static let streamStepMilliseconds: Int64 = 1000
    /// The range of `step`: shorter would evaluate with every commit, longer is what polling is for.
    static let streamSteps: ClosedRange<Int64> = 100...3_600_000
    /// How long one evaluation of a stream's query may take.
    static let streamQuerySeconds: Int64 = 30
    /// Emissions of windows that are read ahead of a stream's reader.
    static let emissionsAhead = 64
    /// Readers of the feed at one time. Each holds a page of entries at most.
    static let feeds = 16
    /// Entries that a feed reads at one time: at most 16 MB, nearly always a hundredth of that.
    static let feedPageEntries: UInt64 = 16
    /// Exports at one time. Each holds a page of samples, and a reference to each of its series.
    static let exports = 4
    /// How long an export waits where the line of queries is full.
    static let exportPauseMilliseconds: Int64 = 200
    /// From how many bytes on an answer without a known length is handed to the connection.
    static let streamPieceBytes = 1 << 16
    /// Entries that the follower holds, or applies in one transaction of the query store where it has a way to go, and
    /// bytes of them: a document takes some ten times its bytes once it is read. What does not fit is read back from the
    /// log.
    static let followerEntries = 4096
    static let followerBytes = 8 << 20
    /// How often a damaged query store is made anew, in one run of the node.
    static let followerRepairs = 3
    /// Between two lines of the log about a query store that has a long way to go.
    static let followerProgressSeconds: Int64 = 5
    /// The pause between two commits of the query store: so far behind are queries while documents stream in. Shorter,
    /// its flushes take the disk from those that clients wait for.
    static let followerPauseMilliseconds = 50
}
