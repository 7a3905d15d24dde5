/// The moments that a question is asked for, and what it may cost.
struct QueryContext: Sendable {
    /// Milliseconds since 1970, ascending; one for an instant query.
    let times: [Int64]
    /// How far back an instant selector looks for a sample, in milliseconds.
    let lookbackMilliseconds: Int64
    /// Asked from time to time; an answer stops the evaluation.
    let interruption: @Sendable () -> Interruption?
    /// Samples and points that may still be held.
    private(set) var remaining: Int

    init(
        times: [Int64], lookbackMilliseconds: Int64, samples: Int = QueryLimits.samples,
        interruption: @escaping @Sendable () -> Interruption?
    ) {
        self.times = times
        self.lookbackMilliseconds = lookbackMilliseconds
        self.interruption = interruption
        remaining = samples
    }

    /// Accounts for samples or points, and stops where there were too many or the time is over.
    mutating func charge(_ count: Int) throws(QueryError) {
        guard count <= remaining else { throw .tooManySamples }
        remaining -= count
        try checkInterruption()
    }

    /// Gives back what was charged since `remaining` was `earlier`: it is no longer held.
    mutating func restore(to earlier: Int) { remaining = earlier }

    func checkInterruption() throws(QueryError) {
        if let interruption = interruption() { throw interruption.error }
    }
}
