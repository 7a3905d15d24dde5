/// What happened in a run, so that one sees what the seeds reach.
public struct Figures: Sendable {
    public var events = 0
    public var messages = 0
    public var lost = 0
    public var commits = 0
    public var views = 0
    public var flushes = 0
    public var refusedFlushes = 0
    public var crashes = 0
    public var damagedBlocks = 0
    public var cuts = 0
    public var lies = 0
    public var mutations = 0
    public var unverified = 0
    /// Messages that could change nothing any more, and were not verified.
    public var passedOver = 0
    public var evidence = 0
    public var submitted = 0
    public var refusals = 0
    public var fetches = 0
    /// Virtual milliseconds from the end of the faults until all was settled.
    public var settling = 0

    public init() {}

    public static func + (left: Figures, right: Figures) -> Figures {
        var sum = left
        sum.events += right.events
        sum.messages += right.messages
        sum.lost += right.lost
        sum.commits += right.commits
        sum.views += right.views
        sum.flushes += right.flushes
        sum.refusedFlushes += right.refusedFlushes
        sum.crashes += right.crashes
        sum.damagedBlocks += right.damagedBlocks
        sum.cuts += right.cuts
        sum.lies += right.lies
        sum.mutations += right.mutations
        sum.unverified += right.unverified
        sum.passedOver += right.passedOver
        sum.evidence += right.evidence
        sum.submitted += right.submitted
        sum.refusals += right.refusals
        sum.fetches += right.fetches
        sum.settling = max(sum.settling, right.settling)
        return sum
    }
}
