/// The moments that a question is asked for, and what it may cost.
struct QueryContext: Sendable {
    /// Of the question; a subquery has its own.
    let grid: TimeGrid
    /// Of a range, which the last step need not meet: the `end()` of `@`.
    let end: Int64
    /// How far back an instant selector looks for a sample, in milliseconds.
    let lookbackMilliseconds: Int64
    /// Asked from time to time; an answer stops the evaluation.
    let interruption: @Sendable () -> Interruption?
    /// Whether selectors are to say how they would be read instead of being read.
    let isExplaining: Bool
    /// Samples and points that may still be held.
    private(set) var remaining: Int
    /// What whoever asked should know beside the answer.
    private(set) var annotations = Annotations()

    init(
        grid: TimeGrid, end: Int64? = nil, lookbackMilliseconds: Int64, samples: Int = QueryLimits.samples,
        isExplaining: Bool = false, interruption: @escaping @Sendable () -> Interruption?
    ) {
        self.grid = grid
        self.end = end ?? grid.last
        self.lookbackMilliseconds = lookbackMilliseconds
        self.interruption = interruption
        self.isExplaining = isExplaining
        remaining = samples
    }

    /// Accounts for samples or points, and stops where there were too many or the time is over.
    mutating func charge(_ count: Int) throws(QueryError) {
        guard count <= remaining else { throw .tooManySamples }
        remaining -= count
        try checkInterruption()
    }

    /// For one of some pieces of work that are done at the same time.
    func share(of pieces: Int) -> QueryContext {
        var share = self
        share.remaining = remaining / pieces
        return share
    }

    /// Gives back what was charged since `remaining` was `earlier`: it is no longer held.
    mutating func restore(to earlier: Int) { remaining = earlier }

    func checkInterruption() throws(QueryError) {
        if let interruption = interruption() { throw interruption.error }
    }

    mutating func warn(_ text: String, at place: TextRange) { annotations.add(.warning, text, place) }
    mutating func inform(_ text: String, at place: TextRange) { annotations.add(.info, text, place) }
}
